"""Edits: what instructions are read as, and what they do to bodies, by geometry."""

import math

import numpy as np
import pytest
import roma
import torch

from posegen import Pose, posecodes
from posegen.edit import EditError, edit
from posegen.export import write_bvh
from posegen.goals import Body, hinge, implausible, toward
from posegen.instruction import LEFT, RIGHT, Change, parse
from posegen.policy import PromptError
from posegen.pose import PoseError
from posegen.pose_file import load_bvh, load_pose
from posegen.skeleton import INDEX, forward_kinematics

BOTH = (LEFT, RIGHT)
LIMBS = {
    "left arm": [13, 16, 18, 20], "right arm": [14, 17, 19, 21], "left leg": [1, 4, 7], "right leg": [2, 5, 8],
    "torso": [3, 6, 9], "head": [12, 15],
}  # fmt: skip


# ---------------------------------------------------------------------------------------------------- the words


@pytest.mark.parametrize(
    ("text", "verb", "part", "sides", "directions"),
    [
        ("raise the left arm", "raise", "arm", (LEFT,), ()),
        ("Lift your RIGHT leg.", "raise", "leg", (RIGHT,), ()),
        ("put both arms up", "raise", "arm", BOTH, ("up",)),
        ("lower both arms", "lower", "arm", BOTH, ()),
        ("bend the knees", "bend", "knee", BOTH, ()),
        ("make the left knee more bent", "bend", "knee", (LEFT,), ()),
        ("make the left arm straighter", "straighten", "arm", (LEFT,), ()),
        ("turn the head left", "turn", "head", (), ("left",)),
        ("twist your upper body to the right", "twist", "torso", (), ("right",)),
        ("spread the legs", "spread", "leg", BOTH, ()),
        ("bring the feet closer", "close", "foot", BOTH, ()),
        ("step forward with the right foot", "step", "foot", (RIGHT,), ("forward",)),
        ("move the left hand back", "move", "hand", (LEFT,), ("back",)),
        ("stretch the left arm out to the side", "stretch", "arm", (LEFT,), ("out",)),
        ("straighten your back", "straighten", "back", (), ()),
        ("lower the lower left arm", "lower", "arm", (LEFT,), ()),
        ("bend the left forearm up", "bend", "forearm", (LEFT,), ("up",)),
    ],
)
def test_one_clause(text, verb, part, sides, directions):
    (change,) = parse(text)
    assert (change.verb, change.part, change.sides, change.directions) == (verb, part, sides, directions)


def test_amounts_and_numbers():
    assert [parse(t)[0].amount for t in ("raise the left arm", "raise the left arm a little bit")] == [1.0, 0.4]
    assert parse("bend the left knee a lot")[0].amount > 1 > parse("bend the left knee more")[0].amount
    assert parse("raise the left arm all the way")[0].full
    assert (parse("bend the left elbow by 40 degrees")[0].degrees, parse("bend it by 40 degrees")[0].exact) == (
        40,
        False,
    )
    assert parse("bend the left elbow to a right angle")[0] == Change(
        "bend the left elbow to 90 degrees", "bend", "elbow", (LEFT,), degrees=90, exact=True
    )


def test_places_are_not_what_moves():
    (change,) = parse("put the right hand behind your head")
    assert (change.part, change.sides, change.place, change.behind) == ("hand", (RIGHT,), "head", True)
    (change,) = parse("touch your right knee with the left hand")
    assert (change.part, change.sides, change.place, change.place_side) == ("hand", (LEFT,), "knee", RIGHT)
    (change,) = parse("look over your left shoulder")
    assert (change.verb, change.place, change.place_side) == ("look", "shoulder", LEFT)
    (change,) = parse("move the right hand away from the body")
    assert (change.part, change.directions) == ("hand", ("out",))


def what(text, previous=""):
    last = parse(previous)[-1] if previous else None
    return [(c.verb, c.part, c.sides) for c in parse(text, last)]


def test_clauses_complete_each_other():
    assert what("raise the left arm and bend it") == [("raise", "arm", (LEFT,)), ("bend", "arm", (LEFT,))]
    assert what("bend the elbows and knees") == [("bend", "elbow", BOTH), ("bend", "knee", BOTH)]
    assert what("raise and straighten the right leg") == [("raise", "leg", (RIGHT,)), ("straighten", "leg", (RIGHT,))]
    assert what("raise the left arm, lower the other one") == [("raise", "arm", (LEFT,)), ("lower", "arm", (RIGHT,))]
    assert what("lean forward but keep the head still") == [("lean", "", ())]


def test_an_instruction_may_speak_of_the_one_before():
    assert what("now the other one", "raise the left arm") == [("raise", "arm", (RIGHT,))]
    (change,) = parse("a bit more", parse("bend the knees")[0])
    assert (change.verb, change.part, change.amount) == ("bend", "knee", 0.4)


# ----------------------------------------------------------------------------------------------- the geometry


def standing() -> torch.Tensor:
    """Upright, the arms hanging a little off the sides, elbows and knees hardly bent."""
    aa = torch.zeros(24, 3)
    aa[16, 2], aa[17, 2] = -1.2, 1.2
    aa[18, 1], aa[19, 1] = -0.2, 0.2
    for o in BOTH:
        aa[1 + o, 0], aa[4 + o, 0], aa[7 + o, 0] = -0.1, 0.2, -0.1
    return roma.rotvec_to_rotmat(aa)


def sitting() -> torch.Tensor:
    aa = roma.rotmat_to_rotvec(standing())
    for o in BOTH:
        aa[1 + o, 0], aa[4 + o, 0], aa[7 + o, 0] = -1.5, 1.5, 0.0
    return roma.rotvec_to_rotmat(aa)


def arms_up() -> torch.Tensor:
    aa = roma.rotmat_to_rotvec(standing())
    aa[16, 2], aa[17, 2] = 1.2, -1.2
    return roma.rotvec_to_rotmat(aa)


STARTS = {"standing": standing, "sitting": sitting, "arms up": arms_up}


def turned(before: torch.Tensor, after: torch.Tensor) -> dict[str, float]:
    """Mean degrees by which the joints of each limb were turned against their parents."""
    angle = torch.rad2deg(roma.rotmat_geodesic_distance(before, after))
    return {name: angle[joints].mean().item() for name, joints in LIMBS.items()}


def joint(rotations, name, axis=1, to="pelvis") -> float:
    p = forward_kinematics(rotations)[0]
    return (p[INDEX[name]] - p[INDEX[to]])[axis].item()


def bend(rotations, a, b, c) -> float:
    p = forward_kinematics(rotations)[0]
    u, v = p[INDEX[b]] - p[INDEX[a]], p[INDEX[c]] - p[INDEX[b]]
    return math.degrees(math.acos(float((u @ v) / u.norm() / v.norm())))


def elbow(r, side="left"):
    return bend(r, f"{side}_shoulder", f"{side}_elbow", f"{side}_wrist")


def knee(r, side="left"):
    return bend(r, f"{side}_hip", f"{side}_knee", f"{side}_ankle")


def gaze(r, axis):
    return forward_kinematics(r)[1][15, axis, 2].item()


def lean(r, axis):
    return joint(r, "neck", axis)


def up(name):
    return lambda r: joint(r, name)


def gap(a, b, axis=0):
    return lambda r: joint(r, a, axis, b)


#: Instruction, start, what grows (or shrinks: -1), by how much at least (metres, degrees or sines), whose it is.
CASES = [
    ("raise the left arm", "standing", up("left_wrist"), 1, 0.5, ("left arm",)),
    ("raise the left arm", "sitting", up("left_wrist"), 1, 0.5, ("left arm",)),
    ("lift your right hand a bit", "standing", up("right_wrist"), 1, 0.03, ("right arm",)),
    ("put both arms up", "standing", up("right_wrist"), 1, 0.5, ("left arm", "right arm")),
    ("lower both arms", "arms up", up("left_wrist"), -1, 0.5, ("left arm", "right arm")),
    ("drop the right arm", "arms up", up("right_wrist"), -1, 0.5, ("right arm",)),
    ("stretch the left arm forward", "standing", gap("left_wrist", "left_shoulder", 2), 1, 0.35, ("left arm",)),
    ("extend the right arm to the side", "standing", gap("right_wrist", "right_shoulder", 0), -1, 0.25, ("right arm",)),
    ("move the left hand back", "standing", gap("left_wrist", "left_shoulder", 2), -1, 0.1, ("left arm",)),
    ("bend the left elbow", "standing", elbow, 1, 30, ("left arm",)),
    ("straighten the left elbow", "standing", elbow, -1, 5, ("left arm",)),
    ("shrug", "standing", gap("left_shoulder", "neck", 1), 1, 0.02, ("left arm", "right arm")),
    ("bend the knees more", "standing", knee, 1, 20, ("left leg", "right leg")),
    ("bend the left knee", "sitting", knee, 1, 20, ("left leg",)),
    ("straighten the left knee", "sitting", knee, -1, 50, ("left leg",)),
    ("raise the right leg", "standing", up("right_ankle"), 1, 0.15, ("right leg",)),
    ("raise the left leg to the side", "standing", gap("left_ankle", "left_hip", 0), 1, 0.3, ("left leg",)),
    ("stretch the right leg back", "standing", gap("right_ankle", "right_hip", 2), -1, 0.3, ("right leg",)),
    ("lift the left knee", "standing", up("left_knee"), 1, 0.25, ("left leg",)),
    ("lift the right foot", "standing", up("right_ankle"), 1, 0.1, ("right leg",)),
    ("spread the legs", "standing", gap("left_ankle", "right_ankle"), 1, 0.2, ("left leg", "right leg")),
    ("step forward with the right foot", "standing", gap("right_ankle", "left_ankle", 2), 1, 0.25, ("right leg",)),
    ("lean forward a bit", "standing", lambda r: lean(r, 2), 1, 0.04, ("torso",)),
    ("lean back", "sitting", lambda r: lean(r, 2), -1, 0.1, ("torso",)),
    ("lean to the left", "standing", lambda r: lean(r, 0), 1, 0.1, ("torso",)),
    ("bend over", "standing", up("neck"), -1, 0.1, ("torso",)),
    ("twist your torso to the left", "standing", gap("left_shoulder", "right_shoulder", 2), -1, 0.1, ("torso",)),
    ("turn the head left", "standing", lambda r: gaze(r, 0), 1, 0.5, ("head",)),
    ("look to the right", "sitting", lambda r: gaze(r, 0), -1, 0.5, ("head",)),
    ("look up", "standing", lambda r: gaze(r, 1), 1, 0.3, ("head",)),
    ("lower your chin", "standing", lambda r: gaze(r, 1), -1, 0.3, ("head",)),
    ("tilt the head to the right", "standing", gap("head", "neck", 0), -1, 0.005, ("head",)),
]


@pytest.mark.parametrize(("text", "start", "measure", "sign", "least", "whose"), CASES)
def test_the_named_limb_moves_and_the_others_do_not(text, start, measure, sign, least, whose):
    before = STARTS[start]()
    after, done = edit(None, before, text)
    assert all(d.holds for d in done)
    assert sign * (measure(after) - measure(before)) >= least
    others = {name: angle for name, angle in turned(before, after).items() if name not in whose}
    assert max(others.values()) < 10, others
    assert (implausible(Body.of(after[None])) - implausible(Body.of(before[None])).clamp_min(0)).max() < 1


def test_a_side_is_the_persons_own_and_mirrors():
    left, right = (edit(None, standing(), f"raise the {side} arm")[0] for side in ("left", "right"))
    assert abs(joint(left, "left_wrist") - joint(right, "right_wrist")) < 0.01
    assert abs(joint(left, "left_wrist", 0) + joint(right, "right_wrist", 0)) < 0.02


def test_more_words_move_further():
    asked = (f"raise the left arm {more}" for more in ("a bit", "", "all the way"))
    a_bit, plain, fully = (joint(edit(None, standing(), text)[0], "left_wrist") for text in asked)
    assert joint(standing(), "left_wrist") + 0.03 < a_bit < plain - 0.2 < fully - 0.3


def test_degrees_are_taken_by_their_word():
    assert abs(elbow(edit(None, standing(), "bend the left elbow by 40 degrees")[0]) - elbow(standing()) - 40) < 4
    assert abs(elbow(edit(None, standing(), "bend the left elbow to 90 degrees")[0]) - 90) < 4


def test_standing_feet_stay_on_the_ground():
    low = lambda r: [joint(r, f"{side}_ankle") for side in ("left", "right")]  # noqa: E731
    for text in ("bend the knees a lot", "spread the legs", "step back with the left foot", "bend over"):
        after = edit(None, standing(), text)[0]
        assert abs(low(after)[0] - low(after)[1]) < 0.04, text
    crouched = edit(None, standing(), "bend the knees a lot")[0]
    assert (
        abs(joint(crouched, "left_ankle", 2) - joint(standing(), "left_ankle", 2)) < 0.05
    )  # under the body, not behind


def test_the_whole_body_turns_about_the_vertical():
    after = edit(None, standing(), "turn around")[0]
    assert torch.allclose(after[1:], standing()[1:]) and after[0, 2, 2] < -0.99
    assert edit(None, standing(), "turn to the left")[0][0, 0, 2] > 0.99  # faces +X, the person's left


def test_facing_does_not_matter():
    away = standing()
    away[0] = roma.rotvec_to_rotmat(torch.tensor([0.0, 2.5, 0.0]))
    after = edit(None, away, "stretch the left arm forward")[0]
    front = edit(None, standing(), "stretch the left arm forward")[0]
    assert torch.allclose(away[0].T @ after[0], standing()[0].T @ front[0], atol=1e-4)
    assert torch.allclose(after[1:], front[1:], atol=1e-3)


def test_toward_stops_at_its_goal_and_hinge_at_its_end():
    x, y = torch.eye(3)[0], torch.eye(3)[1]
    assert torch.allclose(toward(x, y, math.pi, y), y)
    assert torch.allclose(
        toward(x, y, math.radians(30), y), torch.tensor([math.cos(0.5236), math.sin(0.5236), 0]), atol=1e-4
    )
    assert toward(-y, y, math.radians(90), x)[0] > 0.99  # by way of x
    assert torch.arccos(hinge(x, x, y, 9.0) @ x) < 2.5


# ------------------------------------------------------------------------------------------------- the policy


def shown(rotations, name) -> float:
    return posecodes.scores(rotations[None])[0, posecodes.INDEX[name]].item()


@pytest.mark.parametrize(
    ("text", "statements", "whose"),
    [
        ("put the right hand on the hip", ("right_hand_on_hip",), ("right arm",)),
        ("touch your head with the left hand", ("left_hand_on_head",), ("left arm",)),
        ("cross your arms", ("arms_crossed",), ("left arm", "right arm")),
        ("sit down", ("sitting",), ("left leg", "right leg")),
        ("now kneel on the left knee", ("kneeling_on_left_knee",), ("left leg", "right leg")),
        ("squat", ("squatting",), ("left leg", "right leg", "torso")),
    ],
)
def test_statements_are_shown_and_the_rest_is_kept(policy, text, statements, whose):
    before = standing()
    after, done = edit(policy, before, text)
    assert all(shown(before, name) < -1 <= shown(after, name) for name in statements)
    assert all(d.holds for d in done)
    others = {name: angle for name, angle in turned(before, after).items() if name not in whose}
    assert max(others.values()) < 10, others


def test_a_new_posture_keeps_raised_arms(policy):
    after, _ = edit(policy, arms_up(), "sit down")
    assert shown(after, "sitting") >= -1 and turned(arms_up(), after)["left arm"] < 1


def test_the_sample_stands_on_the_ground_that_was_there(policy):
    before = Pose(standing().numpy(), np.full(10, 0.5, np.float32), np.array([1, 2, 3], np.float32))
    (sample,) = policy.edit(before, "bend the knees a lot", reply=False)
    height = lambda pose: pose.trans[1] + forward_kinematics(torch.from_numpy(pose.rotations))[0][:, 1].min()  # noqa: E731
    assert abs(height(sample.pose) - height(before)) < 1e-4 and sample.pose.trans[1] < 1.98
    assert np.array_equal(sample.pose.betas, before.betas) and math.isfinite(sample.log_prob)
    assert [s.phrase for s in sample.statements] == ["both knees bent"] and sample.text == ""
    (more,) = policy.edit(sample.pose, "a bit more", previous="bend the knees a lot")
    assert knee(torch.from_numpy(more.pose.rotations)) > knee(torch.from_numpy(sample.pose.rotations)) + 10
    assert more.text.startswith("<POSE> ")


def test_what_is_not_understood_gets_a_sentence(policy):
    with pytest.raises(EditError, match="make me a sandwich.*for example: raise the left arm"):
        edit(policy, standing(), "make me a sandwich")
    with pytest.raises(PromptError, match="few words"):
        policy.edit(Pose(standing().numpy()), "  ")


# ---------------------------------------------------------------------------------------------------- BVH files


def test_bvh_comes_back_as_it_was_written(tmp_path):
    from posegen.body import embedded_body

    axis_angle = np.random.default_rng(0).normal(0, 0.4, (24, 3)).astype(np.float32)
    pose = Pose.from_axis_angle(axis_angle)
    write_bvh([pose, Pose(standing().numpy())], embedded_body(), tmp_path / "pose.bvh")
    assert np.abs(load_bvh(tmp_path / "pose.bvh").rotations - pose.rotations).max() < 1e-5
    assert np.abs(load_bvh(tmp_path / "pose.bvh", 1).rotations - standing().numpy()).max() < 1e-5
    with pytest.raises(PoseError, match="Frame 2"):
        load_bvh(tmp_path / "pose.bvh", 2)


def test_a_pose_file_is_npz_or_bvh(tmp_path):
    Pose(standing().numpy()).save(tmp_path / "pose.npz")
    assert np.abs(load_pose(tmp_path / "pose.npz").rotations - standing().numpy()).max() < 1e-5
    (tmp_path / "pose.txt").write_text("hello")
    with pytest.raises(PoseError, match="pose.txt is neither"):
        load_pose(tmp_path / "pose.txt")
    with pytest.raises(PoseError, match="no pose file away.bvh"):
        load_pose(tmp_path / "away.bvh")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda text: "hello", "no BVH of the SMPL skeleton"),
        (lambda text: text.replace("left_knee", "LeftLeg"), "the joint LeftLeg"),
        (lambda text: text[: len(text) - 200], "does not hold 75 numbers"),
        (lambda text: text.rsplit(" ", 1)[0] + " nan\n", "NaN"),
    ],
)
def test_a_bad_bvh_gets_a_sentence(tmp_path, change, words):
    from posegen.body import embedded_body

    path = tmp_path / "pose.bvh"
    write_bvh([Pose(standing().numpy())], embedded_body(), path)
    path.write_text(change(path.read_text()))
    with pytest.raises(PoseError, match=words):
        load_bvh(path)
