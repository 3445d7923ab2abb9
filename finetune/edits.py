"""Forty edits in plain words: a start, an instruction, and a check on where the joints went. An exam, not training.

An edit passes when the named limbs moved as told and no other limb turned by 10 degrees or more (mean over its
joints, each against its parent). Nothing of `posegen`'s statements is used: the checks measure joints.

    python -m finetune.edits --policy FOLDER [--show]
"""

import argparse
from dataclasses import dataclass, field
from functools import partial

import numpy as np
import roma
import torch

from finetune.movement import (
    INF,
    Body,
    Check,
    above,
    ahead,
    apart,
    becomes,
    belly_up,
    bend,
    both,
    every,
    falls,
    gaze,
    head_tilt,
    height,
    leftward,
    off_hip,
    palm_to,
    pitch,
    rise,
    rises,
    side_lean,
    stays,
    swing,
    tilt,
    turn,
    twist,
)
from posegen.pose import Pose
from posegen.skeleton import INDEX

TOLERANCE = 10.0  # degrees, the mean over the joints of a limb that was not named

LIMBS = {
    "left arm": (13, 16, 18, 20), "right arm": (14, 17, 19, 21), "left leg": (1, 4, 7), "right leg": (2, 5, 8),
    "torso": (0, 3, 6, 9), "head": (12, 15),
}  # fmt: skip
ARMS, LEGS = ("left arm", "right arm"), ("left leg", "right leg")
BODY = (*ARMS, *LEGS, "torso")


# ---- poses by hand: degrees about X, Y, Z for each joint, Z first


def turned(start: np.ndarray, **degrees) -> np.ndarray:
    """Rotations (24, 3, 3) with some joints set: `left_elbow=(0, -90, 0)`, or `elbow=...` for the left and its mirror.

    For a hanging or stretched left arm: Z lifts it sideways, Y swings it level (forward < 0), X swings it front to
    back (forward < 0). Thighs: forward is X < 0. Knees, spine and head: bending is X > 0; left is Y > 0.
    """
    rotations = np.array(start)
    for name, (x, y, z) in degrees.items():
        if name in INDEX:
            rotations[INDEX[name]] = euler(x, y, z)
        else:
            rotations[INDEX["left_" + name]], rotations[INDEX["right_" + name]] = euler(x, y, z), euler(x, -y, -z)
    return rotations


def euler(x: float, y: float, z: float) -> np.ndarray:
    """(3, 3) float32 of degrees: about Z first, then Y, then X."""
    return roma.euler_to_rotmat("XYZ", torch.tensor([x, y, z], dtype=torch.float32), degrees=True).numpy()


T_POSE = np.tile(np.eye(3, dtype=np.float32), (24, 1, 1))
STANDING = turned(T_POSE, shoulder=(0, 0, -72), elbow=(0, -10, 0), hip=(0, 0, 2))
SITTING = turned(T_POSE, hip=(-85, 0, 0), knee=(85, 0, 0), shoulder=(-12, 0, -78), elbow=(0, -48, -12))
STARTS = {
    "standing": STANDING,
    "t_pose": T_POSE,
    "sitting": SITTING,
    "kneeling": turned(STANDING, knee=(90, 0, 0), ankle=(40, 0, 0)),
    "arms_raised": turned(STANDING, collar=(0, 0, 15), shoulder=(0, 0, 65), elbow=(0, 0, 8)),
    "arms_forward": turned(STANDING, shoulder=(0, -85, 0), elbow=(0, 0, 0)),
    "hands_on_hips": turned(STANDING, shoulder=(10, 0, -48), elbow=(0, -50, -85)),
    "stride": turned(
        STANDING, left_hip=(-28, 0, 0), left_knee=(8, 0, 0), right_hip=(22, 0, 0), right_knee=(15, 0, 0),
        left_shoulder=(20, 0, -72), right_shoulder=(-25, 0, 72),
    ),
    "squat": turned(
        STANDING, pelvis=(25, 0, 0), hip=(-115, 10, 15), knee=(110, 0, 0), ankle=(-22, 0, 0),
        spine2=(10, 0, 0), shoulder=(-60, 0, -75), elbow=(0, -20, 0),
    ),
    "lying": turned(STANDING, pelvis=(-90, 0, 0), shoulder=(0, 0, -65)),
    "head_left": turned(STANDING, neck=(0, 30, 0), head=(0, 25, 0)),
}  # fmt: skip


# ---- the exam

#: Leaning from the hips turns the thighs against the pelvis; in the room the legs must stay.
LEGS_STAY = every(both(stays, swing, "leg", 20), both(stays, bend, "knee", 20))


@dataclass(frozen=True)
class Edit:
    """One entry.

    Attributes:
        area: "arms", "legs", "head and torso" or "posture".
        start: a name in STARTS.
        text: the instruction.
        check: whether the named limbs did as told, from the bodies before and after.
        free: the limbs that may move; all others must stay.
    """

    area: str
    start: str
    text: str
    free: tuple[str, ...]
    check: Check

    @property
    def kept(self) -> tuple[str, ...]:
        return tuple(limb for limb in LIMBS if limb not in self.free)


LEFT_ARM, RIGHT_ARM, LEFT_LEG, RIGHT_LEG, HEAD = ("left arm",), ("right arm",), ("left leg",), ("right leg",), ("head",)
LEANING = ("torso", *LEGS)

EDITS = (
    Edit("arms", "standing", "raise your left arm", LEFT_ARM, rises(height("left_wrist"), 0.15)),
    Edit(
        "arms", "standing", "can you lift the right arm up to shoulder height?", RIGHT_ARM,
        becomes(above("right_wrist", "right_shoulder"), -0.18, 0.18),
    ),
    Edit("arms", "t_pose", "lower both arms a little", ARMS, both(falls, height, "wrist", 0.04, 0.40)),
    Edit("arms", "kneeling", "bend the left elbow to a right angle", LEFT_ARM, becomes(bend("left_elbow"), 65, 115)),
    Edit("arms", "arms_forward", "spread your arms wider apart", ARMS, rises(apart("left_wrist", "right_wrist"), 0.15)),
    Edit(
        "arms", "standing", "put your right hand on your hip", RIGHT_ARM,
        every(becomes(off_hip("right_palm"), 0, 0.19), becomes(bend("right_elbow"), 40)),
    ),
    Edit(
        "arms", "sitting", "wave with your right hand", RIGHT_ARM,
        every(
            becomes(above("right_wrist", "right_elbow"), 0.05), becomes(above("right_wrist", "right_shoulder"), -0.12)
        ),
    ),
    Edit(
        "arms", "arms_raised", "put your arms back down by your sides", ARMS,
        every(
            both(becomes, lambda wrist: above(wrist, "neck"), "wrist", -INF, -0.35),
            becomes(leftward("left_wrist", "pelvis"), 0, 0.50), becomes(leftward("right_wrist", "pelvis"), -0.50, 0),
        ),
    ),
    Edit(
        "arms", "standing", "left hand behind the head", LEFT_ARM,
        becomes(palm_to("left_palm", "head", 0, 0.05, -0.10), 0, 0.18),
    ),
    Edit("arms", "hands_on_hips", "straighten your right arm", RIGHT_ARM, becomes(bend("right_elbow"), 0, 35)),

    Edit("legs", "standing", "lift your right knee up", RIGHT_LEG, rises(above("right_knee", "right_hip"), 0.10)),
    Edit("legs", "standing", "bend your knees a bit", LEGS, both(rises, bend, "knee", 8, 70)),
    Edit("legs", "standing", "spread your legs wider", LEGS, rises(apart("left_ankle", "right_ankle"), 0.12)),
    Edit(
        "legs", "stride", "bring your feet together", LEGS,
        every(falls(apart("left_ankle", "right_ankle"), 0.20), becomes(apart("left_ankle", "right_ankle"), 0, 0.34)),
    ),
    Edit(
        "legs", "sitting", "straighten the left leg out in front of you", LEFT_LEG,
        every(becomes(bend("left_knee"), 0, 40), becomes(ahead("left_ankle", "left_hip"), 0.50)),
    ),
    Edit(
        "legs", "t_pose", "kick your left leg forward", LEFT_LEG,
        every(rises(ahead("left_ankle", "left_hip"), 0.25), rises(above("left_ankle", "left_hip"), 0.05)),
    ),
    Edit("legs", "lying", "raise the right leg off the floor", RIGHT_LEG, rises(above("right_ankle", "pelvis"), 0.15)),
    Edit(
        "legs", "standing", "take a step forward with your right foot", LEGS,
        rises(ahead("right_ankle", "left_ankle"), 0.15),
    ),
    Edit("legs", "squat", "come up a bit, don't squat so low", LEGS, rises(height("pelvis"), 0.04, 0.30)),
    Edit(
        "legs", "sitting", "cross your right leg over your left", RIGHT_LEG,
        every(
            becomes(leftward("right_ankle", "left_ankle"), -0.06), becomes(above("right_ankle", "left_ankle"), 0.05),
        ),
    ),

    Edit("head and torso", "standing", "turn your head to the left", HEAD, rises(turn, 15, 110)),
    Edit("head and torso", "sitting", "look up at the ceiling", HEAD, rises(gaze, 20)),
    Edit("head and torso", "t_pose", "look down a bit", HEAD, falls(gaze, 6, 45)),
    Edit("head and torso", "standing", "tilt your head towards your right shoulder", HEAD, falls(head_tilt, 10, 90)),
    Edit("head and torso", "head_left", "look straight ahead again", HEAD, becomes(turn, -15, 15)),
    Edit("head and torso", "standing", "lean forward", LEANING, every(rises(pitch, 12, 90), LEGS_STAY)),
    Edit("head and torso", "sitting", "lean back a little", LEANING, every(falls(pitch, 6, 40), LEGS_STAY)),
    Edit(
        "head and torso", "hands_on_hips", "twist your upper body to the right", LEANING,
        every(falls(twist, 10, 100), LEGS_STAY),
    ),
    Edit("head and torso", "arms_raised", "bend sideways to the left", LEANING, every(rises(side_lean, 10), LEGS_STAY)),
    Edit(
        "head and torso", "stride", "look back over your right shoulder", (*HEAD, "torso"),
        falls(partial(turn, joint="pelvis"), 35, 150),
    ),

    Edit(
        "posture", "standing", "sit down on a chair", BODY,
        every(
            falls(height("pelvis"), 0.25), both(becomes, rise, "thigh", -35, 45),
            becomes(tilt, 0, 45),
        ),
    ),
    Edit(
        "posture", "sitting", "now stand up", BODY,
        every(rises(height("pelvis"), 0.20), both(becomes, bend, "knee", 0, 40), becomes(tilt, 0, 30)),
    ),
    Edit(
        "posture", "hands_on_hips", "go down on your right knee but leave the arms as they are", LEANING,
        every(
            becomes(height("right_knee"), 0, 0.18), becomes(height("left_knee"), 0.28), becomes(height("pelvis"), 0.25),
            becomes(tilt, 0, 45),
        ),
    ),
    Edit(
        "posture", "t_pose", "crouch down, keep your arms out to the sides", LEANING,
        every(falls(height("pelvis"), 0.15), both(rises, bend, "knee", 30), becomes(tilt, 0, 70)),
    ),
    Edit(
        "posture", "standing", "raise both arms over your head and lift the left knee", (*ARMS, *LEFT_LEG),
        every(
            both(becomes, lambda wrist: above(wrist, "head"), "wrist", 0.05),
            rises(above("left_knee", "left_hip"), 0.10),
        ),
    ),
    Edit(
        "posture", "standing", "hands on hips and feet wide apart", (*ARMS, *LEGS),
        every(
            both(becomes, off_hip, "palm", 0, 0.19), rises(apart("left_ankle", "right_ankle"), 0.15),
        ),
    ),
    Edit(
        "posture", "lying", "sit up", BODY,
        every(falls(tilt, 35), becomes(tilt, 0, 50), becomes(height("pelvis"), 0, 0.30)),
    ),
    Edit(
        "posture", "standing", "bend over and touch your toes", (*BODY, *HEAD),
        every(
            both(becomes, lambda hand: above(hand, hand.replace("hand", "ankle")), "hand", -INF, 0.30),
            becomes(tilt, 45), both(becomes, bend, "knee", 0, 80), becomes(height("pelvis"), 0.45),
        ),
    ),
    Edit(
        "posture", "standing", "lie down on your back", (*BODY, *HEAD),
        every(becomes(tilt, 65), becomes(belly_up, 0.5), becomes(height("pelvis"), 0, 0.30)),
    ),
    Edit(
        "posture", "arms_raised", "lower the right arm and look to the left", (*RIGHT_ARM, *HEAD),
        every(falls(height("right_wrist"), 0.15), rises(turn, 15, 110)),
    ),
)  # fmt: skip


@dataclass
class Answer:
    """How one edit went.

    Attributes:
        directed: the named limbs did as told.
        turned: degrees by which each other limb turned, the mean over its joints.
        refused: the sentence that came instead of a pose, or "".
    """

    edit: Edit
    directed: bool = False
    turned: dict[str, float] = field(default_factory=dict)
    refused: str = ""

    @property
    def passed(self) -> bool:
        return self.directed and all(degrees < TOLERANCE for degrees in self.turned.values())

    @property
    def passed_together(self) -> bool:
        """The milder rule: the mean over the joints of all other limbs together."""
        joints = {limb: len(LIMBS[limb]) for limb in self.turned}
        total = sum(degrees * joints[limb] for limb, degrees in self.turned.items())
        return self.directed and total < TOLERANCE * max(1, sum(joints.values()))


def judge(edit: Edit, after: np.ndarray) -> Answer:
    """The answer that rotations (24, 3, 3) are to an edit of its start."""
    before = STARTS[edit.start]
    change = torch.from_numpy(before.swapaxes(1, 2) @ np.asarray(after, np.float32))
    degrees = np.degrees(roma.rotmat_geodesic_distance(change, torch.eye(3).expand_as(change)).numpy())
    moved = {limb: float(degrees[list(LIMBS[limb])].mean()) for limb in edit.kept}
    return Answer(edit, bool(edit.check(Body(before), Body(after))), moved)


def examine(policy, seed: int = 0) -> list[Answer]:
    """The first pose that a policy gives to each of EDITS, judged; a refusal (ValueError) is a fail."""
    answers = []
    for edit in EDITS:
        torch.manual_seed(seed)  # `edit` takes no seed of its own
        try:
            sample = policy.edit(Pose(STARTS[edit.start]), edit.text)[0]
        except ValueError as error:
            answers.append(Answer(edit, refused=str(error)))
        else:
            answers.append(judge(edit, sample.pose.rotations))
    return answers


def share(passed: list[bool]) -> str:
    """How many passed, per cent, and the exact 95 % interval."""
    from scipy.stats import binomtest

    interval = binomtest(sum(passed), len(passed)).proportion_ci()
    return (
        f"{sum(passed)} of {len(passed)} = {100 * sum(passed) / len(passed):.1f} % "
        f"(95 % interval {100 * interval.low:.1f} to {100 * interval.high:.1f})"
    )


def lines(answers: list[Answer], show: bool = False) -> list[str]:
    """The result an area a line; with `show`, every instruction too, which ends the exam's blindness."""
    out = []
    for area in dict.fromkeys(answer.edit.area for answer in answers):
        out.append(f"{area}: {share([answer.passed for answer in answers if answer.edit.area == area])}")
    out += [
        f"all: {share([answer.passed for answer in answers])}",
        f"all, where the mean over all other joints together must stay below {TOLERANCE:g} degrees: "
        f"{share([answer.passed_together for answer in answers])}",
        f"all, whatever else moved: {share([answer.directed for answer in answers])}",
        f"refused: {sum(bool(answer.refused) for answer in answers)}",
    ]
    for answer in answers if show else ():
        moved = ", ".join(f"{limb} {degrees:.0f}" for limb, degrees in answer.turned.items() if degrees >= 1)
        mark = "pass" if answer.passed else "FAIL"
        why = answer.refused or f"{'as told' if answer.directed else 'not as told'}; else moved: {moved or 'nothing'}"
        out.append(f"{mark}  [{answer.edit.start}] {answer.edit.text}: {why}")
    return out


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m finetune.edits", description="The exam for edits of a pose.")
    parser.add_argument("--policy", help="a policy folder; the embedded default if left out")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--show", action="store_true", help="tell every instruction and how it went")
    given = parser.parse_args(arguments)
    from posegen.policy import PosePolicy

    print("\n".join(lines(examine(PosePolicy.from_pretrained(given.policy), given.seed), given.show)))


if __name__ == "__main__":
    main()
