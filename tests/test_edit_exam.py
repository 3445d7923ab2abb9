"""The exam for edits can be passed, and cannot be passed by doing nothing, too much, or the other side."""

from collections import Counter
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from finetune.edits import EDITS, LIMBS, STARTS, Edit, examine, judge, lines, turned
from posegen.pose import Pose, PoseError
from posegen.skeleton import MIRROR, mirror

ON_HIP = {"shoulder": (10, 0, -48), "elbow": (0, -50, -85)}
STAND = {"hip": (0, 0, 2), "knee": (0, 0, 0)}

#: A right edit of each entry, by hand: joints set, in degrees (see `turned`).
RIGHT = {
    "raise your left arm": {"left_shoulder": (0, 0, 20)},
    "can you lift the right arm up to shoulder height?": {"right_shoulder": (0, 0, 5)},
    "lower both arms a little": {"shoulder": (0, 0, -25)},
    "bend the left elbow to a right angle": {"left_elbow": (0, -90, 0)},
    "spread your arms wider apart": {"shoulder": (0, -50, 0)},
    "put your right hand on your hip": {"right_shoulder": (10, 0, 48), "right_elbow": (0, 50, 85)},
    "wave with your right hand": {"right_shoulder": (0, 0, 10), "right_elbow": (0, 0, -80)},
    "put your arms back down by your sides": {"collar": (0, 0, 0), "shoulder": (0, 0, -72)},
    "left hand behind the head": {"left_shoulder": (16, 47, 39), "left_elbow": (0, -52, 154)},
    "straighten your right arm": {"right_elbow": (0, 10, 0)},
    "lift your right knee up": {"right_hip": (-70, 0, 0), "right_knee": (80, 0, 0)},
    "bend your knees a bit": {"hip": (-15, 0, 0), "knee": (30, 0, 0), "ankle": (-15, 0, 0)},
    "spread your legs wider": {"hip": (0, 0, 18)},
    "bring your feet together": STAND,
    "straighten the left leg out in front of you": {"left_knee": (10, 0, 0)},
    "kick your left leg forward": {"left_hip": (-45, 0, 0)},
    "raise the right leg off the floor": {"right_hip": (-40, 0, 0)},
    "take a step forward with your right foot": {"right_hip": (-25, 0, 0), "left_hip": (15, 0, 0)},
    "come up a bit, don't squat so low": {"hip": (-95, 10, 15), "knee": (85, 0, 0), "ankle": (-15, 0, 0)},
    "cross your right leg over your left": {"right_hip": (-105, 0, 27), "right_knee": (75, 0, 0)},
    "turn your head to the left": {"neck": (0, 20, 0), "head": (0, 20, 0)},
    "look up at the ceiling": {"neck": (-25, 0, 0), "head": (-30, 0, 0)},
    "look down a bit": {"neck": (10, 0, 0), "head": (10, 0, 0)},
    "tilt your head towards your right shoulder": {"neck": (0, 0, 12), "head": (0, 0, 12)},
    "look straight ahead again": {"neck": (0, 0, 0), "head": (0, 0, 0)},
    "lean forward": {"pelvis": (30, 0, 0), "hip": (-30, 0, 0)},
    "lean back a little": {"spine1": (-8, 0, 0), "spine2": (-8, 0, 0), "spine3": (-8, 0, 0)},
    "twist your upper body to the right": {"spine1": (0, -12, 0), "spine2": (0, -12, 0), "spine3": (0, -12, 0)},
    "bend sideways to the left": {"spine1": (0, 0, -12), "spine2": (0, 0, -12), "spine3": (0, 0, -10)},
    "look back over your right shoulder": {"spine3": (0, -20, 0), "neck": (0, -30, 0), "head": (0, -30, 0)},
    "sit down on a chair": {"hip": (-85, 0, 0), "knee": (85, 0, 0)},
    "now stand up": STAND,
    "go down on your right knee but leave the arms as they are": {
        "left_hip": (-88, 0, 0), "left_knee": (88, 0, 0), "right_knee": (90, 0, 0), "right_ankle": (40, 0, 0)
    },
    "crouch down, keep your arms out to the sides": {
        "pelvis": (20, 0, 0), "hip": (-90, 10, 10), "knee": (100, 0, 0), "ankle": (-25, 0, 0)
    },
    "raise both arms over your head and lift the left knee": {
        "collar": (0, 0, 15), "shoulder": (0, 0, 65), "left_hip": (-70, 0, 0), "left_knee": (80, 0, 0)
    },
    "hands on hips and feet wide apart": {**ON_HIP, "hip": (0, 0, 20)},
    "sit up": {"pelvis": (-10, 0, 0), "hip": (-80, 0, 0)},
    "bend over and touch your toes": {
        "pelvis": (60, 0, 0), "hip": (-60, 0, 0), "spine1": (25, 0, 0), "spine2": (25, 0, 0), "spine3": (20, 0, 0),
        "shoulder": (-130, 0, -80), "elbow": (0, 0, 0),
    },
    "lie down on your back": {"pelvis": (-90, 0, 0)},
    "lower the right arm and look to the left": {
        "right_collar": (0, 0, 0), "right_shoulder": (0, 0, 72), "neck": (0, 20, 0), "head": (0, 20, 0)
    },
}  # fmt: skip
SIDED = [edit for edit in EDITS if "left" in edit.text or "right" in edit.text.replace("right angle", "")]

of_each = pytest.mark.parametrize("edit", EDITS, ids=lambda edit: edit.text)


def right(edit: Edit) -> np.ndarray:
    return turned(STARTS[edit.start], **RIGHT[edit.text])


def mirrored(rotations: np.ndarray) -> np.ndarray:
    return Pose.from_axis_angle(mirror(torch.from_numpy(Pose(rotations).axis_angle))).rotations


def shaken(rotations: np.ndarray, joints, degrees: float) -> np.ndarray:
    """Each of some joints turned by so much, about axes drawn with a fixed seed."""
    axes = np.random.default_rng(0).normal(size=(24, 3))
    axes /= np.linalg.norm(axes, axis=1, keepdims=True)
    mask = np.isin(np.arange(24), list(joints))[:, None]
    return rotations @ Pose.from_axis_angle(np.radians(degrees) * axes * mask).rotations


def test_the_exam_is_forty_entries_ten_an_area_of_many_starts():
    assert Counter(edit.area for edit in EDITS) == {"arms": 10, "legs": 10, "head and torso": 10, "posture": 10}
    assert len({edit.text for edit in EDITS}) == 40 and len(SIDED) == 21
    assert {edit.start for edit in EDITS} == set(STARTS)
    assert set(RIGHT) == {edit.text for edit in EDITS}
    assert sorted(j for joints in LIMBS.values() for j in joints) == [j for j in range(24) if j not in (10, 11, 22, 23)]


@of_each
def test_a_right_edit_by_hand_passes(edit):
    answer = judge(edit, right(edit))
    assert answer.passed and answer.passed_together, answer


@of_each
def test_the_unedited_pose_fails(edit):
    answer = judge(edit, STARTS[edit.start])
    assert not answer.directed and all(degrees < 0.1 for degrees in answer.turned.values())


@pytest.mark.parametrize("edit", SIDED, ids=lambda edit: edit.text)
def test_the_other_side_fails(edit):
    start, good = STARTS[edit.start], right(edit)
    wrong, image = start.copy(), mirrored(good)
    for j in np.flatnonzero(np.abs(good - start).max((1, 2)) > 1e-6):
        wrong[MIRROR[j]] = image[MIRROR[j]]
    assert np.abs(wrong - good).max() > 0.1
    assert not judge(edit, wrong).directed


@of_each
def test_a_right_edit_with_all_else_moved_fails(edit):
    kept = [j for limb in edit.kept for j in LIMBS[limb]]
    answer = judge(edit, shaken(right(edit), kept, 25))
    assert answer.turned == pytest.approx(dict.fromkeys(edit.kept, 25), abs=1e-2)
    assert not kept or not (answer.passed or answer.passed_together)
    assert judge(edit, shaken(right(edit), kept, 5)).turned == pytest.approx(dict.fromkeys(edit.kept, 5), abs=1e-2)


@of_each
def test_a_pose_where_everything_moved_fails(edit):
    assert not judge(edit, shaken(STARTS[edit.start], range(24), 70)).passed
    assert not judge(edit, shaken(right(edit), range(24), 70)).passed


def test_a_whole_other_limb_that_moves_is_seen_even_where_the_mean_over_all_hides_it():
    edit = EDITS[0]
    answer = judge(edit, turned(STARTS["standing"], shoulder=(0, 0, 20)))  # both arms, though the left was named
    assert answer.directed and answer.passed_together and not answer.passed
    assert answer.turned["right arm"] == pytest.approx(92 / 4, abs=0.01)


def test_a_bit_has_an_upper_limit():
    by_text = {edit.text: edit for edit in EDITS}
    for text, far in {
        "lower both arms a little": {"shoulder": (0, 0, -80)},
        "bend your knees a bit": {"hip": (-90, 0, 0), "knee": (100, 0, 0)},
        "look down a bit": {"neck": (35, 0, 0), "head": (35, 0, 0)},
        "lean back a little": {"pelvis": (-60, 0, 0), "hip": (-25, 0, 0)},
        "come up a bit, don't squat so low": {"pelvis": (0, 0, 0), "hip": (0, 0, 2), "knee": (0, 0, 0)},
    }.items():
        assert not judge(by_text[text], turned(STARTS[by_text[text].start], **far)).directed, text


class ByHand:
    """A stand-in for a policy, which edits as a function of the entry does."""

    def __init__(self, edited):
        self.edited, self.seen = edited, []

    def edit(self, pose, instruction):
        entry = next(edit for edit in EDITS if edit.text == instruction)
        assert np.array_equal(pose.rotations, STARTS[entry.start])
        self.seen.append(instruction)
        return [SimpleNamespace(pose=Pose(self.edited(entry)))]


def test_examine_asks_all_and_counts_a_refusal_as_a_fail():
    def edited(edit):
        if edit.area == "legs":
            raise PoseError("Not understood.")
        return right(edit) if edit.area != "arms" else STARTS[edit.start]

    policy = ByHand(edited)
    answers = examine(policy, seed=0)
    assert policy.seen == [edit.text for edit in EDITS]
    assert Counter(answer.edit.area for answer in answers if answer.passed) == {"head and torso": 10, "posture": 10}
    assert {a.refused for a in answers if a.edit.area == "legs"} == {"Not understood."}


def test_starts_and_hand_edits_are_poses():
    for rotations in (*STARTS.values(), *(right(edit) for edit in EDITS)):
        assert rotations.shape == (24, 3, 3) and rotations.dtype == np.float32
        assert np.abs(rotations @ rotations.swapaxes(1, 2) - np.eye(3)).max() < 1e-5


def test_the_report_counts_by_area_and_keeps_the_instructions_to_itself():
    answers = examine(ByHand(lambda edit: right(edit) if edit.area == "arms" else STARTS[edit.start]))
    told = "\n".join(lines(answers))
    assert "arms: 10 of 10 = 100.0 % (95 % interval 69.2 to 100.0)" in told
    assert "legs: 0 of 10 = 0.0 % (95 % interval 0.0 to 30.8)" in told
    assert "all: 10 of 40 = 25.0 %" in told
    assert not any(edit.text in told for edit in EDITS)
    shown = "\n".join(lines(answers, show=True))
    assert all(edit.text in shown for edit in EDITS) and shown.count("FAIL") == 30
