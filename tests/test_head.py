"""Pose head, lifter: shapes, charts, mirror."""

import numpy as np
import roma
import torch

from posegen.distribution import DIM
from posegen.head import Lifter, PoseHead, around, average_with_mirror, rotation_from_6d
from posegen.skeleton import forward_kinematics, local_rotations, mirror


def random_rotations(n=4, seed=0, scale=0.4):
    return roma.rotvec_to_rotmat(scale * torch.randn(n, 24, 3, generator=torch.Generator().manual_seed(seed)))


def test_pose_head_gives_a_distribution_that_can_learn_one_pose():
    torch.manual_seed(0)
    head = PoseHead(5, components=1, width=32)
    statements, x = torch.ones(8, 5), torch.full((8, DIM), 0.3)
    optimizer = torch.optim.Adam(head.parameters(), 1e-2)
    first = head(statements).log_prob(x).mean()
    for _ in range(200):
        optimizer.zero_grad()
        (-head(statements).log_prob(x).mean()).backward()
        optimizer.step()
    after = head(statements)
    assert after.log_prob(x).mean() > first + 40
    assert (after.mode() - 0.3).abs().max() < 0.2


def test_lifted_pose_is_made_of_rotations_and_is_its_own_chart():
    torch.manual_seed(0)
    lifter = Lifter(9, width=32, depth=1).eval()
    distribution = lifter(torch.randn(3, 9))
    rotations = distribution.rotations(distribution.mode())
    eye = torch.eye(3).expand(3, 24, 3, 3)
    torch.testing.assert_close(rotations @ rotations.transpose(-1, -2), eye, atol=1e-5, rtol=0)
    torch.testing.assert_close(rotations, distribution.chart, atol=1e-5, rtol=0)
    assert distribution.mean.abs().max() < 1e-3


def test_an_old_policys_chart_gives_the_same_mean_pose():
    rotations, chart = random_rotations(seed=1), random_rotations(seed=2)
    moved = around(rotations, torch.zeros(4, DIM), chart)
    still = [10, 11, 22, 23]
    got = moved.rotations(moved.mode())
    keep = [j for j in range(24) if j not in still]
    torch.testing.assert_close(got[:, keep], rotations[:, keep], atol=1e-4, rtol=0)


def test_rotation_from_6d_inverts_its_first_columns():
    r = random_rotations()[:, 0]
    assert torch.allclose(rotation_from_6d(torch.cat([r[..., 0], r[..., 1]], -1)), r, atol=1e-5)


def test_average_with_mirror_of_a_perfect_pair_changes_nothing():
    axis_angle = 0.4 * torch.randn(4, 24, 3, generator=torch.Generator().manual_seed(3))
    rotations, turned = (roma.rotvec_to_rotmat(a) for a in (axis_angle, mirror(axis_angle)))
    torch.testing.assert_close(average_with_mirror(rotations, turned), rotations, atol=1e-4, rtol=0)


def test_local_rotations_invert_forward_kinematics():
    rotations = random_rotations(seed=4)
    _, globals_ = forward_kinematics(rotations)
    torch.testing.assert_close(local_rotations(globals_), rotations, atol=1e-5, rtol=0)


def test_forward_kinematics_keeps_bone_lengths_and_smplx_joints():
    from posegen.body import embedded_body

    rotations = random_rotations(seed=5)
    joints, _ = forward_kinematics(rotations)
    np.testing.assert_allclose(joints.numpy(), embedded_body().joints(rotations.numpy()), atol=2e-3)
