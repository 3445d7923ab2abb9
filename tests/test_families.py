"""Parametric pose families: plausible, varied, true to their names, reproducible."""

import re

import numpy as np
import pytest
import roma
import torch

from finetune.data import families
from finetune.data.families import ARMS, BOTH, LEGS, ONE, plausible, sample
from posegen.posecodes import INDEX, NAMES, STATEMENTS, scores
from posegen.skeleton import INDEX as JOINT
from posegen.skeleton import forward_kinematics, remove_yaw


@pytest.fixture(scope="module")
def poses():
    return sample(1500, seed=1)


def test_shapes(poses):
    n = 1500
    assert poses.axis_angle.shape == (n, 24, 3) and poses.axis_angle.dtype == np.float32
    assert len(poses.leg_family) == len(poses.arm_family) == len(poses.names) == n
    assert np.isfinite(poses.axis_angle).all()
    assert (poses.axis_angle[:, [10, 11, 22, 23]] == 0).all()


def test_every_family_and_both_sides(poses):
    found = set(poses.leg_family)
    for name, family in LEGS.items():
        sides = {f"{name}_left", f"{name}_right"} if family.right or family.roll != families.ANY else {name}
        assert sides <= found, sides - found
    arms = {mode for pair in poses.arm_family for mode in pair.split("|")}
    assert set(BOTH) | set(ONE) <= arms | {"foot"}


def test_tables_name_what_exists():
    for family in LEGS.values():
        families._indices(family.needs)
        assert all({a, b} <= set(ARMS) for _, a, b in family.arms)
    for names in [*BOTH.values(), *ONE.values(), *(f.names for f in LEGS.values())]:
        for text, statements in names:
            assert text and families._indices(statements) is not None
    assert set(BOTH) | set(ONE) <= set(ARMS)


def test_poses_are_plausible(poses):
    assert plausible(poses.axis_angle).mean() > 0.99


def test_the_facing_is_taken_out(poses):
    turned = remove_yaw(torch.from_numpy(poses.axis_angle)).numpy()
    near = np.linalg.norm(poses.axis_angle[:, 0], axis=1) < 3.0
    np.testing.assert_allclose(turned[near], poses.axis_angle[near], atol=1e-3)


def test_names_are_true(poses):
    row = scores(roma.rotvec_to_rotmat(torch.from_numpy(poses.axis_angle)))
    for tags, score in zip(poses.names, row, strict=True):
        for tag in tags:
            assert (score[list(tag.statements)] >= 0).all(), tag


def test_most_poses_have_names_that_fit_their_sides(poses):
    assert np.mean([len(tags) > 0 for tags in poses.names]) > 0.85
    for tags in poses.names:
        for tag in tags:
            said = set(re.findall(r"\b(left|right)\b", tag.text))
            sides = {STATEMENTS[i].side for i in tag.statements} - {""}
            assert not said or not sides or said & sides, tag
            assert said or sides in (set(), {"left", "right"}, {"right"}), tag


def test_variation_within_a_family(poses):
    p = poses.axis_angle[poses.leg_family == "squat"]
    positions = forward_kinematics(roma.rotvec_to_rotmat(torch.from_numpy(p)))[0]
    assert positions[:, 0, 1].std() == 0 and (positions[:, 0, 1] - positions[:, 7, 1]).std() > 0.04


def test_same_seed_same_poses():
    a, b, c = sample(60, 7), sample(60, 7), sample(60, 8)
    np.testing.assert_array_equal(a.axis_angle, b.axis_angle)
    assert a.names == b.names and not np.array_equal(a.axis_angle, c.axis_angle)


def _with(**joints):
    out = np.zeros((1, 24, 3), np.float32)
    for joint, value in joints.items():
        out[0, JOINT[joint]] = np.radians(value)
    return out


@pytest.mark.parametrize(
    "joints",
    [
        dict(left_elbow=(0, 60, 0)),  # bends the wrong way
        dict(right_knee=(-40, 0, 0)),
        dict(left_knee=(170, 0, 0)),
        dict(left_shoulder=(0, -120, -30), left_elbow=(0, -110, 0)),  # the forearm inside the chest
        dict(left_hip=(0, 0, -25), right_hip=(0, 0, 25)),  # the legs through each other
    ],
)
def test_implausible_poses_are_refused(joints):
    assert plausible(_with())[0]
    assert not plausible(_with(**joints))[0]


def test_reach_puts_the_hand_on_its_target():
    rng = np.random.default_rng(0)
    pose = np.zeros((50, 24, 3))
    for side in (0, 1):
        p, g = families._kinematics(pose)
        out = np.array([1.0 - 2 * side, 1, 1])
        target = p[:, 16 + side] + rng.uniform(0.18, 0.3, (50, 3)) * out
        families._reach(pose, p, g, side, target, np.tile([out[0], -1.0, 0], (50, 1)), np.zeros(50, bool))
        np.testing.assert_allclose(families._kinematics(pose)[0][:, 22 + side], target, atol=2e-3)


def test_names_swap_sides():
    assert families._swap("left hand on the right shoulder") == "right hand on the left shoulder"
    assert families._swap("left_elbow_right_angle") == "right_elbow_right_angle"
    assert families._swap("standing upright") == "standing upright"
    assert INDEX[families._swap(NAMES[0])] == INDEX[NAMES[1]]
