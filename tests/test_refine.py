"""Refinement: poses move onto the landmarks, within what the lifter was sure of."""

import roma
import torch

from posegen.camera import FOCAL
from posegen.head import Lifter
from posegen.photo import LIMB_LANDMARKS, mirror_landmarks
from posegen.refine import bent_knees, lift, refine, translations
from posegen.skeleton import INDEX, LIMBS, MOVING, forward_kinematics, mirror

FRAME = torch.tensor([600.0, 800.0])


def people(n=3, seed=0):
    """Poses (n, 24, 3, 3), where they stand, and the pixels (n, 33, 2) of their limb joints."""
    generator = torch.Generator().manual_seed(seed)
    rotations = roma.rotvec_to_rotmat(0.3 * torch.randn(n, 24, 3, generator=generator))
    joints = forward_kinematics(rotations)[0][:, list(LIMBS)]
    place = torch.tensor([0.2, 0.1, -4.0])
    points = joints + place
    pixels = torch.zeros(n, 33, 2)
    flat = points[..., :2] / -points[..., 2:] * FOCAL * FRAME.max()
    pixels[:, list(LIMB_LANDMARKS)] = flat * torch.tensor([1.0, -1.0]) + FRAME / 2
    return rotations, place, pixels


def test_translations_are_found_exactly():
    rotations, place, pixels = people()
    joints = forward_kinematics(rotations)[0][:, list(LIMBS)]
    seen = (pixels[:, list(LIMB_LANDMARKS)] - FRAME / 2) * torch.tensor([1.0, -1.0]) / (FOCAL * FRAME.max())
    torch.testing.assert_close(translations(joints, seen, torch.ones(3, 12)), place.expand(3, 3), atol=1e-2, rtol=0)


def bent(rotations, degrees=25):
    """The same poses with the left elbow and the right knee turned about the camera's axis."""
    turn = roma.rotvec_to_rotmat(torch.tensor([0.0, 0.0, degrees / 57.3]))
    out = rotations.clone()
    for name in ("left_shoulder", "right_hip"):
        out[:, INDEX[name]] = turn @ out[:, INDEX[name]]
    return out


def distance(a, b):
    return (forward_kinematics(a)[0] - forward_kinematics(b)[0])[:, list(LIMBS)].norm(dim=-1).mean()


def test_an_unsure_pose_moves_to_where_it_is_seen_and_a_sure_one_stays():
    rotations, _, pixels = people()
    wrong = bent(rotations)
    unsure = refine(wrong, torch.full((3, 3 * len(MOVING)), -1.0), pixels, torch.ones(3, 33), FRAME)
    sure = refine(wrong, torch.full((3, 3 * len(MOVING)), -5.0), pixels, torch.ones(3, 33), FRAME)
    assert distance(unsure, rotations) < 0.6 * distance(wrong, rotations)
    assert distance(sure, wrong) < 0.2 * distance(wrong, rotations)


def test_a_right_pose_stays_right_where_nothing_is_believed_about_knees(monkeypatch):
    monkeypatch.setattr("posegen.refine.STRAIGHT_WEIGHT", 0)
    rotations, _, pixels = people(seed=1)
    kept = refine(rotations, torch.full((3, 3 * len(MOVING)), -1.5), pixels, torch.ones(3, 33), FRAME)
    assert distance(kept, rotations) < 0.01


def with_knees(degrees):
    """One standing person with knees bent by so much, limb joints (1, 12, 3)."""
    turn = roma.rotvec_to_rotmat(torch.tensor([degrees / 57.3, 0.0, 0.0]))
    rotations = torch.eye(3).repeat(1, 24, 1, 1)
    rotations[:, [INDEX["left_knee"], INDEX["right_knee"]]] = turn
    return rotations, forward_kinematics(rotations)[0][:, list(LIMBS)]


def test_slightly_bent_knees_are_straightened_and_plainly_bent_ones_are_left():
    penalty = torch.stack([bent_knees(with_knees(d)[1])[0] for d in (0, 20, 40, 60, 80, 100)])
    assert penalty[0].max() < 0.3 and (penalty.diff(dim=0) > 0).all()
    assert (penalty[5] - penalty[4] < 0.5 * (penalty[1] - penalty[0])).all()
    changes = []
    for degrees in (15, 80):
        rotations, joints = with_knees(degrees)
        points = joints + torch.tensor([0.0, 0.0, -5.0])
        pixels = torch.zeros(1, 33, 2)
        flat = points[..., :2] / -points[..., 2:] * FOCAL * FRAME.max() * torch.tensor([1.0, -1.0])
        pixels[:, list(LIMB_LANDMARKS)] = flat + FRAME / 2
        log_std = torch.full((1, 3 * len(MOVING)), -1.5)
        after = forward_kinematics(refine(rotations, log_std, pixels, torch.ones(1, 33), FRAME))[0][:, list(LIMBS)]
        bends = [2 * (1 - bent_cosine(j)) for j in (joints, after)]
        changes.append(((bends[1].sqrt() - bends[0].sqrt()) * 57.3).mean().item())
    assert changes[0] < -3 and abs(changes[1]) < 0.4 * abs(changes[0])


def bent_cosine(joints):
    return torch.cosine_similarity(joints[:, 8:10] - joints[:, 6:8], joints[:, 10:12] - joints[:, 8:10], dim=-1)


def test_a_mirrored_photo_gives_the_mirrored_pose():
    torch.manual_seed(0)
    lifter = Lifter(201, width=32, depth=1).eval()
    torch.nn.init.normal_(lifter.net.leave.weight, std=0.05)
    _, _, pixels = people(2, seed=3)
    world = 0.4 * torch.randn(2, 33, 3, generator=torch.Generator().manual_seed(4))
    given = (pixels.numpy(), world.numpy(), torch.rand(2, 33).numpy(), FRAME.numpy())
    poses = [lift(lifter, *g).chart for g in (given, (*mirror_landmarks(*given), FRAME.numpy()))]
    back = roma.rotvec_to_rotmat(mirror(roma.rotmat_to_rotvec(poses[1])))
    assert distance(back, poses[0]) < 0.01 < 0.2 < distance(poses[1], poses[0])
