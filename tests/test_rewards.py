"""Rewards: known answers, bounds, rows they do not apply to, users' own files, and what is said of broken ones."""

import math
from functools import partial
from types import SimpleNamespace

import numpy as np
import pytest
import roma
import torch

from finetune import rewards
from finetune.data import families
from finetune.retrieval import sentence_embeddings
from finetune.rewards import REWARDS, RewardError, evaluate_rewards, load
from posegen import captions, posecodes
from posegen.camera import FOCAL
from posegen.photo import LIMB_LANDMARKS
from posegen.skeleton import INDEX, LIMBS, forward_kinematics, rest_joints

FRAME = (600, 800)
SITTING, STANDING = "<POSE> The person is sitting.", "<POSE> The person is standing."


class Matcher:
    """Cosine 1 for the pose that was asked for, less with every radian of its joints; counts the texts that it read."""

    def __init__(self, wanted):
        self.wanted, self.texts = wanted, []

    def similarity(self, texts, rotations):
        self.texts += texts
        return roma.rotmat_geodesic_distance(rotations, self.wanted).mean(1).cos()


def reader(asserted):
    """A reader that finds in each text the statements that `asserted` lists for it, and nothing in others."""

    def read(texts):
        probabilities = torch.full((len(texts), len(posecodes.NAMES)), 0.1)
        for row, text in zip(probabilities, texts, strict=True):
            row[[posecodes.INDEX[name] for name in asserted.get(text, ())]] = 0.9
        return SimpleNamespace(probabilities=probabilities)

    return SimpleNamespace(read=read)


def posed(**turns):
    """Rotations (24, 3, 3) of someone turned at joints by so many degrees about x, y and z."""
    rotations = torch.eye(3).repeat(24, 1, 1)
    for name, degrees in turns.items():
        rotations[INDEX[name]] = roma.rotvec_to_rotmat(torch.tensor(degrees) / 57.29578)
    return rotations


def disturbed(rotations, degrees, seed=0):
    """Each of n poses turned at every joint by random angles of that many degrees, always about the same axes."""
    turns = torch.randn(len(rotations), 24, 3, generator=torch.Generator().manual_seed(seed)) * degrees / 57.29578
    return rotations @ roma.rotvec_to_rotmat(turns)


def photo_of(rotations, place=(0.3, 0.1, -4.0), frame=FRAME):
    """Columns of rows whose photo shows poses (n, 24, 3, 3), standing at a place (metres) in front of the camera."""
    points = forward_kinematics(rotations)[0][:, list(LIMBS)] + torch.tensor(place)
    pixels = np.zeros((len(points), 33, 2), np.float32)
    flat = points[..., :2] / -points[..., 2:] * FOCAL * max(frame) * torch.tensor([1.0, -1.0])
    pixels[:, list(LIMB_LANDMARKS)] = flat + torch.tensor(frame) / 2
    n = len(points)
    return {"landmarks_2d": list(pixels), "visibility": [np.ones(33, np.float32)] * n, "frame": [frame] * n}


@pytest.fixture(scope="module")
def poses():
    """(40, 24, 3, 3) plausible poses of many kinds."""
    return roma.rotvec_to_rotmat(torch.from_numpy(families.sample(40, seed=3).axis_angle))


def statements_of(rotations):
    """Up to four statements of each pose that hold by a tolerance, as full credit wants."""
    return [tuple(torch.nonzero(row >= 1)[:4, 0].tolist()) for row in posecodes.scores(rotations)]


def pose_scores(rotations, true):
    """name -> (n,) of every reward about poses, for a prompt and a photo of which `true` are the right poses."""
    columns = {"statements": statements_of(true), "target": list(true), **photo_of(true)}
    scores = {
        name: reward(poses=rotations, prompts=["words"] * len(true), completions=[SITTING] * len(true), **columns)
        for name, reward in REWARDS.items()
        if rewards.about_poses(reward) and name not in ("semantic", "variety")  # variety knows no right pose
    }
    scores["semantic"] = REWARDS["semantic"](prompts=["words"] * len(true), poses=rotations, matcher=Matcher(true))
    return {name: torch.tensor(values) for name, values in scores.items()}


# ---- every reward about poses


def test_the_true_pose_beats_disturbed_ones_and_more_so_the_more_they_are_disturbed(poses):
    steps = [pose_scores(disturbed(poses, degrees), poses) for degrees in (0, 4, 12, 30, 60)]
    assert set(steps[0]) == {"semantic", "statements", "spatial", "reprojection", "plausible"}
    for name in steps[0]:
        values = torch.stack([step[name] for step in steps])
        assert (values[0] >= values[1:] - 1e-5).all(), name
        assert (values.mean(1).diff() < -0.002).all(), name
    for name in ("semantic", "statements", "spatial", "reprojection"):
        torch.testing.assert_close(steps[0][name], torch.ones(40), atol=2e-3, rtol=0)


def test_rewards_about_poses_are_bounded_on_any_rotations(poses):
    torch.manual_seed(0)
    anything = roma.random_rotmat(40 * 24).view(40, 24, 3, 3)
    for name, values in pose_scores(anything, poses).items():
        assert values.shape == (40,) and (values >= 0).all() and (values <= 1).all(), name
    assert pose_scores(anything, poses)["plausible"].max() < 0.2


def test_rows_without_what_a_reward_needs_get_none_and_the_others_what_they_would_get_alone(poses):
    poses, wrong = poses[:3], disturbed(poses[:3], 20)
    alone = pose_scores(wrong, poses)
    columns = {"statements": statements_of(poses), "target": list(poses), **photo_of(poses)}
    for name, needed in (("statements", "statements"), ("spatial", "target"), ("reprojection", "visibility")):
        some = {**columns, needed: [columns[needed][0], None, columns[needed][2]]}
        first, none, last = REWARDS[name](poses=wrong, **some)
        assert none is None and [first, last] == pytest.approx(alone[name][[0, 2]].tolist(), abs=1e-5)
        assert REWARDS[name](poses=wrong, **{**columns, needed: None}) == [None] * 3
        assert REWARDS[name](poses=wrong) == [None] * 3
    assert REWARDS["statements"](poses=wrong, statements=[(), None, (0,)])[:2] == [None, None]
    matcher = Matcher(poses[1:2])
    seen = REWARDS["semantic"](prompts=list("abc"), poses=wrong, matcher=matcher, landmarks_2d=[0, None, 0])
    assert seen == [None, pytest.approx(alone["semantic"][1].item(), abs=1e-5), None] and matcher.texts == ["b"]


# ---- one by one


def test_variety_is_the_mean_distance_to_the_other_poses_of_a_prompt(poses):
    values = torch.tensor(REWARDS["variety"](prompts=["a"] * 30 + ["b"] * 10, poses=poses))
    joints = rewards.limb_joints(poses)
    for rows in (slice(0, 30), slice(30, 40)):
        mine = joints[rows]
        apart = torch.stack([(mine - one).norm(dim=-1).mean(1).sum() / (len(mine) - 1) for one in mine])
        torch.testing.assert_close(values[rows], 1 - (-apart / 0.2).exp())
    assert REWARDS["variety"](prompts=["a", "a", "b"], poses=poses[[0, 0, 1]]) == [0, 0, 0]
    people = [np.zeros((33, 2)), np.ones((33, 2))]  # photos all ask the same
    mixed = REWARDS["variety"](prompts=["a"] * 4, poses=poses[[0, 1, 2, 2]], landmarks_2d=[None, None, *people])
    assert mixed[0] == mixed[1] > 0 and mixed[2:] == [0, 0]


@pytest.mark.parametrize(
    "completion, value",
    [
        (STANDING, 1),
        ("<POSE> A man kneels.", 1),
        ("<POSE> A " + "very " * 38 + "man.", 1),
        ("<POSE> A " + "very " * 39 + "man.", 0),
        ("<POSE> He kneels.", 0),
        ("<POSE> A - - man.", 0),
        ("<POSE> the person is standing.", 0),
        ("<POSE> The person is standing", 0),
        ("<POSE> The person is standing!", 0),
        ("<POSE> The person is standing. The person waves.", 0),
        ("<POSE> The person is standing..", 0),
        ("<POSE> The person\nis standing.", 0),
        ("<POSE> The person is standing.\n", 0),
        ("<POSE> The person <POSE> is standing.", 0),
        ("<POSE>The person is standing.", 0),
        ("<POSE>  The person is standing.", 0),
        ("The person is standing.", 0),
        ("<POSE> ", 0),
        ("", 0),
    ],
)
def test_format(completion, value):
    assert REWARDS["format"](completions=[completion]) == [value]


def test_truth_is_the_share_of_what_is_said_that_is_shown():
    said = {
        "Left.": ("left_elbow_straight", "left_knee_straight"),
        "All.": ("left_elbow_straight", "left_knee_straight", "right_elbow_straight"),
    }
    shown = torch.full((len(posecodes.NAMES),), -5.0)
    shown[posecodes.INDEX["left_elbow_straight"]] = -0.9  # within the tolerance
    shown[posecodes.INDEX["left_knee_straight"]] = -1.1
    truth = partial(REWARDS["truth"], reader=reader(said))
    completions = ["<POSE> Left.", "<POSE> All.", "<POSE> Hm.", "<POSE> Left.", "<POSE> Left."]
    values = truth(completions=completions, shown=[shown, shown.numpy(), shown, None, shown * 0])
    assert values == [pytest.approx(1 / 2), pytest.approx(1 / 3), 0, None, 1]
    assert truth(completions=completions) == [None] * 5


def test_clauses_that_say_something_true_and_new_are_counted():
    said = {
        "the left elbow straight": ("left_elbow_straight",),
        "The person has the left knee straight": ("left_knee_straight",),
        "the right elbow straight": ("right_elbow_straight",),
        "The right elbow straight": ("right_elbow_straight",),
    }
    shown = torch.full((len(posecodes.NAMES),), -5.0)
    shown[[posecodes.INDEX[name] for name in ("left_elbow_straight", "left_knee_straight")]] = 1.0
    count = partial(REWARDS["clauses"], reader=reader(said))

    def worth(text, shown=shown):
        return count(completions=[f"<POSE> {text}"], shown=[shown])[0]

    start = "The person has the left knee straight"
    assert worth(f"{start} and the left elbow straight.") == pytest.approx(1.0)  # two to tell, two told
    assert worth(f"{start}.") == pytest.approx(1 / 2)  # silence does not pay
    assert worth(f"{start}, the left elbow straight and the left elbow straight.") == pytest.approx(1.5 / 3)
    assert worth(f"{start} with the left hand on the body.") == pytest.approx(1 / 4)  # says nothing
    assert worth(f"{start} while the right elbow straight.") == pytest.approx(1 / 4)  # not true: silence is better
    assert worth("The right elbow straight.") == 0
    assert worth("") == 0 and count(completions=["<POSE> Hm."]) == [None]


def test_a_clause_counts_by_how_much_it_tells():
    said = {
        "The person is sitting": ("sitting",),
        "The person is kneeling": ("kneeling",),
        "the torso upright": ("torso_upright",),
        "the left arm forward": ("left_arm_forward",),
    }
    shown = torch.full((len(posecodes.NAMES),), -5.0)
    shown[[posecodes.INDEX[name] for name in ("sitting", "torso_upright", "left_arm_forward")]] = 1.0
    telling = partial(REWARDS["telling"], reader=reader(said))
    weights = {name: captions.how_telling(posecodes.INDEX[name]) for name in ("sitting", "torso_upright")}
    arm = captions.how_telling(posecodes.INDEX["left_arm_forward"])
    best = sum(weights.values()) + arm

    def worth(text):
        return telling(completions=[f"<POSE> {text}"], shown=[shown])[0]

    start = "The person is sitting"
    assert worth(f"{start} with the torso upright and the left arm forward.") == pytest.approx(1.0)
    assert worth(f"{start}.") == pytest.approx(weights["sitting"] / best)
    assert worth(f"{start} and the left arm forward.") > worth(f"{start} and the torso upright.") > worth(f"{start}.")
    assert worth(f"{start}, the torso upright and the torso upright.") == pytest.approx((best - arm - 0.5) / best)
    assert worth(f"{start} with the left hand on the body.") == pytest.approx((weights["sitting"] - 0.5) / best)
    kneeling = captions.how_telling(posecodes.INDEX["kneeling"])
    assert worth("The person is kneeling and the left arm forward.") == pytest.approx((arm - kneeling / 2) / best)
    assert worth("The person is kneeling.") == worth("") == 0  # nothing is worth less than silence
    shown[posecodes.INDEX["right_arm_forward"]] = 1.0
    said["both arms forward"] = ("left_arm_forward", "right_arm_forward")
    assert worth("the left arm forward.") == pytest.approx(arm / 2 / best)  # as if the other did not do it too
    assert worth("both arms forward.") == pytest.approx(arm / best)
    assert telling(completions=["<POSE> Hm."]) == [None]


@pytest.mark.slow
@pytest.mark.parametrize("reward", ["clauses", "telling"])
def test_what_our_rules_say_earns_nearly_all_of_it(policy, reward):
    shown = list(posecodes.scores(roma.rotvec_to_rotmat(torch.from_numpy(families.sample(60, seed=3).axis_angle))))
    told = [f"<POSE> {captions.describe(row.numpy())}" for row in shown]
    values = REWARDS[reward](completions=told, shown=shown, reader=policy.reader)
    other = REWARDS[reward](completions=told[1:] + told[:1], shown=shown, reader=policy.reader)
    assert np.mean(values) > 0.75 and np.mean(other) < 0.3 * np.mean(values)


def test_text_similarity_is_the_cosine_of_sentence_embeddings():
    other = "<POSE> The person is lying on the back with both arms stretched overhead."
    near = "<POSE> Someone sits."
    completions = [SITTING, near, other, "<POSE>", SITTING, SITTING]
    same, close, far, empty, none, _ = values = REWARDS["text_similarity"](
        completions=completions, reference=[SITTING, SITTING, SITTING, SITTING, None, STANDING]
    )
    assert same == pytest.approx(1, abs=1e-5) and 0 < far < close < 0.999 and empty == 0 and none is None
    a, b = torch.nn.functional.normalize(sentence_embeddings([rewards.words(SITTING), rewards.words(STANDING)]))
    assert values[5] == pytest.approx((1 + (a @ b).item()) / 2, abs=1e-4)


def test_statements_give_part_of_the_credit_to_what_nearly_holds():
    bent = posecodes.INDEX["left_elbow_right_angle"]  # 70 to 110 degrees, in tolerances of 10
    held = posecodes.INDEX["right_elbow_straight"]
    poses = torch.stack([posed(left_elbow=(0.0, -float(angle), 0.0)) for angle in (90, 67, 55, 40, 10)])
    ask = lambda *statements: REWARDS["statements"](poses=poses, statements=[statements] * 5)  # noqa: E731
    off = posecodes.scores(poses)[:, bent]
    assert off[0] >= 1 and off[1] < 0 and (off.diff() < -0.2).all()
    assert ask(bent) == pytest.approx([1, *((off[1:] - 1) / 3).exp().tolist()], abs=1e-4)
    assert ask(held) == [1] * 5
    assert ask(bent, held, held) == pytest.approx([(1 + value) / 2 for value in ask(bent)], abs=1e-5)


def test_spatial_falls_with_the_distance_of_limb_joints_in_decimetres():
    straight, bent = posed(), posed(left_elbow=(0.0, -90.0, 0.0))
    rest = torch.from_numpy(rest_joints())
    forearm = (rest[INDEX["left_wrist"]] - rest[INDEX["left_elbow"]])[[0, 2]].norm()
    expected = math.exp(-math.sqrt(2) * forearm / 12 / 0.1)  # one of twelve joints moves on a quarter of a circle
    values = REWARDS["spatial"](poses=torch.stack([bent, straight]), target=[straight.numpy(), straight])
    assert values == pytest.approx([expected, 1], abs=1e-4)


def test_reprojection_does_not_mind_where_the_person_is_seen(poses):
    wrong = disturbed(poses, 15)
    places = {(0.3, 0.1, -4.0): FRAME, (-1.0, -0.5, -9.0): FRAME, (0.3, 0.1, -4.001): (1500, 2000)}
    seen = [photo_of(poses, place, frame) for place, frame in places.items()]
    for columns in seen:
        assert REWARDS["reprojection"](poses=poses, **columns) == pytest.approx([1] * 40, abs=0.01)
    near, _, large = (torch.tensor(REWARDS["reprojection"](poses=wrong, **columns)) for columns in seen)
    assert near.max() < 0.9
    torch.testing.assert_close(near, large, atol=1e-3, rtol=0)  # the same picture with more pixels


def test_a_landmark_that_is_plainly_wrong_costs_its_own_share_and_a_hidden_one_nothing(poses):
    columns = photo_of(poses)
    columns["landmarks_2d"] = [pixels.copy() for pixels in columns["landmarks_2d"]]
    for pixels in columns["landmarks_2d"]:
        pixels[LIMB_LANDMARKS[4]] += 150  # a third of the person's height
    score = lambda rotations: torch.tensor(REWARDS["reprojection"](poses=rotations, **columns))  # noqa: E731
    true, wrong = score(poses), score(disturbed(poses, 15))
    assert (true > 0.8).all() and (true < 11 / 12 + 1e-3).all() and (true > wrong).all()
    columns["visibility"] = [np.where(np.arange(33) == LIMB_LANDMARKS[4], 0, 1)] * 40
    assert (score(poses) > 0.98).all()


def test_plausible_is_one_where_the_family_poses_pass_and_less_where_they_do_not():
    axis_angle = families.sample(300, seed=1).axis_angle.repeat(8, 0)
    axis_angle = axis_angle + 0.25 * np.random.default_rng(0).standard_normal(axis_angle.shape).astype(np.float32)
    passed = families.plausible(axis_angle) & families.above_floor(axis_angle)
    rotations = roma.rotvec_to_rotmat(torch.from_numpy(axis_angle))
    upright = (forward_kinematics(rotations)[0][:, [7, 8], 1].mean(1) < 0).numpy()  # no handstands
    values = np.array(REWARDS["plausible"](poses=rotations))
    assert 300 < passed[upright].sum() < upright.sum() - 300
    assert ((values == 1) == passed)[upright].all()


@pytest.mark.parametrize(
    "turns",
    [
        [{"left_knee": (angle, 0.0, 0.0)} for angle in (20.0, -25.0, -35.0, -50.0)],  # bent forwards
        [{"right_elbow": (0.0, -angle, 0.0)} for angle in (-90.0, 40.0, 60.0, 80.0)],  # bent backwards
        [{"head": (0.0, angle, 0.0)} for angle in (60.0, 70.0, 90.0, 120.0)],  # beyond the joint's limit
        [{"left_shoulder": (0.0, 0.0, -angle)} for angle in (85.0, 95.0, 100.0)],
        [{"left_hip": (0.0, 0.0, -angle)} for angle in (5.0, 15.0, 25.0, 30.0)],
    ],
    ids=["knee", "elbow", "neck", "arm in the body", "leg in leg"],
)
def test_plausible_falls_with_every_degree_beyond_what_a_body_can_do(turns):
    values = REWARDS["plausible"](poses=torch.stack([posed(**turn) for turn in turns]))
    assert values[0] == 1 and (np.diff(values) < -0.03).all()


def test_hands_may_not_reach_into_the_floor_unless_one_stands_on_them():
    hanging = {"left_shoulder": (0.0, 0.0, -80.0), "right_shoulder": (0.0, 0.0, 80.0)}
    legs = {"left_hip": (-90.0, 0.0, 0.0), "right_hip": (-90.0, 0.0, 0.0)}
    up = {"left_shoulder": (0.0, 0.0, 85.0), "right_shoulder": (0.0, 0.0, -85.0)}
    stands, sits, handstand = posed(**hanging), posed(**hanging, **legs), posed(pelvis=(180.0, 0.0, 0.0), **up)
    joints = forward_kinematics(torch.stack([stands, sits, handstand]))[0]
    depth = rewards.depth_in_floor(joints)
    assert depth[0] < 0 and depth[1] > 0.03 and depth[2] == 0
    values = REWARDS["plausible"](poses=torch.stack([stands, sits, handstand]))
    assert values[0] == 1 and values[1] < 0.7 and values[2] == 1


# ---- all together


def reward_short(completions, **kwargs):
    """A reward as written for TRL."""
    return [1 / len(text) for text in completions]


def evaluate(weights, poses, own=None, valid=None, **columns):
    """evaluate_rewards on answers (N, M, 24, 3, 3), with the reward `own` called "own"."""
    rows = len(poses)
    completions = [SITTING, STANDING, "<POSE> hm"][:rows]
    return evaluate_rewards(
        weights, ["sit"] * rows, completions, poses, columns, valid, {**REWARDS, "own": own or reward_short}
    )


@pytest.fixture
def answers(poses):
    """Two poses for each of three answers, (3, 2, 24, 3, 3)."""
    return poses[:6].view(3, 2, 24, 3, 3)


def test_rewards_are_weighed_and_summed_for_words_and_for_poses(answers):
    target = [answers[0, 0], None, answers[2, 1]]
    weights = {"format": 2, "own": 0.5, "spatial": 3.0, "plausible": -1}
    text, pose, means = evaluate(weights, answers, target=target)
    expected = [2 + 0.5 / len(SITTING), 2 + 0.5 / len(STANDING), 0.5 / len("<POSE> hm")]
    torch.testing.assert_close(text, torch.tensor(expected))
    spatial = torch.tensor(
        REWARDS["spatial"](poses=answers[[0, 2]].flatten(0, 1), target=[target[0]] * 2 + [target[2]] * 2)
    )
    assert spatial[0] > 0.999 and spatial[3] > 0.999 and spatial[1:3].max() < 0.9
    plausible = torch.tensor(REWARDS["plausible"](poses=answers.flatten(0, 1))).view(3, 2)
    torch.testing.assert_close(pose[[0, 2]], 3 * spatial.view(2, 2) - plausible[[0, 2]])
    torch.testing.assert_close(pose[1], -plausible[1])
    assert means == pytest.approx(
        {
            "rewards/format/mean": 2 / 3,
            "rewards/own/mean": sum(1 / len(t) for t in (SITTING, STANDING, "<POSE> hm")) / 3,
            "rewards/spatial/mean": spatial.mean().item(),
            "rewards/plausible/mean": plausible.mean().item(),
        }
    )


def test_answers_without_a_pose_are_left_out_and_what_has_no_reward_is_nan(answers):
    broken = answers.clone()
    broken[1] = torch.nan
    text, pose, means = evaluate({"plausible": 1.0, "spatial": 1.0}, broken, valid=torch.tensor([True, False, True]))
    assert text.isnan().all() and pose[1].isnan().all() and pose[[0, 2]].isfinite().all()
    assert set(means) == {"rewards/plausible/mean"}
    text, pose, means = evaluate({"plausible": 1.0, "format": 1}, broken, valid=torch.zeros(3, dtype=torch.bool))
    assert pose.shape == (3, 2) and pose.isnan().all() and text.tolist() == [1, 1, 0]


def test_a_reward_of_weight_zero_is_not_called(answers):
    def never(poses, **columns):
        raise AssertionError

    text, pose, means = evaluate({"own": 0.0, "format": 0, "plausible": 1.0}, answers, never)
    assert set(means) == {"rewards/plausible/mean"} and pose.isfinite().all() and text.isnan().all()


def test_rewards_about_poses_get_one_entry_a_pose_and_those_about_words_one_an_answer(answers):
    got = {}

    def own(prompts, completions, poses, note, **columns):
        got["poses"] = prompts, completions, poses, note
        return torch.arange(6.0)

    columns = {"note": ["a", None, "c"]}
    assert evaluate({"own": 1}, answers, own, **columns)[1].tolist() == [[0, 1], [2, 3], [4, 5]]
    assert got["poses"][:2] == (["sit"] * 6, [SITTING] * 2 + [STANDING] * 2 + ["<POSE> hm"] * 2)
    assert got["poses"][3] == ["a", "a", None, None, "c", "c"]
    torch.testing.assert_close(got["poses"][2], answers.flatten(0, 1))
    text, pose, _ = evaluate({"own": 1}, answers, lambda completions, note, **columns: note and [1, None, 0], **columns)
    assert text[[0, 2]].tolist() == [1, 0] and text[1].isnan() and pose.isnan().all()


def raises(poses, **columns):
    return poses.no_such_thing


@pytest.mark.parametrize(
    "weights, own, message",
    [
        ({"beauty": 1}, None, "There is no reward 'beauty'; there are format, truth, .*, own."),
        ({"own": math.nan}, None, "weight of the reward 'own' must be a number, but it is nan."),
        ({"own": "much"}, None, "weight of the reward 'own' must be a number, but it is 'much'."),
        ({"own": 1}, lambda poses, **columns: [1.0], "'own' returned 1 values for 6 rows; it must return one each."),
        ({"own": 1}, lambda prompts, **columns: [1.0] * 6, "'own' returned 6 values for 3 rows"),
        ({"own": 1}, lambda poses, **columns: [1.0, math.nan] * 3, "'own' must return a list .* it returned nan."),
        ({"own": 1}, lambda poses, **columns: [None, -math.inf] * 3, "'own' must return a list .* it returned -inf."),
        ({"own": 1}, lambda poses, **columns: ["good"] * 6, "'own' must return a list of finite numbers or None, but"),
        ({"own": 1}, lambda poses, **columns: 1.0, "'own' must return a list .*not iterable."),
        ({"own": 1}, raises, r"'own' failed \(test_rewards.py, line \d+\) with AttributeError: .*no_such_thing"),
        ({"truth": 1}, None, "'truth' failed with TypeError: .*'reader'; mend it or set its weight to 0."),
    ],
)  # fmt: skip
def test_broken_rewards_are_named_in_one_sentence(answers, weights, own, message):
    with pytest.raises(RewardError, match=message) as error:
        evaluate(weights, answers, own)
    assert "\n" not in str(error.value) and str(error.value).endswith(".")


def test_a_pose_that_is_not_a_number_is_noticed_in_every_reward(answers):
    broken = answers.clone()
    broken[1, 1] = torch.nan
    columns = {"statements": [(0,)] * 3, "target": list(answers[:, 0]), **photo_of(answers[:, 0])}
    for name in ("statements", "spatial", "reprojection", "plausible"):
        with pytest.raises(RewardError, match=f"reward '{name}'"):
            evaluate({name: 1}, broken, **columns)


# ---- users' own files

OWN = """
from __future__ import annotations
from dataclasses import dataclass
from finetune.rewards import reward_plausible
from posegen.skeleton import forward_kinematics

@dataclass
class Height:
    metres: float = 1.0

def reward(poses, **columns):
    return forward_kinematics(poses)[0][:, 15, 1] * Height().metres

def reward_polite(completions, **columns):
    return [None if "standing" in text else 1.0 for text in completions]
"""


def test_a_users_file_brings_rewards_of_both_kinds(tmp_path, answers):
    (tmp_path / "tall.py").write_text(OWN)
    own = load(tmp_path / "tall.py")
    assert set(own) == {"tall", "polite"}
    weights = {"tall": 2.0, "polite": 1.0}
    text, pose, means = evaluate_rewards(
        weights, ["sit"] * 3, [SITTING, STANDING, ""], answers, {}, None, REWARDS | own
    )
    torch.testing.assert_close(pose, 2 * forward_kinematics(answers)[0][..., 15, 1])
    assert text[[0, 2]].tolist() == [1, 1] and text[1].isnan() and means["rewards/polite/mean"] == 1


@pytest.mark.parametrize(
    "source, message",
    [
        (None, "There is no Python file .*own.py; check the path of the reward file."),
        ("def reward(:", "own.py cannot be run: SyntaxError"),
        ("import no_such_package", "own.py cannot be run: ModuleNotFoundError: No module named 'no_such_package'."),
        ("def score(poses): pass", "own.py defines no function `reward` or `reward_NAME`."),
        ("def reward_format(completions): pass", "defines 'format', which is a shipped reward; choose a new name."),
    ],
)  # fmt: skip
def test_users_files_that_cannot_be_used_are_refused_in_one_sentence(tmp_path, source, message):
    if source is not None:
        (tmp_path / "own.py").write_text(source)
    with pytest.raises(RewardError, match=message) as error:
        load(tmp_path / "own.py")
    assert "\n" not in str(error.value)
