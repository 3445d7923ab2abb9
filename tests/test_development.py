import json
import re
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import roma
import torch

from finetune import development
from finetune.data import families
from finetune.development import LIMBS, NAMES, PROMPTS
from finetune.everyday import EVERYDAY, Body
from posegen.skeleton import INDEX, mirror

TRAINING_PROMPTS = Path(__file__).resolve().parent.parent / "assets" / "prompts" / "train.jsonl"

# Poses made by hand: what a prompt starts with, and (x, y, z) axis-angle in degrees of its joints. Arms hang if not
# told, both_ turns the left joint and, mirrored, the right one.
HANGING = dict(both_shoulder=(0, 0, -75))
ARMS_UP = dict(both_shoulder=(0, 0, 80))
ARMS_AHEAD = dict(both_shoulder=(0, -88, 0))
ARMS_OUT = dict(both_shoulder=(0, 0, 0))
AKIMBO = dict(both_shoulder=(0, 0, -50), both_elbow=(0, 0, -80))
ON_BACK = dict(pelvis=(-90, 0, 0))
ON_FRONT = dict(pelvis=(90, 0, 0))
SEAT = dict(both_hip=(-88, 0, 0), both_knee=(85, 0, 0))
KNEES = dict(both_knee=(90, 0, 0), both_ankle=(40, 0, 0))
HEELS = dict(both_hip=(-80, 0, 0), both_knee=(152, 0, 0), both_ankle=(40, 0, 0))
FOURS = ARMS_AHEAD | dict(pelvis=(85, 0, 0), both_hip=(-88, 0, 0), both_knee=(85, 0, 0), both_ankle=(40, 0, 0))
# fmt: off
FITTING = {
    "person doing a jumping jack": dict(both_shoulder=(0, 0, 50), both_hip=(0, 0, 25)),
    "deep squat": ARMS_AHEAD | dict(pelvis=(25, 0, 0), both_hip=(-120, 0, 15), both_knee=(115, 0, 0)),
    "push ups": ARMS_AHEAD | dict(pelvis=(72, 0, 0), both_ankle=(-20, 0, 0)),
    "childs pose": HEELS | ARMS_UP
    | dict(pelvis=(70, 0, 0), spine1=(15, 0, 0), spine2=(15, 0, 0), both_hip=(-130, 0, 0)),
    "a monk meditating": dict(both_hip=(-99, 101, -26), both_knee=(120, 0, 0)),
    "glute bridge": dict(pelvis=(-110, 0, 0), both_knee=(100, 0, 0)),
    "superman flying": dict(left_shoulder=(0, 0, 80), pelvis=(80, 0, 0)),
    "vampire": ON_BACK | dict(both_shoulder=(0, -25, -60), both_elbow=(-20, -125, 0)),
    "kid pretending to be an airplane": ARMS_OUT,
    "archer": dict(left_shoulder=(0, 0, 0), right_shoulder=(0, 0, 5), right_elbow=(0, 145, 0)),
    "angry mom": AKIMBO,
    "standing at attention": dict(),
    "marching": dict(left_hip=(-80, 0, 0), left_knee=(80, 0, 0)),
    "sleeping on his side": dict(pelvis=(0, 0, 90)),
    "making a snow angel": ON_BACK | ARMS_OUT | dict(both_hip=(0, 0, 20)),
    "doing the limbo": dict(pelvis=(-40, 0, 0), both_knee=(60, 0, 0)),
    "japanese style bow": dict(pelvis=(35, 0, 0), both_hip=(-35, 0, 0)),
    "flamingo": dict(right_knee=(110, 0, 0)),
    "dude sitting": SEAT,
    "upright on both knees": KNEES | ARMS_AHEAD,
    "left arm straight up": dict(left_shoulder=(0, 0, 80)),
    "bend over and touch ur toes": ARMS_AHEAD | dict(pelvis=(100, 0, 0), spine1=(20, 0, 0), both_hip=(-115, 0, 0)),
    "leaning over to the right": dict(left_shoulder=(0, 0, 100), spine1=(0, 0, 15), spine2=(0, 0, 15)),
    "head tilted so the left": dict(neck=(0, 0, -25)),
    "looking back over the right": dict(neck=(0, -35, 0), head=(0, -35, 0)),
    "staring straight up": dict(neck=(-25, 0, 0), head=(-25, 0, 0)),
    "chin down on the chest": dict(neck=(25, 0, 0), head=(20, 0, 0)),
    "sitting on the floor with both legs straight": dict(both_hip=(-88, 0, 0)),
    "sitting on the floor, legs spread": dict(both_hip=(-80, 30, 30)),
    "sitting on the grass leaning back": dict(both_shoulder=(0, 40, -60), pelvis=(-35, 0, 0), both_hip=(-55, 0, 0)),
    "sitting back on the heels": HEELS | dict(both_elbow=(0, -50, 0)),
    "on hands and knees, stretch right arm": FOURS
    | dict(right_shoulder=(0, 0, -85), left_hip=(0, 0, 0), left_knee=(0, 0, 0)),
    "cat stretch": FOURS | dict(spine1=(15, 0, 0), spine2=(15, 0, 0)),
    "on all fours looking up": FOURS | dict(neck=(-35, 0, 0), head=(-40, 0, 0)),
    "lying on the back with both legs straight up": ON_BACK | dict(both_hip=(-85, 0, 0)),
    "lying on back, knees bent": ON_BACK | dict(both_hip=(-50, 0, 0), both_knee=(95, 0, 0)),
    "lie on your stomach and bend": ON_FRONT | dict(both_knee=(120, 0, 0)),
    "face down on the floor": ON_FRONT | ARMS_UP,
    "right leg lifted out": dict(right_hip=(0, 0, -45)),
    "left leg raised straight in front": dict(left_hip=(-85, 0, 0)),
    "grabbing right foot": dict(right_shoulder=(0, -40, 75), right_knee=(140, 0, 0), right_hip=(10, 0, 0)),
    "kneeling on the right knee": dict(left_hip=(-85, 0, 0), left_knee=(85, 0, 0), right_knee=(90, 0, 0))
    | dict(right_ankle=(40, 0, 0), left_shoulder=(0, -40, -50), right_shoulder=(0, 75, 50), spine1=(25, 0, 0)),
    "arms streched forward": ARMS_AHEAD,
    "pointing to the left": dict(left_shoulder=(0, 0, 0), neck=(0, 30, 0), head=(0, 30, 0)),
    "upper body twisted to the left": dict(spine1=(0, 15, 0), spine2=(0, 15, 0)),
    "bent forward with both arms swept": dict(both_shoulder=(0, 30, -80), pelvis=(50, 0, 0), both_hip=(-50, 0, 0)),
    "lying down, one leg straight up": ON_BACK | dict(left_hip=(-85, 0, 0)),
    "upside down on the shoulders": dict(pelvis=(-170, 0, 0), neck=(60, 0, 0), head=(30, 0, 0)),
    "legs wide, right hand down": ARMS_OUT
    | dict(pelvis=(0, 0, 75), left_hip=(0, 0, -50), right_hip=(0, 0, -100), right_shoulder=(0, 0, 10)),
    "stepping up onto": dict(left_hip=(-80, 0, 0), left_knee=(85, 0, 0)),
    "walking, left leg in front": dict(left_hip=(-22, 0, 0), right_hip=(22, 0, 0), right_knee=(10, 0, 0))
    | dict(right_ankle=(15, 0, 0)),
    "kneeling and leaning far back": KNEES
    | dict(pelvis=(-10, 0, 0), spine1=(-25, 0, 0), spine2=(-25, 0, 0), spine3=(-15, 0, 0))
    | dict(both_shoulder=(0, 75, 0), both_hip=(5, 0, 0), both_knee=(95, 0, 0)),
    "on knees with forehead": HEELS | ARMS_UP
    | dict(pelvis=(80, 0, 0), spine1=(20, 0, 0), spine2=(15, 0, 0), both_hip=(-135, 0, 0)),
    "flat on his back hugging": ON_BACK
    | dict(both_hip=(-130, 0, 0), both_knee=(130, 0, 0), both_shoulder=(0, -50, -50), both_elbow=(0, -40, 0)),
    "kneeling tall": KNEES | AKIMBO,
    "lying in the grass": ON_BACK
    | dict(left_hip=(-50, 0, 0), left_knee=(95, 0, 0), both_shoulder=(0, 0, 20), both_elbow=(0, 0, 140)),
    "lying on the right side": dict(right_shoulder=(0, 0, -40), pelvis=(0, 0, 75), right_elbow=(0, 0, -140)),
    "standing like a star": dict(both_shoulder=(0, 0, 35), both_hip=(0, 0, 22)),
    "praying on his knees": KNEES | dict(both_shoulder=(0, -30, -60), both_elbow=(0, -120, 0)),
    "in the air with both knees": dict(both_hip=(-110, 0, 0), both_knee=(110, 0, 0)),
    "right arm pointing straight": dict(left_shoulder=(0, 25, -75), right_shoulder=(0, 85, 0), left_elbow=(0, 0, -95)),
}
# fmt: on
ONE_SIDED = (  # these name a side, so that the mirror image is wrong
    "left arm straight up",
    "leaning over to the right",
    "head tilted so the left",
    "looking back over the right",
    "on hands and knees, stretch right arm",
    "right leg lifted out",
    "left leg raised straight in front",
    "pointing to the left",
    "upper body twisted to the left",
    "stepping up onto",
)


def find(start: str):
    """The one prompt that starts so."""
    (prompt,) = (p for p in PROMPTS if p.text.startswith(start))
    return prompt


def pose(degrees: dict) -> torch.Tensor:
    """(1, 24, 3) axis-angle of a pose made by hand."""
    axis_angle = torch.zeros(1, 24, 3)
    for name, turn in (HANGING | degrees).items():
        x, y, z = np.radians(turn)
        for side, sign in (("left", 1), ("right", -1)) if name.startswith("both_") else ((None, 1),):
            joint = name.replace("both", side) if side else name
            axis_angle[0, INDEX[joint]] = torch.tensor([x, sign * y, sign * z])
    return axis_angle


def body(axis_angle: torch.Tensor) -> Body:
    return Body(roma.rotvec_to_rotmat(axis_angle).numpy())


def words(texts) -> set[str]:
    """Texts as they are compared: words in small letters."""
    return {" ".join(re.findall("[a-z0-9]+", text.casefold())) for text in texts}


MINE = words(p.text for p in PROMPTS)


def test_the_prompts_are_distinct():
    assert len(NAMES) == 91 and len(LIMBS) == 100 and PROMPTS == NAMES + LIMBS
    assert len(MINE) == 191


def test_no_prompt_is_of_the_exam():
    shared = len(MINE & words(p.text for p in EVERYDAY))  # a number, so that a failure shows nothing of the exam
    assert shared == 0


def test_no_prompt_is_of_training():
    trained = [json.loads(line)["prompt"] for line in TRAINING_PROMPTS.read_text().splitlines()]
    assert len(trained) > 1000
    assert MINE & words(trained) == set()


@pytest.mark.parametrize("start", FITTING)
def test_a_fitting_pose_passes(start):
    assert find(start).check(body(pose(FITTING[start]))).tolist() == [True]


@pytest.mark.parametrize("start", ONE_SIDED)
def test_the_mirror_image_of_a_one_sided_pose_fails(start):
    assert find(start).check(body(mirror(pose(FITTING[start])))).tolist() == [False]


@pytest.mark.parametrize("start", ["kneeling tall", "lying in the grass", "lying down, one leg straight up"])
def test_prompts_without_a_side_take_the_mirror_image(start):
    assert find(start).check(body(mirror(pose(FITTING[start])))).tolist() == [True]


def test_few_random_poses_pass_and_every_check_tells_of_every_pose():
    drawn = body(torch.from_numpy(families.sample(300, seed=3).axis_angle))
    rest = body(torch.zeros(1, 24, 3))
    shares = []
    for prompt in PROMPTS:
        for bodies, count in ((drawn, 300), (rest, 1)):
            marks = prompt.check(bodies)
            assert marks.shape == (count,) and marks.dtype == bool, prompt.text
        shares.append(prompt.check(drawn).mean())
    assert 0 < np.mean(shares) < 0.05


def test_a_policy_is_measured_with_intervals_and_failures(monkeypatch, capsys):
    """Of a policy that always answers with a T pose."""
    rotations = roma.rotvec_to_rotmat(pose(ARMS_OUT))[0].numpy()
    asked = []

    def text_to_pose(text, num_samples, temperature, seed, reply):
        asked.append((text, num_samples, temperature, seed))
        statements = [SimpleNamespace(phrase="arms out", probability=0.876)]
        return [SimpleNamespace(pose=SimpleNamespace(rotations=rotations), statements=statements)] * num_samples

    policy = SimpleNamespace(text_to_pose=text_to_pose)
    monkeypatch.setattr(development.PosePolicy, "from_pretrained", lambda path: policy)
    development.main(["--policy", "runs/a", "--samples", "2", "--seed", "7"])
    assert asked == [(p.text, 2 if t else 1, t, 7) for t in (0.0, 0.5, 1.0) for p in PROMPTS]
    lines = capsys.readouterr().out.splitlines()
    right = [p.check(body(pose(ARMS_OUT))).item() for p in PROMPTS]
    names, limbs, overall = (100 * np.mean(part) for part in (right[: len(NAMES)], right[len(NAMES) :], right))
    (row,) = (line for line in lines if line.startswith("| 0.5 "))
    cells = [cell.split() for cell in row.strip("| ").split(" | ")[1:]]
    assert [float(value) for value, *_ in cells] == pytest.approx([names, limbs, overall], abs=0.051)
    assert all(float(low[1:-1]) <= float(value) <= float(high[:-1]) for value, low, high in cells)
    failed = [line for line in lines if line.endswith(": arms out 0.88")]
    first = [p.text for p, good in zip(PROMPTS, right, strict=True) if not good][: development.NUM_LISTED]
    assert failed == [f"  0.0 %  {text}: arms out 0.88" for text in first]
