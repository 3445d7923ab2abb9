"""Figures of photos on made-up people: joint errors, knees, lean, and what an interval holds."""

import numpy as np
import pytest
import roma
import torch
from scipy.spatial import procrustes
from scipy.spatial.transform import Rotation

from finetune import photo_evaluation
from posegen.distribution import DIM
from posegen.head import around
from posegen.skeleton import INDEX, forward_kinematics


def turned(rotations, joint, degrees, axis=0):
    """The same poses (N, 24, 3, 3) with a joint turned about an axis of its own."""
    vector = torch.zeros(3)
    vector[axis] = np.radians(degrees)
    out = rotations.clone()
    out[:, INDEX[joint]] = out[:, INDEX[joint]] @ roma.rotvec_to_rotmat(vector)
    return out


def standing(n=4):
    return torch.eye(3).repeat(n, 24, 1, 1)


def test_pa_error_ignores_similarity_and_equals_scipys_procrustes():
    rng = np.random.default_rng(0)
    truth = rng.normal(size=(5, 12, 3))
    moved = 1.7 * truth @ Rotation.random(random_state=0).as_matrix().T + 3
    assert photo_evaluation.pa_errors(moved, truth).max() < 1e-6
    noisy = moved + rng.normal(0, 0.2, truth.shape)
    for got, a, b in zip(photo_evaluation.pa_errors(noisy, truth), noisy, truth, strict=True):
        # scipy standardises both; undo its scale on the truth
        reference, fitted, _ = procrustes(b, a)
        scale = np.linalg.norm(b - b.mean(0))
        assert got == pytest.approx(scale * np.linalg.norm(reference - fitted, axis=1).mean(), rel=1e-6)


def test_pa_alignment_does_not_mirror():
    truth = np.random.default_rng(1).normal(size=(1, 12, 3))
    assert photo_evaluation.pa_errors(truth * (-1, 1, 1), truth).max() > 0.1


def test_root_error_ignores_where_the_person_stands():
    truth = np.random.default_rng(2).normal(size=(4, 12, 3))
    assert photo_evaluation.root_errors(truth + 5, truth).max() < 1e-9
    wrong = truth.copy()
    wrong[:, 0, 0] += 1.2
    np.testing.assert_allclose(photo_evaluation.root_errors(wrong, truth), 0.1)


def test_knee_bends_are_the_angles_that_knees_were_bent_by():
    bends = [
        photo_evaluation.knee_bends(forward_kinematics(turned(standing(1), "left_knee", d))[0])[0] for d in (30, 80)
    ]
    assert (bends[1] - bends[0])[0] == pytest.approx(50, abs=1) and bends[0][0] == pytest.approx(30, abs=5)
    assert (bends[1] - bends[0])[1] == pytest.approx(0, abs=0.1) and bends[0][1] < 8  # the rest pose's own


@pytest.mark.parametrize("yaw", [0, 90, 200])
def test_lean_is_signed_towards_the_front_whichever_way_people_face(yaw):
    upright = turned(standing(1), "pelvis", yaw, axis=1)
    joints = forward_kinematics(upright)[0]
    front = photo_evaluation.facing(joints)
    for degrees in (-12, 9):
        leaning = forward_kinematics(turned(upright, "pelvis", degrees))[0]
        error = photo_evaluation.lean(leaning, front) - photo_evaluation.lean(joints, front)
        assert error.item() == pytest.approx(degrees, abs=0.1)


def test_posture_errors_are_means_over_those_who_stand_straight():
    truth = standing(6)
    truth[4:] = turned(turned(truth[4:], "left_knee", 60), "pelvis", 50)  # neither straight-legged nor upright
    guess = turned(truth, "pelvis", 6)
    guess[:2] = turned(turned(guess[:2], "left_knee", 20), "right_knee", 20)
    guess[4:] = turned(guess[4:], "left_knee", 40)
    figures = photo_evaluation.posture(guess, truth)
    assert figures["straight_legged"] == figures["upright"] == 4
    assert figures["straight_knee_bend"] == pytest.approx(9, abs=1)
    assert figures["lean_forward"] == figures["lean_to_camera"] == pytest.approx(6, abs=0.2)


def test_only_those_on_straight_upright_legs_stand():
    poses = standing(5)
    poses[1:2] = turned(poses[1:2], "left_knee", 40)
    poses[2:3] = turned(poses[2:3], "pelvis", 35)
    poses[3:4] = turned(poses[3:4], "right_hip", -60)  # a kick
    poses[4:5] = turned(poses[4:5], "left_shoulder", 90)
    assert photo_evaluation.stands_straight(forward_kinematics(poses)[0]).tolist() == [True, False, False, False, True]


def test_intervals_hold_what_they_say_only_where_the_spread_is_true():
    n, log_std = 500, torch.full((500, DIM), -2.0)
    true = around(standing(n), log_std)
    truth = true.rotations(true.sample(1, 1.0, torch.Generator().manual_seed(1)))[:, 0]
    figures = photo_evaluation.calibration(true, truth)
    assert figures["joints_inside"] == pytest.approx(68.3, abs=3)
    assert figures["angles_inside"] == pytest.approx(68.3, abs=2)
    narrow, wide = (photo_evaluation.calibration(around(standing(n), log_std + k), truth) for k in (-0.7, 0.7))
    assert narrow["joints_inside"] < 45 and wide["joints_inside"] > 88
    assert narrow["angles_inside"] < 45 and wide["angles_inside"] > 90
    assert narrow["joint_error"] == figures["joint_error"] and narrow["joint_radius"] < figures["joint_radius"]


def test_table_shows_every_figure():
    errors = {"pa_mpjpe": 50.1, "mpjpe": 80.2}
    posture = {
        "straight_legged": 7, "straight_knee_bend": 1.5, "upright": 9, "lean_forward": -0.4, "lean_to_camera": 0.3
    }  # fmt: skip
    text = "\n".join(
        photo_evaluation.table({
            "renders": 500, "policy": errors, "blazepose": errors, "blazepose_read_twice": errors,
            "pa_mpjpe_ratio": 1.0, "mpjpe_ratio": 1.0, "posture": posture, "posture_standing": posture,
            "calibration": {"joints_inside": 68.0, "angles_inside": 67.0, "joint_error": 60.0, "joint_radius": 61.0},
            "uncertainty_spearman": 0.6,
        })
    )  # fmt: skip
    for figure in ("50.1", "80.2", "+1.5", "-0.4", "+0.3", "68.0 %", "67.0 %", "0.6."):
        assert figure in text
