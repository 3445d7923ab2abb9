"""Refinement: poses move onto the landmarks, within what the lifter was sure of."""

import roma
import torch

from posegen.camera import FOCAL
from posegen.photo import LIMB_LANDMARKS
from posegen.refine import refine, translations
from posegen.skeleton import INDEX, LIMBS, MOVING, forward_kinematics

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


def test_a_right_pose_stays_right():
    rotations, _, pixels = people(seed=1)
    kept = refine(rotations, torch.full((3, 3 * len(MOVING)), -1.5), pixels, torch.ones(3, 33), FRAME)
    assert distance(kept, rotations) < 0.01
