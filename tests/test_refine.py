"""Refinement: poses move onto the landmarks, within what the lifter was sure of."""

import roma
import torch

from posegen.camera import FOCAL
from posegen.head import Lifter
from posegen.photo import LIMB_LANDMARKS, mirror_landmarks
from posegen.refine import bent_knees, lift, refine, translations, unbalanced, with_legs
from posegen.skeleton import INDEX, LIMBS, MOVING, forward_kinematics, mirror

FRAME = torch.tensor([600.0, 800.0])


def people(n=3, seed=0):
    """Poses (n, 24, 3, 3), where they stand, and the pixels (n, 33, 2) of their limb joints."""
    generator = torch.Generator().manual_seed(seed)
    rotations = roma.rotvec_to_rotmat(0.3 * torch.randn(n, 24, 3, generator=generator))
    joints = forward_kinematics(rotations)[0][:, list(LIMBS)]
    place = torch.tensor([0.2, 0.1, -4.0])
    return rotations, place, pixels_of(joints + place)


def pixels_of(points):
    """(n, 33, 2) where limb joints (n, 12, 3) in the camera frame are seen; zeros for the other landmarks."""
    pixels = torch.zeros(len(points), 33, 2)
    flat = points[..., :2] / -points[..., 2:] * FOCAL * FRAME.max()
    pixels[:, list(LIMB_LANDMARKS)] = flat * torch.tensor([1.0, -1.0]) + FRAME / 2
    return pixels


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


def test_a_right_pose_stays_right_where_nothing_is_believed_about_knees_and_balance(monkeypatch):
    monkeypatch.setattr("posegen.refine.STRAIGHT_WEIGHT", 0)
    monkeypatch.setattr("posegen.refine.BALANCE_WEIGHT", 0)
    rotations, _, pixels = people(seed=1)
    kept = refine(rotations, torch.full((3, 3 * len(MOVING)), -1.5), pixels, torch.ones(3, 33), FRAME)
    assert distance(kept, rotations) < 0.01


def posed(**turns):
    """Rotations (1, 24, 3, 3) and limb joints (1, 12, 3) of someone turned about X at joints by so many degrees."""
    rotations = torch.eye(3).repeat(1, 24, 1, 1)
    for name, degrees in turns.items():
        rotations[:, INDEX[name]] = roma.rotvec_to_rotmat(torch.tensor([degrees / 57.3, 0.0, 0.0]))
    return rotations, forward_kinematics(rotations)[0][:, list(LIMBS)]


def with_knees(degrees):
    """One standing person with knees bent by so much, as `posed`."""
    return posed(left_knee=degrees, right_knee=degrees)


def test_slightly_bent_knees_are_straightened_and_plainly_bent_ones_are_left():
    penalty = torch.stack([bent_knees(with_knees(d)[1])[0] for d in (0, 20, 40, 60, 80, 100)])
    assert penalty[0].max() < 0.3 and (penalty.diff(dim=0) > 0).all()
    assert (penalty[5] - penalty[4] < 0.5 * (penalty[1] - penalty[0])).all()
    changes = []
    for degrees in (15, 80):
        rotations, joints = with_knees(degrees)
        pixels = pixels_of(joints + torch.tensor([0.0, 0.0, -5.0]))
        log_std = torch.full((1, 3 * len(MOVING)), -1.5)
        after = forward_kinematics(refine(rotations, log_std, pixels, torch.ones(1, 33), FRAME))[0][:, list(LIMBS)]
        bends = [2 * (1 - bent_cosine(j)) for j in (joints, after)]
        changes.append(((bends[1].sqrt() - bends[0].sqrt()) * 57.3).mean().item())
    assert changes[0] < -3 and abs(changes[1]) < 0.4 * abs(changes[0])


def bent_cosine(joints):
    return torch.cosine_similarity(joints[:, 8:10] - joints[:, 6:8], joints[:, 10:12] - joints[:, 8:10], dim=-1)


def test_short_legs_are_taken_for_short_and_not_for_tilted(monkeypatch):
    """Someone with legs shorter by 10%, seen straight from the front, stays upright."""
    rotations, joints = with_knees(0)
    short = with_legs(joints, torch.full((1, 2), 0.9))
    torch.testing.assert_close(short[:, 8:10] - short[:, 6:8], 0.9 * (joints[:, 8:10] - joints[:, 6:8]))
    torch.testing.assert_close(short[:, 10:] - short[:, 6:8], 0.9 * (joints[:, 10:] - joints[:, 6:8]))
    assert torch.equal(short[:, :8], joints[:, :8])
    pixels = pixels_of(short + torch.tensor([0.0, 0.0, -5.0]))

    def tilted(leg_std):
        monkeypatch.setattr("posegen.refine.LEG_STD", leg_std)
        after = refine(rotations, torch.full((1, 3 * len(MOVING)), -2.5), pixels, torch.ones(1, 33), FRAME)
        legs = [j[:, 10:] - j[:, 6:8] for j in (joints, forward_kinematics(after)[0][:, list(LIMBS)])]
        return (legs[1] - legs[0])[..., 2].abs().mean()

    monkeypatch.setattr("posegen.refine.STRAIGHT_WEIGHT", 0)
    monkeypatch.setattr("posegen.refine.BALANCE_WEIGHT", 0)
    assert tilted(0.1) < 0.6 * tilted(0.0)


STRIDE = {"left_hip": -25, "right_hip": 25}
SEATED = {"left_hip": -90, "right_hip": -90, "left_knee": 90, "right_knee": 90}


def test_straight_bodies_are_believed_not_to_fall_over():
    upright, slight, falling = (unbalanced(posed(pelvis=degrees)[1]).item() for degrees in (0, 10, 20))
    assert upright < 0.1 * falling and upright < slight < falling
    assert unbalanced(posed(pelvis=-20)[1]) > 5 * upright  # backwards too
    step = {"left_hip": -15, "right_hip": 15, "pelvis": 10}
    assert unbalanced(posed(**step)[1]) < 0.25 * slight  # between the feet
    lying, bowing = {"pelvis": 85}, {"left_hip": -60, "right_hip": -60, "pelvis": 60}
    lunging = {"left_hip": -80, "left_knee": 80, "right_hip": 20, "right_knee": 50}
    for pose in (lying, bowing, SEATED, lunging):
        assert unbalanced(posed(**pose)[1]) < 0.05 * falling


def test_balance_is_not_found_by_a_wider_stride():
    joints = posed(**STRIDE, pelvis=25)[1].requires_grad_()
    unbalanced(joints).sum().backward()
    left, right = joints.grad[0, 10:]
    assert left.norm() > 0 and torch.allclose(left, right)


def test_who_leans_as_a_whole_is_put_upright_and_who_sits_is_left(monkeypatch):
    def lean(balance, **turns):
        """Metres from ankles to shoulders in depth after refining, and the pose."""
        monkeypatch.setattr("posegen.refine.BALANCE_WEIGHT", balance)
        rotations, joints = posed(**turns)
        pixels = pixels_of(joints + torch.tensor([0.0, 0.0, -5.0]))
        log_std = torch.full((1, 3 * len(MOVING)), -1.5)
        after = refine(rotations, log_std, pixels, torch.ones(1, 33), FRAME)
        joints = forward_kinematics(after)[0][:, list(LIMBS)]
        return (joints[:, :2].mean(1) - joints[:, 10:].mean(1))[0, 2], after

    assert lean(4.0, pelvis=15)[0] < 0.7 * lean(0.0, pelvis=15)[0]
    assert distance(lean(4.0, **SEATED)[1], lean(0.0, **SEATED)[1]) < 0.002


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
