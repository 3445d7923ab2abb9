"""Prompts to steer by: 191 as people type them, each with a geometric check of the pose.

They are there to look at and to decide by while words are worked on, since the exam in everyday.py is never looked at.
They were written by somebody who saw neither the lexicon nor the exam, and nothing is ever trained on them. Of 200,
seven happened to be in the exam, word for word: a script took them out and did not tell which. Two more were left out
because the lexicon happens to have them. As there, a check is a necessary condition from joint positions alone. NAMES
are names of things, LIMBS plain words for limbs.

    python -m finetune.development --policy assets/policy,assets/stage1
"""

import argparse

import numpy as np
import torch

from finetune import everyday
from finetune.comparison import interval, means
from finetune.everyday import Body, Prompt, Side, angle, dist, near, rise, within
from posegen.policy import PosePolicy

TEMPERATURES = (0.0, 0.5, 1.0)
NUM_LISTED = 40  # of the prompts that fail most


# ---- points of the body, (N, 3)


def on_pelvis(b: Body, *offset: float) -> np.ndarray:
    """A point of the pelvis by (left, up, forward) metres from its joint."""
    return b.pelvis + b.pelvis_axes @ np.array(offset, float)


def on_chest(b: Body, *offset: float) -> np.ndarray:
    """A point of the chest by (left, up, forward) metres from its joint."""
    return b.chest + b.chest_axes @ np.array(offset, float)


def belly(b: Body) -> np.ndarray:
    return on_pelvis(b, 0, 0.13, 0.12)


def low_back(b: Body) -> np.ndarray:
    return on_pelvis(b, 0, 0.08, -0.13)


def waist(s: Side) -> np.ndarray:
    return on_pelvis(s.body, 0.15 * s.sign, 0.06, 0.02)


def heart(b: Body) -> np.ndarray:
    """The middle of the breast."""
    return on_chest(b, 0, 0.08, 0.14)


def brow(s: Side) -> np.ndarray:
    return s.body.on_head(0.06 * s.sign, 0.10, 0.09)


def cheek(s: Side) -> np.ndarray:
    return s.body.on_head(0.06 * s.sign, 0.02, 0.07)


def skull(b: Body) -> np.ndarray:
    """The middle of the head."""
    return b.on_head(0, 0.08, 0)


def face(b: Body) -> np.ndarray:
    return b.on_head(0, 0.05, 0.10)


def chin(b: Body) -> np.ndarray:
    return b.on_head(0, -0.05, 0.09)


# ---- metres and degrees, (N,)


def to_nearer(p, q, r) -> np.ndarray:
    """Metres from a point to the nearer of two."""
    return np.minimum(dist(p, q), dist(p, r))


def to_line(p, start, end) -> np.ndarray:
    """Metres from a point to the line between two."""
    along = end - start
    share = np.clip(((p - start) * along).sum(-1) / np.maximum((along**2).sum(-1), 1e-9), 0, 1)
    return dist(p, start + share[:, None] * along)


def to_upper_arm(p, s: Side) -> np.ndarray:
    return to_line(p, s.shoulder, s.elbow)


def to_forearm(p, s: Side) -> np.ndarray:
    return to_line(p, s.elbow, s.palm)


def to_arm(p, s: Side) -> np.ndarray:
    return np.minimum(to_upper_arm(p, s), to_forearm(p, s))


def to_thigh(p, s: Side) -> np.ndarray:
    return to_line(p, s.hip, s.knee)


def to_shin(p, s: Side) -> np.ndarray:
    return to_line(p, s.knee, s.ankle)


def to_foot(p, s: Side) -> np.ndarray:
    return to_nearer(p, s.foot, s.ankle)


def to_leg(p, s: Side) -> np.ndarray:
    return np.minimum(to_thigh(p, s), to_shin(p, s))


def to_thighs(p, b: Body) -> np.ndarray:
    """Metres to the nearer thigh."""
    return np.minimum(to_thigh(p, b.left), to_thigh(p, b.right))


def to_shins(p, b: Body) -> np.ndarray:
    """Metres to the nearer shin."""
    return np.minimum(to_shin(p, b.left), to_shin(p, b.right))


def knees_apart(b: Body) -> np.ndarray:
    return dist(b.left.knee, b.right.knee)


def steps_ahead(s: Side) -> np.ndarray:
    """Metres by which this ankle is in front of the other."""
    return s.body.ahead(s.ankle) - s.body.ahead(s.other.ankle)


def leg(s: Side) -> np.ndarray:
    """Degrees by which the line from hip to ankle climbs."""
    return rise(s.ankle, s.hip)


def overhead(s: Side) -> np.ndarray:
    """Degrees between the arm and the trunk's own upward line: 0 stretched past the head, 180 along the sides."""
    return angle(s.wrist - s.shoulder, s.body.trunk)


def chest_turn(b: Body) -> np.ndarray:
    """Degrees by which the chest, or if that is more the line of the shoulders, is turned to the pelvis's left."""
    x, _, z = np.einsum("nij,ni->nj", b.pelvis_axes, b.left.shoulder - b.right.shoulder).T
    by_shoulders = np.degrees(np.arctan2(-z, x))
    x, _, z = np.einsum("nij,ni->nj", b.pelvis_axes, b.chest_axes[:, :, 2]).T
    by_chest = np.degrees(np.arctan2(x, z))
    return np.where(abs(by_shoulders) > abs(by_chest), by_shoulders, by_chest)


# ---- what holds, (N,) bool


def above(p, q, metres: float = 0.0) -> np.ndarray:
    """The first point is higher by more than so many metres (negative: may be lower)."""
    return p[:, 1] - q[:, 1] > metres


def straight_arm(s: Side) -> np.ndarray:
    return s.elbow_angle > 140


def straight_leg(s: Side) -> np.ndarray:
    return s.knee_angle > 145


def hangs(s: Side) -> np.ndarray:
    return (s.arm < -50) & (s.elbow_angle > 125)


def level(s: Side, slack: float = 27) -> np.ndarray:
    """The arm is about level."""
    return within(s.arm, -slack, slack + 5)


def on_hip(s: Side) -> np.ndarray:
    """The palm rests at its own waist."""
    return near(s.palm, waist(s), 0.23) & within(s.elbow_angle, 35, 148)


def folded(b: Body) -> np.ndarray:
    """The arms are folded over the chest."""
    return b.both(lambda s: (to_upper_arm(s.palm, s.other) < 0.24) & (s.elbow_angle < 125) & (b.before(s.palm) > 0.02))


def feet_low(b: Body, most: float = 0.25) -> np.ndarray:
    """Both ankles are near the floor."""
    return b.both(lambda s: b.height(s.ankle) < most)


def on_feet(b: Body) -> np.ndarray:
    """Trunk roughly up and hips well above the floor, knees bent or not."""
    return (b.height(b.pelvis) > 0.55) & (b.tilt < 60)


def tall(b: Body) -> np.ndarray:
    """Stands fairly straight."""
    return (b.tilt < 28) & (b.height(b.pelvis) > 0.75)


def kneels(b: Body) -> np.ndarray:
    """Both knees on the floor, trunk up."""
    return b.both(lambda s: (b.height(s.knee) < 0.2) & (s.knee_angle < 135)) & (b.tilt < 60)


def half_kneels(s: Side) -> np.ndarray:
    """This knee on the floor, the other foot planted."""
    b, o = s.body, s.other
    return (b.height(s.knee) < 0.2) & (b.height(o.knee) > 0.25) & (b.height(o.ankle) < 0.25) & (b.tilt < 55)


def sits(b: Body) -> np.ndarray:
    """On anything: hips bent, trunk up."""
    return b.seated | (b.on_bottom & b.any(lambda s: s.hip_angle < 130))


def cross_legged(b: Body) -> np.ndarray:
    """On the floor, knees out to the sides, feet drawn in."""
    drawn_in = b.both(lambda s: (s.knee_angle < 110) & (b.height(s.knee) < 0.42) & near(s.ankle, b.pelvis, 0.62))
    out = (knees_apart(b) > 0.4) & b.both(lambda s: s.aside(s.knee) > 0.15)
    return b.on_bottom & drawn_in & out & (b.feet_apart < 0.5)


def legs_crossed(b: Body) -> np.ndarray:
    """Of one that sits: knee over knee, ankle over ankle or ankle on the other knee."""
    past = (b.left.aside(b.left.ankle) + b.right.aside(b.right.ankle) < 0.06) & (knees_apart(b) < 0.36)
    return past | b.any(lambda s: near(s.ankle, s.other.knee, 0.27))


def on_back(b: Body) -> np.ndarray:
    """Lies face up."""
    return within(b.tilt, 50, 130) & (b.facing > 35) & (b.height(b.pelvis) < 0.38)


def on_belly(b: Body) -> np.ndarray:
    """Lies face down."""
    return within(b.tilt, 50, 130) & (b.facing < -35) & (b.height(b.pelvis) < 0.38)


def on_side(b: Body) -> np.ndarray:
    """Lies on the left or the right side."""
    return within(b.tilt, 55, 125) & within(b.facing, -50, 50) & (b.height(b.pelvis) < 0.38)


# ---- prompts

# fmt: off
NAMES: tuple[Prompt, ...] = (
    Prompt(
        "person doing a jumping jack",
        lambda b: (b.feet_apart > 0.42) & b.both(lambda s: (s.arm > 10) & (s.elbow_angle > 105)),
    ),
    Prompt(
        "deep squat at the gym",
        lambda b: feet_low(b) & (b.height(b.pelvis) < 0.65) & (b.tilt < 65)
        & b.both(lambda s: (s.knee_angle < 112) & (s.thigh > -40)),
    ),
    Prompt(
        "push ups",
        lambda b: (b.facing < -40) & within(b.tilt, 45, 110)
        & b.both(lambda s: (b.height(s.palm) < 0.28) & (s.hip_angle > 140) & (b.height(s.ankle) < 0.5))
        & b.both(lambda s: within(overhead(s), 35, 150) & above(s.shoulder, s.palm, 0.03)),
    ),
    Prompt(
        "holding a plank on the forearms, abs on fire",
        lambda b: (b.facing < -45) & within(b.tilt, 50, 110)
        & b.both(
            lambda s: (b.height(s.elbow) < 0.22) & (b.height(s.palm) < 0.3) & above(s.shoulder, s.elbow, 0.08)
            & (s.hip_angle > 138) & (s.knee_angle > 135)
        ),
    ),
    Prompt(
        "lunges with your back knee almost touching the floor",
        lambda b: (b.tilt < 45)
        & b.any(
            lambda s: (b.height(s.knee) < 0.32) & (s.knee_angle < 140) & (steps_ahead(s) < -0.4)
            & (s.other.knee_angle < 130) & (s.other.thigh > -50)
        ),
    ),
    Prompt(
        "situps",
        lambda b: (b.height(b.pelvis) < 0.35)
        & b.both(lambda s: (s.knee_angle < 140) & (b.height(s.ankle) < 0.4) & (b.height(s.knee) > 0.2))
        & (b.tilt < 115) & (b.facing > -65),
    ),
    Prompt(
        "yoga tree pose",
        lambda b: (b.tilt < 30)
        & b.any(
            lambda s: straight_leg(s.other) & (s.knee_angle < 110) & (to_leg(s.foot, s.other) < 0.26)
            & (s.aside(s.knee) > 0.17)
        ),
    ),
    Prompt(
        "childs pose, resting",
        lambda b: (b.height(b.head) < 0.45) & (b.height(b.pelvis) < 0.48)
        & b.both(lambda s: (s.knee_angle < 85) & (s.hip_angle < 100) & (b.height(s.knee) < 0.25))
        & (b.facing < -20),
    ),
    Prompt("a monk meditating", lambda b: cross_legged(b) & (b.tilt < 35)),
    Prompt(
        "glute bridge",
        lambda b: (b.height(b.head) < 0.3) & above(b.pelvis, b.chest, 0.02) & (b.facing > 15) & feet_low(b)
        & b.both(lambda s: within(s.knee_angle, 35, 145)),
    ),
    Prompt(
        "throwing a punch",
        lambda b: on_feet(b)
        & b.any(
            lambda s: (s.elbow_angle > 130) & within(s.arm, -35, 40) & (dist(s.wrist, s.shoulder) > 0.42)
            & (b.ahead(s.wrist) > b.ahead(s.shoulder) + 0.2) & (s.other.elbow_angle < 130)
        ),
    ),
    Prompt(
        "high kick like in taekwondo",
        lambda b: b.any(
            lambda s: (s.thigh > -25) & (leg(s) > -25) & (s.knee_angle > 115) & (s.other.thigh < -50)
            & (b.height(s.ankle) > 0.65)
        )
        & (b.tilt < 80) & (b.height(b.pelvis) > 0.6),
    ),
    Prompt(
        "soccer player about to kick the ball, leg swung back",
        lambda b: (b.tilt < 50)
        & b.any(lambda s: (b.height(s.ankle) > 0.13) & (steps_ahead(s) < -0.3) & (b.height(s.other.ankle) < 0.2)),
    ),
    Prompt(
        "shooting a free throw in basketball",
        lambda b: (b.tilt < 30) & (b.height(b.pelvis) > 0.65)
        & b.any(
            lambda s: above(s.palm, b.mouth) & (s.forearm > 33) & (b.before(s.wrist) > 0.08) & (s.upper_arm > -35)
            & above(s.other.palm, s.other.shoulder, -0.15)
        )
        & (b.gaze > -15),
    ),
    Prompt(
        "golfer lining up a putt",
        lambda b: (b.lean > 10) & (b.height(b.pelvis) > 0.6) & (b.palms_apart < 0.27)
        & b.both(lambda s: (s.arm < -20) & (s.elbow_angle > 110) & (b.before(s.palm) > 0.1))
        & (b.gaze < 0),
    ),
    Prompt(
        "tennis serve",
        lambda b: (b.tilt < 50) & (b.height(b.pelvis) > 0.6) & b.any(lambda s: (s.arm > 45) & (s.elbow_angle > 110)),
    ),
    Prompt(
        "archer drawing his bow",
        lambda b: b.any(
            lambda s: level(s) & straight_arm(s) & (s.other.elbow_angle < 85)
            & near(s.other.palm, s.other.shoulder, 0.36) & (s.other.upper_arm > -40)
            & (dist(s.palm, s.other.palm) > 0.4)
        )
        & (b.tilt < 40),
    ),
    Prompt(
        "weightlifter holding the barbell overhead",
        lambda b: b.both(lambda s: (s.arm > 48) & (s.elbow_angle > 125))
        & within(b.palms_apart, 0.2, 1.2) & (b.tilt < 40),
    ),
    Prompt(
        "bicep curls",
        lambda b: (b.tilt < 35)
        & b.any(
            lambda s: (s.elbow_angle < 102) & (s.forearm > 15) & (b.before(s.wrist) > 0.1) & (s.out(s.palm) > -0.17)
        )
        & b.both(lambda s: (s.upper_arm < -50) & ((s.forearm > 0) | (s.arm < -50))),
    ),
    Prompt(
        "deadlift starting position",
        lambda b: (b.lean > 22)
        & b.both(lambda s: (s.arm < -45) & (s.elbow_angle > 140) & (s.knee_angle < 172) & (b.height(s.palm) < 0.65))
        & (b.height(b.pelvis) > 0.35),
    ),
    Prompt(
        "skiier in a tuck going downhill",
        lambda b: (b.lean > 25)
        & b.both(lambda s: within(s.knee_angle, 60, 155) & (s.elbow_angle < 145) & (b.before(s.wrist) > 0.08))
        & (abs(steps_ahead(b.left)) < 0.35) & (b.tilt < 95)
        & b.both(lambda s: above(b.pelvis, s.ankle, 0.2)),
    ),
    Prompt(
        "surfing a wave",
        lambda b: (b.feet_apart > 0.35)
        & b.both(lambda s: (s.knee_angle < 165) & (s.arm > -65))
        & (b.tilt < 55)
        & b.any(lambda s: (s.knee_angle < 150) & (s.arm > -45))
        & within(b.height(b.pelvis), 0.3, 0.88),
    ),
    Prompt(
        "riding a horse",
        lambda b: (b.tilt < 40) & (knees_apart(b) > 0.36)
        & b.both(
            lambda s: (s.thigh > -68) & (s.hip_angle < 152) & (b.before(s.wrist) > 0.05) & (s.arm < 15)
            & (b.height(s.ankle) < 0.3)
        ),
    ),
    Prompt(
        "riding a racing bicycle",
        lambda b: (b.lean > 20)
        & b.both(lambda s: (s.hip_angle < 145) & (b.before(s.wrist) > 0.2) & (s.arm < 15))
        & b.any(lambda s: s.hip_angle < 110)
        & (b.palms_apart < 0.75) & (b.tilt < 85)
        & b.both(lambda s: above(b.pelvis, s.ankle, 0.1)),
    ),
    Prompt(
        "office worker typing at a desk",
        lambda b: b.seated
        & b.both(
            lambda s: (b.before(s.wrist) > 0.12) & within(s.forearm, -50, 40) & (s.elbow_angle < 155)
            & (s.upper_arm < -10)
        )
        & (b.palms_apart < 0.6) & (abs(steps_ahead(b.left)) < 0.5),
    ),
    Prompt(
        "dude sitting on the toilet",
        lambda b: b.seated & b.both(lambda s: (s.knee_angle < 135) & (s.shin < -45)) & (b.height(b.pelvis) > 0.25),
    ),
    Prompt(
        "taking a selfie",
        lambda b: b.any(
            lambda s: (s.arm > -12) & (s.elbow_angle > 100) & (b.looks_at(s.palm) < 45) & (b.before(s.wrist) > 0.18)
        )
        & (b.tilt < 60),
    ),
    Prompt(
        "talking on the phone",
        lambda b: b.any(lambda s: (to_nearer(s.palm, s.ear, cheek(s)) < 0.19) & (s.elbow_angle < 100)),
    ),
    Prompt(
        "texting while walking",
        lambda b: (b.tilt < 35) & (b.height(b.pelvis) > 0.65) & (b.gaze < -6)
        & b.any(
            lambda s: (s.elbow_angle < 120) & (b.before(s.palm) > 0.13) & (b.looks_at(s.palm) < 42) & (s.arm < 5)
            & (s.forearm > -20) & (dist(s.palm, b.mouth) > 0.15)
        ),
    ),
    Prompt(
        "The Thinker statue",
        lambda b: sits(b)
        & b.any(lambda s: near(s.palm, chin(b), 0.25) & (s.elbow_angle < 100) & (to_thighs(s.elbow, b) < 0.3))
        & (b.lean > 0),
    ),
    Prompt(
        "shrugging, like i dunno",
        lambda b: (b.tilt < 35)
        & b.both(
            lambda s: (s.elbow_angle < 142) & (s.out(s.wrist) > 0.04) & within(s.forearm, -30, 70) & (s.upper_arm < 0)
        )
        & (abs(b.left.forearm - b.right.forearm) < 45),
    ),
    Prompt(
        "waving hello to a friend across the street",
        lambda b: on_feet(b)
        & b.any(lambda s: above(s.palm, b.mouth, -0.08) & (s.forearm > 36) & (s.out(s.palm) > -0.05))
        & (b.gaze > -28)
        & b.both(lambda s: s.elbow_angle > 40),
    ),
    Prompt(
        "japanese style bow",
        lambda b: (b.lean > 18) & (b.height(b.pelvis) > 0.68)
        & b.both(lambda s: (s.knee_angle > 140) & (s.arm < -25))
        & (b.gaze < -8) & (b.feet_apart < 0.45),
    ),
    Prompt(
        "praying on his knees",
        lambda b: kneels(b) & (b.palms_apart < 0.24)
        & b.both(lambda s: (b.before(s.palm) > 0.06) & (s.elbow_angle < 140) & above(s.palm, b.pelvis, 0.08)),
    ),
    Prompt(
        "guy proposing to his girlfriend",
        lambda b: b.any(half_kneels) & b.any(lambda s: (b.before(s.wrist) > 0.15) & (s.arm > -65)),
    ),
    Prompt(
        "superhero landing",
        lambda b: (b.height(b.pelvis) < 0.68)
        & b.any(lambda s: b.height(s.palm) < 0.28)
        & b.any(lambda s: (s.knee_angle < 110) & (b.height(s.ankle) < 0.3))
        & (b.feet_apart > 0.25) & (b.facing < 15),
    ),
    Prompt(
        "superman flying through the clouds",
        lambda b: b.any(lambda s: (overhead(s) < 50) & (s.elbow_angle > 130))
        & b.any(lambda s: (s.hip_angle > 140) & (s.knee_angle > 135))
        & b.both(lambda s: s.hip_angle > 95)
        & (b.height(b.chest) > 0.12) & (b.facing < 40),
    ),
    Prompt(
        "spiderman crouching on a rooftop",
        lambda b: (b.height(b.pelvis) < 0.6)
        & b.any(lambda s: b.height(s.palm) < 0.35)
        & b.any(lambda s: s.knee_angle < 100)
        & b.both(lambda s: s.hip_angle < 130)
        & (knees_apart(b) > 0.3),
    ),
    Prompt(
        "zombie",
        lambda b: (
            (b.tilt < 50) & (b.height(b.pelvis) > 0.6)
            & b.both(lambda s: within(s.arm, -45, 40) & (b.before(s.wrist) > 0.25) & (s.elbow_angle > 95))
        )
        | (
            (b.tilt < 50)
            & b.any(lambda s: within(s.arm, -35, 40) & (b.before(s.wrist) > 0.33))
            & (abs(b.ear_to_left) > 15)
        ),
    ),
    Prompt(
        "vampire asleep in his coffin",
        lambda b: on_back(b)
        & b.both(lambda s: straight_leg(s) & (s.hip_angle > 140))
        & b.both(lambda s: near(s.palm, heart(b), 0.36) & (s.elbow_angle < 130)),
    ),
    Prompt(
        "t-rex arms",
        lambda b: b.both(
            lambda s: (s.elbow_angle < 108) & (s.upper_arm < -32) & (b.before(s.palm) > 0.1) & (s.forearm > -28)
            & near(s.palm, s.shoulder, 0.42) & (s.out(s.elbow) < 0.14) & (s.out(s.palm) > -0.17)
        )
        & within(b.palms_apart, 0.1, 0.55) & (abs(b.left.palm[:, 1] - b.right.palm[:, 1]) < 0.2)
        & (abs(b.left.elbow_angle - b.right.elbow_angle) < 40),
    ),
    Prompt(
        "chicken dance, flapping elbows",
        lambda b: (b.tilt < 50)
        & b.both(
            lambda s: (s.elbow_angle < 100) & (s.out(s.elbow) > 0.07) & near(s.palm, s.shoulder, 0.42)
            & (s.upper_arm > -72)
        ),
    ),
    Prompt(
        "kid pretending to be an airplane",
        lambda b: b.both(lambda s: (s.out(s.wrist) > 0.3) & (s.elbow_angle > 135) & within(overhead(s), 50, 135))
        & (b.tilt < 110),
    ),
    Prompt(
        "statue of liberty",
        lambda b: tall(b)
        & b.any(
            lambda s: (s.arm > 45) & (s.elbow_angle > 115) & (s.other.elbow_angle < 135) & (s.other.arm < 0)
            & near(s.other.palm, heart(b), 0.5)
        ),
    ),
    Prompt(
        "usain bolt victory pose",
        lambda b: (b.tilt < 50)
        & b.any(
            lambda s: (s.arm > 5) & (s.elbow_angle > 130) & (s.other.elbow_angle < 115) & (s.other.upper_arm > -40)
            & near(s.other.palm, b.neck, 0.42)
        ),
    ),
    Prompt(
        "dabbing",
        lambda b: b.any(
            lambda s: (s.arm > -10) & (s.elbow_angle > 130) & (s.out(s.wrist) > 0.15)
            & (to_arm(face(b), s.other) < 0.26) & (s.other.elbow_angle < 120)
        ),
    ),
    Prompt(
        "ballerina on her toes, arms rounded overhead",
        lambda b: (b.tilt < 35)
        & b.both(lambda s: above(s.palm, b.crown, -0.05) & (s.upper_arm > 0))
        & (b.palms_apart < 0.75)
        & b.any(lambda s: s.sole < -38),
    ),
    Prompt(
        "saturday night fever disco point",
        lambda b: (b.tilt < 40) & (b.height(b.pelvis) > 0.65)
        & b.any(lambda s: (s.arm > 22) & (s.elbow_angle > 130) & (s.other.arm < 0)),
    ),
    Prompt(
        "karate kid crane stance",
        lambda b: (b.tilt < 35)
        & b.any(lambda s: (s.thigh > -38) & (b.height(s.ankle) > 0.2) & (s.other.thigh < -55))
        & b.both(lambda s: (s.upper_arm > -32) & above(s.wrist, b.chest, -0.05)),
    ),
    Prompt(
        "scarecrow in a corn field",
        lambda b: (b.tilt < 35) & (b.height(b.pelvis) > 0.7)
        & b.both(lambda s: within(s.upper_arm, -35, 32) & (s.out(s.elbow) > 0.15)),
    ),
    Prompt(
        "standing at attention",
        lambda b: (b.tilt < 18)
        & b.both(lambda s: (s.knee_angle > 152) & (s.arm < -62) & (s.elbow_angle > 135))
        & (b.feet_apart < 0.36),
    ),
    Prompt(
        "marching in a parade, knee high",
        lambda b: (b.tilt < 30)
        & b.any(lambda s: (s.thigh > -45) & (s.other.thigh < -60) & straight_leg(s.other) & (b.height(s.ankle) > 0.15)),
    ),
    Prompt(
        "traffic cop signaling stop",
        lambda b: tall(b)
        & b.any(
            lambda s: (s.arm > -12) & (s.elbow_angle > 105) & above(s.palm, s.shoulder, -0.08)
            & ((b.before(s.wrist) > 0.2) | (s.out(s.wrist) > 0.25) | (s.arm > 35)) & (s.other.elbow_angle > 60)
        )
        & (b.gaze > -25)
        & b.any(lambda s: s.arm < 20),
    ),
    Prompt(
        "waiter carrying a tray of drinks on one hand",
        lambda b: tall(b)
        & b.any(
            lambda s: (s.elbow_angle < 128)
            & (
                (within(s.forearm, -18, 32) & (s.upper_arm < -20) & above(s.palm, b.chest, -0.2))
                | above(s.palm, s.shoulder, -0.12)
            )
            & (s.upper_arm < 30) & (dist(s.palm, b.head) > 0.2) & (s.out(s.palm) > -0.14)
            & above(s.palm, s.other.palm, 0.12) & (s.other.arm < -40)
        )
        & (b.gaze > -28),
    ),
    Prompt(
        "orchestra conductor",
        lambda b: (b.tilt < 30) & (b.palms_apart > 0.22)
        & b.both(
            lambda s: (b.before(s.wrist) > 0.1) & (s.arm > -38) & (s.forearm > -12) & (s.elbow_angle < 168)
            & (dist(s.palm, b.head) > 0.25)
        )
        & b.any(lambda s: above(s.palm, s.shoulder, -0.05)),
    ),
    Prompt(
        "playing the violin",
        lambda b: b.any(
            lambda s: above(s.palm, s.shoulder, -0.13) & within(s.elbow_angle, 40, 150) & (s.out(s.palm) > -0.03)
            & (dist(s.palm, b.neck) > 0.25) & (s.upper_arm < 12) & (s.sign * b.turn > -10) & (b.before(s.palm) > 0.06)
            & (b.before(s.other.palm) > 0.12) & above(s.other.palm, b.pelvis, 0.18)
            & within(s.other.elbow_angle, 35, 158) & (s.other.forearm > -35) & within(b.palms_apart, 0.08, 0.62)
        ),
    ),
    Prompt(
        "strumming an acoustic guitar",
        lambda b: (b.tilt < 45)
        & b.any(
            lambda s: near(s.palm, belly(b), 0.26) & (s.elbow_angle < 125) & (s.other.elbow_angle < 152)
            & above(s.other.palm, s.palm, -0.05) & (s.other.out(s.other.palm) > -0.04) & (b.before(s.other.palm) > 0.08)
            & (dist(s.palm, s.other.palm) > 0.32) & (s.other.arm < 0)
        ),
    ),
    Prompt(
        "pianist at the grand piano",
        lambda b: b.seated
        & b.both(
            lambda s: (b.before(s.wrist) > 0.18) & within(s.forearm, -42, 35) & within(s.elbow_angle, 55, 165)
            & (s.upper_arm < -15)
        )
        & (abs(steps_ahead(b.left)) < 0.5),
    ),
    Prompt(
        "dj with a hand on his headphones",
        lambda b: b.any(lambda s: near(s.palm, s.ear, 0.2) & (s.other.arm < 0) & (b.before(s.other.wrist) > 0.1)),
    ),
    Prompt(
        "singing into a microphone",
        lambda b: b.any(
            lambda s: near(s.palm, b.on_head(0, -0.02, 0.14), 0.22) & (s.elbow_angle < 105) & (b.before(s.palm) > 0.1)
            & (s.forearm > 15) & (s.upper_arm < 10)
        ),
    ),
    Prompt(
        "mopping the kitchen floor",
        lambda b: on_feet(b)
        & b.both(lambda s: (b.before(s.palm) > 0.1) & (s.arm < 15))
        & (b.palms_apart < 0.75) & ((b.palms_apart < 0.25) | (abs(rise(b.left.palm, b.right.palm)) > 20))
        & (b.lean > 8) & (b.gaze < -5)
        & b.any(lambda s: s.arm < -30),
    ),
    Prompt(
        "pulling weeds in the garden",
        lambda b: b.any(lambda s: b.height(s.palm) < 0.38)
        & (b.facing < 0) & ((b.height(b.pelvis) < 0.6) | (b.lean > 45)) & (b.tilt < 130) & feet_low(b, 0.35),
    ),
    Prompt(
        "lumberjack with the axe raised over his head",
        lambda b: b.both(lambda s: above(s.palm, b.eyes, -0.03) & (s.upper_arm > -20))
        & (b.palms_apart < 0.5) & (b.tilt < 45),
    ),
    Prompt(
        "rowing machine",
        lambda b: (b.height(b.pelvis) < 0.55) & (b.tilt < 55) & (b.palms_apart < 0.75)
        & b.both(lambda s: (s.hip_angle < 140) & (s.thigh > -30) & (b.before(s.palm) > 0.05) & (s.arm < 20)),
    ),
    Prompt(
        "diving head first into the pool",
        lambda b: b.both(lambda s: (overhead(s) < 55) & (s.elbow_angle > 120))
        & (b.palms_apart < 0.6) & (b.lean > 45) & (b.facing < 20),
    ),
    Prompt(
        "sprinter in the starting blocks",
        lambda b: (b.lean > 40) & (b.height(b.pelvis) > 0.3)
        & b.both(lambda s: (b.height(s.palm) < 0.28) & (s.elbow_angle > 120))
        & b.any(lambda s: (s.knee_angle < 130) & (steps_ahead(s) > 0.08)),
    ),
    Prompt(
        "going for a jog",
        lambda b: (b.tilt < 35) & (b.height(b.pelvis) > 0.65)
        & b.both(lambda s: (s.elbow_angle < 130) & (s.upper_arm < -15))
        & b.any(lambda s: (b.height(s.ankle) > 0.16) & (s.knee_angle < 140)),
    ),
    Prompt(
        "hurdler clearing the hurdle",
        lambda b: b.any(
            lambda s: (s.thigh > -35) & (s.knee_angle > 105) & (s.other.knee_angle < 140) & (steps_ahead(s) > 0.35)
        )
        & (b.feet_apart > 0.55) & (b.tilt < 70) & (b.height(b.pelvis) > 0.3),
    ),
    Prompt(
        "tightrope walker",
        lambda b: (b.tilt < 35) & (b.height(b.pelvis) > 0.65)
        & b.both(lambda s: within(s.arm, -38, 45) & (s.out(s.wrist) > 0.2))
        & (abs(b.leftward(b.left.ankle) - b.leftward(b.right.ankle)) < 0.26),
    ),
    Prompt(
        "doing the limbo",
        lambda b: (b.lean < -18)
        & b.both(lambda s: (s.knee_angle < 160) & (b.height(s.ankle) < 0.3))
        & (b.height(b.pelvis) > 0.25),
    ),
    Prompt(
        "curled up in the fetal position",
        lambda b: (b.tilt > 50)
        & b.both(lambda s: (s.hip_angle < 105) & (s.knee_angle < 115))
        & (b.height(b.pelvis) < 0.45) & (b.facing > -50),
    ),
    Prompt("sleeping on his side", on_side),
    Prompt(
        "making a snow angel",
        lambda b: on_back(b)
        & b.both(lambda s: within(overhead(s), 5, 150) & (s.out(s.wrist) > 0.12) & (s.knee_angle > 130)),
    ),
    Prompt(
        "woman crying into her hands",
        lambda b: b.both(lambda s: (to_nearer(s.palm, face(b), cheek(s)) < 0.22) & (s.elbow_angle < 110))
        & (b.gaze < 20),
    ),
    Prompt("angry mom with hands on hips", lambda b: (b.tilt < 35) & (b.height(b.pelvis) > 0.65) & b.both(on_hip)),
    Prompt(
        "freezing cold, hugging herself",
        lambda b: b.both(lambda s: (to_upper_arm(s.palm, s.other) < 0.25) & (s.elbow_angle < 130)),
    ),
    Prompt(
        "YES we won!!! both fists in the air",
        lambda b: b.both(lambda s: above(s.wrist, b.head) & (s.arm > 25)) & (b.tilt < 50),
    ),
    Prompt(
        "cowering in fear",
        lambda b: b.both(lambda s: (s.elbow_angle < 130) & near(s.palm, skull(b), 0.43))
        & ((b.height(b.pelvis) < 0.82) | (b.rounded > 12) | (abs(b.lean) > 15)) & (b.gaze < 25),
    ),
    Prompt(
        "out of breath after a run, hands on knees",
        lambda b: b.both(lambda s: near(s.palm, s.knee, 0.27)) & (b.lean > 18) & (b.height(b.pelvis) > 0.5),
    ),
    Prompt(
        "bad stomach ache",
        lambda b: b.any(lambda s: near(s.palm, belly(b), 0.22))
        & b.both(lambda s: near(s.palm, belly(b), 0.6))
        & ((b.lean > 5) | (b.rounded > 8) | (b.tilt > 40)),
    ),
    Prompt("terrible headache", lambda b: b.any(lambda s: near(s.palm, skull(b), 0.21) & (s.elbow_angle < 115))),
    Prompt(
        "big stretch and yawn after waking up",
        lambda b: b.any(lambda s: above(s.palm, b.mouth, -0.05) & (s.upper_arm > -10))
        & b.both(lambda s: s.upper_arm > -35)
        & b.both(lambda s: above(s.palm, s.shoulder, -0.05)),
    ),
    Prompt(
        "begging for mercy",
        lambda b: b.any(lambda s: (b.height(s.knee) < 0.2) & (s.knee_angle < 130))
        & b.both(lambda s: b.before(s.palm) > 0.1)
        & (b.palms_apart < 0.8) & (b.tilt < 70),
    ),
    Prompt(
        "sumo wrestler ready to charge",
        lambda b: (b.feet_apart > 0.4)
        & b.both(lambda s: (s.knee_angle < 140) & (b.height(s.ankle) < 0.3))
        & (b.height(b.pelvis) < 0.78) & (knees_apart(b) > 0.42),
    ),
    Prompt(
        "fencing lunge",
        lambda b: (b.feet_apart > 0.55) & (b.tilt < 55)
        & b.any(lambda s: level(s, 32) & straight_arm(s) & ((b.before(s.wrist) > 0.2) | (s.out(s.wrist) > 0.25)))
        & b.any(lambda s: (s.knee_angle < 145) & (s.other.knee_angle > 125) & (s.thigh > -65)),
    ),
    Prompt(
        "gorilla beating its chest",
        lambda b: b.any(lambda s: near(s.palm, heart(b), 0.23))
        & b.both(lambda s: (s.elbow_angle < 112) & near(s.palm, heart(b), 0.45) & (s.out(s.elbow) > 0.02))
        & (b.tilt < 60),
    ),
    Prompt(
        "sitting like a frog ready to leap",
        lambda b: (b.height(b.pelvis) < 0.52)
        & b.both(lambda s: (s.knee_angle < 105) & (b.height(s.palm) < 0.35))
        & (knees_apart(b) > 0.3) & (b.tilt < 85),
    ),
    Prompt("cat stretch on all fours with back rounded up", lambda b: b.all_fours & (b.rounded > 8)),
    Prompt(
        "flamingo",
        lambda b: (b.tilt < 45)
        & b.any(lambda s: (s.knee_angle < 120) & (b.height(s.ankle) > 0.22) & straight_leg(s.other)),
    ),
    Prompt(
        "walking like a penguin",
        lambda b: (b.tilt < 30)
        & b.both(lambda s: (s.arm < -30) & (s.elbow_angle > 115) & (s.out(s.palm) > 0.03) & (s.knee_angle > 135))
        & (b.feet_apart < 0.5),
    ),
    Prompt(
        "hitchiking on the highway",
        lambda b: tall(b)
        & b.any(
            lambda s: within(s.arm, -48, 35) & (s.elbow_angle > 98) & (s.out(s.palm) > 0.1)
            & (dist(s.palm, s.shoulder) > 0.4) & (s.other.arm < -40)
        ),
    ),
)

LIMBS: tuple[Prompt, ...] = (
    Prompt(
        "left arm straight up, right arm down by the side",
        lambda b: (b.left.arm > 50) & (b.left.elbow_angle > 130) & hangs(b.right),
    ),
    Prompt(
        "hands behind head, elbows out wide",
        lambda b: b.both(
            lambda s: (to_nearer(s.palm, b.nape, b.head) < 0.24) & (s.out(s.elbow) > 0.06) & (s.elbow_angle < 95)
        ),
    ),
    Prompt(
        "standing straight with both hands behind the back",
        lambda b: tall(b) & b.both(lambda s: near(s.palm, low_back(b), 0.3) & (b.before(s.palm) < 0.0)),
    ),
    Prompt("arms crossed over the chest, standing", lambda b: (b.tilt < 30) & (b.height(b.pelvis) > 0.7) & folded(b)),
    Prompt("right hand on left shoulder", lambda b: near(b.right.palm, b.left.shoulder, 0.2)),
    Prompt("bend down and touch right foot with left hand", lambda b: to_foot(b.left.palm, b.right) < 0.27),
    Prompt(
        "balance on the left leg and pull right knee up to the chest",
        lambda b: (b.right.thigh > -20) & (b.right.knee_angle < 120) & (b.left.thigh < -55) & (b.tilt < 35)
        & b.any(lambda s: to_leg(s.palm, b.right) < 0.28),
    ),
    Prompt(
        "bend over and touch ur toes, keep the legs straight",
        lambda b: (b.lean > 60)
        & b.both(lambda s: (s.knee_angle > 135) & (b.height(s.palm) < 0.38))
        & (b.height(b.pelvis) > 0.6) & feet_low(b),
    ),
    Prompt(
        "leaning over to the right with the left arm reaching over the head",
        lambda b: (b.lean_left < -8) & above(b.left.palm, b.head) & (b.left.upper_arm > 15),
    ),
    Prompt("head tilted so the left ear goes toward the left shoulder", lambda b: b.ear_to_left > 13),
    Prompt("looking back over the right shoulder", lambda b: b.turn_in_all < -48),
    Prompt(
        "staring straight up at the sky, arms hanging loose",
        lambda b: (b.gaze > 28) & b.both(lambda s: s.arm < -45) & (b.tilt < 40),
    ),
    Prompt(
        "chin down on the chest, standing sadly with arms hanging",
        lambda b: (b.gaze < -24) & (b.nod < -5)
        & b.both(lambda s: s.arm < -48)
        & (b.height(b.pelvis) > 0.7) & (b.tilt < 40),
    ),
    Prompt(
        "sitting on the floor with both legs straight out in front",
        lambda b: b.on_bottom
        & b.both(lambda s: (s.knee_angle > 140) & within(leg(s), -25, 25) & (b.ahead(s.ankle) > 0.4)),
    ),
    Prompt(
        "sat on the ground hugging her knees to her chest",
        lambda b: b.on_bottom
        & b.both(lambda s: (s.knee_angle < 100) & (s.hip_angle < 85) & (to_shins(s.palm, b) < 0.27)),
    ),
    Prompt(
        "sitting on the floor, legs spread in a wide V",
        lambda b: b.on_bottom
        & b.both(lambda s: (s.knee_angle > 135) & (b.height(s.ankle) < 0.3))
        & (b.feet_apart > 0.75),
    ),
    Prompt(
        "sitting on a bench, elbows on knees, head hanging",
        lambda b: sits(b) & b.both(lambda s: to_thigh(s.elbow, s) < 0.26) & (b.lean > 10) & (b.gaze < -5),
    ),
    Prompt(
        "sitting in a chair with left ankle resting on the right knee",
        lambda b: sits(b) & (to_thigh(b.left.ankle, b.right) < 0.27),
    ),
    Prompt(
        "sitting on the grass leaning back on both hands",
        lambda b: (b.height(b.pelvis) < 0.4) & within(b.lean, -75, -2)
        & b.both(lambda s: (b.height(s.palm) < 0.28) & (b.ahead(s.palm) < 0.05))
        & b.both(lambda s: s.hip_angle < 160),
    ),
    Prompt(
        "sitting back on the heels, hands resting on thighs",
        lambda b: b.on_bottom
        & b.both(lambda s: (s.knee_angle < 75) & (b.height(s.knee) < 0.25) & (to_thighs(s.palm, b) < 0.24))
        & (b.tilt < 40),
    ),
    Prompt(
        "upright on both knees with arms held straight out in front",
        lambda b: kneels(b) & (b.height(b.pelvis) > 0.3)
        & b.both(lambda s: within(s.arm, -30, 35) & (b.before(s.wrist) > 0.28) & straight_arm(s)),
    ),
    Prompt(
        "kneeling on the right knee, both hands on the left knee",
        lambda b: half_kneels(b.right) & b.both(lambda s: near(s.palm, b.left.knee, 0.33)),
    ),
    Prompt(
        "on hands and knees, stretch right arm forward and left leg back",
        lambda b: within(b.tilt, 45, 120) & (b.facing < -25) & (b.right.arm > -40) & (overhead(b.right) < 70)
        & (b.height(b.left.ankle) > 0.2) & (b.left.hip_angle > 130) & (b.height(b.right.knee) < 0.25)
        & (b.height(b.left.palm) < 0.28),
    ),
    Prompt("on all fours looking up, back sagging", lambda b: b.all_fours & (b.gaze > -20) & (b.rounded < 12)),
    Prompt(
        "lying on the back with both legs straight up in the air",
        lambda b: on_back(b) & b.both(lambda s: (leg(s) > 45) & (s.knee_angle > 130)),
    ),
    Prompt(
        "lying on back, knees bent, feet flat on the floor",
        lambda b: on_back(b)
        & b.both(lambda s: within(s.knee_angle, 35, 130) & (b.height(s.ankle) < 0.28) & (b.height(s.knee) > 0.22)),
    ),
    Prompt(
        "laying on his belly with his head resting on folded arms",
        lambda b: on_belly(b)
        & b.both(lambda s: (s.elbow_angle < 125) & near(s.palm, b.head, 0.4) & (b.height(s.palm) < 0.3)),
    ),
    Prompt(
        "lie on your stomach and bend both knees so the heels come to your bum",
        lambda b: on_belly(b) & b.both(lambda s: (s.knee_angle < 110) & (b.height(s.knee) < 0.25)),
    ),
    Prompt(
        "lying on the right side, right hand propping up the head",
        lambda b: within(b.tilt, 30, 120) & above(b.left.shoulder, b.right.shoulder, 0.1) & (b.height(b.pelvis) < 0.4)
        & near(b.right.palm, skull(b), 0.28) & (b.right.elbow_angle < 100),
    ),
    Prompt(
        "flat on his back hugging both knees in",
        lambda b: on_back(b) & b.both(lambda s: (s.hip_angle < 95) & (s.knee_angle < 110) & (to_leg(s.palm, s) < 0.28)),
    ),
    Prompt(
        "lying in the grass with hands under the head and one knee up",
        lambda b: on_back(b)
        & b.both(lambda s: near(s.palm, b.nape, 0.28))
        & b.any(lambda s: (s.knee_angle < 130) & (b.height(s.knee) > 0.2)),
    ),
    Prompt(
        "face down on the floor, arms stretched out past the head",
        lambda b: on_belly(b) & b.both(lambda s: (overhead(s) < 55) & (s.elbow_angle > 120) & (s.hip_angle > 140)),
    ),
    Prompt(
        "crouching down small with arms wrapped around the knees",
        lambda b: (b.height(b.pelvis) < 0.55)
        & b.both(lambda s: (s.knee_angle < 100) & (s.hip_angle < 95) & (to_shins(s.palm, b) < 0.28)),
    ),
    Prompt(
        "crouched low, one hand on the ground and the other arm stretched out behind",
        lambda b: (b.height(b.pelvis) < 0.65) & (b.tilt < 110) & feet_low(b, 0.35)
        & b.any(lambda s: s.knee_angle < 110)
        & b.any(
            lambda s: (b.height(s.palm) < 0.28) & (s.other.elbow_angle > 120) & (b.before(s.other.wrist) < 0.12)
            & (dist(s.palm, s.other.palm) > 0.4)
        ),
    ),
    Prompt(
        "crouching with both hands over the head for protection",
        lambda b: (b.height(b.pelvis) < 0.65) & b.both(lambda s: (s.knee_angle < 120) & near(s.palm, skull(b), 0.27)),
    ),
    Prompt(
        "half squat with arms straight out in front of you",
        lambda b: (b.tilt < 55)
        & b.both(
            lambda s: within(s.knee_angle, 50, 155) & within(s.arm, -30, 35) & (b.before(s.wrist) > 0.28)
            & straight_arm(s) & (b.height(s.ankle) < 0.25) & (s.shin < -40)
        ),
    ),
    Prompt(
        "legs wide, knees bent, both hands on the thighs",
        lambda b: (b.feet_apart > 0.38)
        & b.both(lambda s: (s.knee_angle < 160) & (to_thigh(s.palm, s) < 0.24))
        & (b.height(b.pelvis) > 0.4),
    ),
    Prompt(
        "standing like a star, legs apart and arms up and out",
        lambda b: (b.feet_apart > 0.42)
        & b.both(lambda s: within(s.arm, -15, 75) & (s.out(s.wrist) > 0.2) & straight_arm(s) & (s.knee_angle > 140))
        & (b.tilt < 30),
    ),
    Prompt(
        "standing with the legs crossed at the ankles",
        lambda b: tall(b) & (b.left.aside(b.left.ankle) + b.right.aside(b.right.ankle) < 0.02) & (b.feet_apart < 0.42),
    ),
    Prompt(
        "big step forward with the right foot, left arm swinging forward",
        lambda b: (steps_ahead(b.right) > 0.33) & (b.tilt < 40)
        & (b.ahead(b.left.wrist) > b.ahead(b.left.shoulder) + 0.12)
        & (b.ahead(b.left.wrist) > b.ahead(b.right.wrist) + 0.08),
    ),
    Prompt(
        "standing on one leg, the other lifted straight out behind, body tipped forward",
        lambda b: (b.lean > 22)
        & b.any(lambda s: (leg(s) > -50) & (s.knee_angle > 130) & (steps_ahead(s) < -0.4) & (s.other.thigh < -45)),
    ),
    Prompt(
        "right leg lifted out to the side",
        lambda b: (b.right.aside(b.right.ankle) - b.right.aside(b.right.hip) > 0.25) & (b.height(b.right.ankle) > 0.12)
        & (leg(b.right) > -72) & (b.right.knee_angle > 125) & (b.left.thigh < -65),
    ),
    Prompt(
        "left leg raised straight in front to hip height",
        lambda b: (leg(b.left) > -30) & (b.left.knee_angle > 130) & (b.right.thigh < -60)
        & (steps_ahead(b.left) > 0.35),
    ),
    Prompt(
        "grabbing right foot behind the bum with right hand while standing",
        lambda b: (b.right.knee_angle < 95) & (to_foot(b.right.palm, b.right) < 0.27) & (b.left.thigh < -60)
        & (b.right.thigh < -30),
    ),
    Prompt(
        "on tippy toes reaching up with both hands for the top shelf",
        lambda b: b.both(lambda s: (s.arm > 42) & (s.sole < -30)) & (b.tilt < 35) & (b.height(b.pelvis) > 0.75),
    ),
    Prompt(
        "knees knocked together, feet apart",
        lambda b: (knees_apart(b) < 0.68 * b.feet_apart) & (knees_apart(b) < 0.24) & (b.feet_apart > 0.2)
        & (abs(steps_ahead(b.left)) < 0.25) & feet_low(b, 0.15) & (b.height(b.pelvis) > 0.6),
    ),
    Prompt(
        "both arms out to the sides with elbows bent 90 degrees, hands up",
        lambda b: b.both(
            lambda s: within(s.upper_arm, -40, 38) & (s.out(s.elbow) > 0.12) & within(s.elbow_angle, 55, 130)
            & (s.forearm > 35)
        ),
    ),
    Prompt("left hand on hip, right arm raised high", lambda b: on_hip(b.left) & (b.right.arm > 38)),
    Prompt(
        "right hand on the chin, left arm across the belly holding right elbow",
        lambda b: near(b.right.palm, chin(b), 0.22) & (to_forearm(b.right.elbow, b.left) < 0.24)
        & (b.left.elbow_angle < 130),
    ),
    Prompt(
        "one hand covering the mouth in shock",
        lambda b: b.any(lambda s: near(s.palm, b.mouth, 0.17) & (s.elbow_angle < 110)),
    ),
    Prompt(
        "covering both ears, too loud!!",
        lambda b: b.both(lambda s: near(s.palm, s.ear, 0.2) & (s.elbow_angle < 105)),
    ),
    Prompt(
        "hand above the eyes to block the sun while looking far away",
        lambda b: b.any(
            lambda s: (to_nearer(s.palm, brow(s), b.on_head(0, 0.12, 0.12)) < 0.2) & (s.elbow_angle < 110)
            & (s.upper_arm > -60)
        )
        & (b.tilt < 50),
    ),
    Prompt(
        "both hands resting on top of the head",
        lambda b: b.both(lambda s: near(s.palm, b.crown, 0.21) & (s.upper_arm > -35)),
    ),
    Prompt(
        "palms pressed together in front of the chest, standing",
        lambda b: (b.palms_apart < 0.2)
        & b.both(
            lambda s: (s.elbow_angle < 120) & within(b.before(s.palm), 0.06, 0.5) & above(s.palm, b.chest, -0.2)
            & (s.forearm > -25)
        )
        & (b.tilt < 30) & (b.height(b.pelvis) > 0.7),
    ),
    Prompt(
        "arms streched forward at shoulder hight",
        lambda b: b.both(lambda s: within(s.arm, -22, 27) & (b.before(s.wrist) > 0.33) & straight_arm(s))
        & (b.tilt < 40),
    ),
    Prompt(
        "right arm pointing straight ahead while the left hand is behind the back",
        lambda b: within(b.right.arm, -30, 35) & (b.before(b.right.wrist) > 0.28) & (b.right.elbow_angle > 130)
        & near(b.left.palm, low_back(b), 0.3),
    ),
    Prompt(
        "pointing to the left with the left arm and looking that way",
        lambda b: within(b.left.arm, -35, 45) & (b.left.elbow_angle > 125) & (b.left.aside(b.left.wrist) > 0.4)
        & (b.turn_in_all > 15),
    ),
    Prompt(
        "slouching, shoulders forward, back rounded",
        lambda b: (b.rounded > 12) & (b.gaze < 10) & (b.tilt < 50) & b.both(lambda s: s.upper_arm < -40),
    ),
    Prompt(
        "leaning back with both hands on the lower back, like its sore",
        lambda b: (b.tilt < 50) & ((b.lean < -3) | (b.rounded < -8))
        & b.both(lambda s: (to_nearer(s.palm, low_back(b), waist(s)) < 0.24) & (s.elbow_angle < 140)),
    ),
    Prompt(
        "bent forward at the waist with flat back and arms spread to the sides",
        lambda b: (b.lean > 40) & (b.height(b.pelvis) > 0.55)
        & b.both(lambda s: (s.out(s.wrist) > 0.25) & straight_arm(s))
        & (b.rounded < 50),
    ),
    Prompt(
        "folded forward, arms and head dangling down like a rag doll",
        lambda b: (b.lean > 50) & (b.height(b.pelvis) > 0.55)
        & b.both(lambda s: s.arm < -45)
        & feet_low(b, 0.3) & (b.nod < 35),
    ),
    Prompt(
        "upper body twisted to the left, feet planted",
        lambda b: (chest_turn(b) > 18) & feet_low(b) & (b.height(b.pelvis) > 0.6),
    ),
    Prompt(
        "fingers interlaced above the head, arms straight",
        lambda b: (b.palms_apart < 0.25) & b.both(lambda s: (s.arm > 42) & (s.elbow_angle > 115)),
    ),
    Prompt(
        "legs wide, right hand down at the right ankle, left arm straight up to the ceiling",
        lambda b: (b.feet_apart > 0.45)
        & (np.minimum(to_shin(b.right.palm, b.right), dist(b.right.palm, b.right.foot)) < 0.3) & (b.left.arm > 35)
        & straight_arm(b.left) & (b.height(b.pelvis) > 0.5),
    ),
    Prompt(
        "bring the left elbow to the right knee, standing",
        lambda b: near(b.left.elbow, b.right.knee, 0.3) & (b.right.thigh > -40) & (b.left.thigh < -50),
    ),
    Prompt(
        "right arm reaching over the shoulder to scratch the upper back",
        lambda b: (b.right.upper_arm > -5) & (b.right.elbow_angle < 85) & (b.before(b.right.palm) < 0.06)
        & near(b.right.palm, b.neck, 0.34),
    ),
    Prompt("both hands holding the belly", lambda b: b.both(lambda s: near(s.palm, belly(b), 0.23))),
    Prompt(
        "right hand over the heart, left arm at the side",
        lambda b: near(b.right.palm, on_chest(b, 0.05, 0.08, 0.14), 0.22) & (b.left.arm < -50),
    ),
    Prompt(
        "sitting up straight on a chair, hands on the thighs",
        lambda b: b.seated & (b.tilt < 25) & b.both(lambda s: to_thighs(s.palm, b) < 0.22),
    ),
    Prompt("sitting with arms folded", lambda b: sits(b) & folded(b)),
    Prompt(
        "kid at a school desk raising his right hand",
        lambda b: sits(b) & above(b.right.palm, b.head) & (b.right.forearm > 25)
        & above(b.right.palm, b.left.palm, 0.15),
    ),
    Prompt(
        "slumped in an armchair, legs stretched out long",
        lambda b: within(b.lean, -70, 15)
        & b.both(lambda s: (s.knee_angle > 125) & within(leg(s), -55, 20) & within(s.hip_angle, 60, 160))
        & (b.height(b.pelvis) < 0.6),
    ),
    Prompt(
        "sitting on the floor, left leg straight, right knee bent up with the foot flat",
        lambda b: b.on_bottom & (b.left.knee_angle > 138) & (b.right.knee_angle < 120)
        & (b.height(b.right.knee) > 0.22) & (b.height(b.right.ankle) < 0.3),
    ),
    Prompt(
        "sitting on a chair bending down to tie a shoe",
        lambda b: (b.lean > 25)
        & b.any(lambda s: s.hip_angle < 90)
        & (b.height(b.pelvis) > 0.2)
        & b.any(lambda s: np.minimum(to_foot(s.palm, s), to_foot(s.palm, s.other)) < 0.3)
        & b.any(lambda s: s.thigh > -40),
    ),
    Prompt(
        "sitting at a table, chin resting in both hands",
        lambda b: sits(b) & b.both(lambda s: (to_nearer(s.palm, chin(b), cheek(s)) < 0.2) & (s.elbow_angle < 95)),
    ),
    Prompt("sitting with one leg crossed over the other", lambda b: sits(b) & legs_crossed(b)),
    Prompt(
        "on knees with forehead to the floor and arms reaching forward",
        lambda b: b.both(
            lambda s: (b.height(s.knee) < 0.25) & (s.knee_angle < 115) & (b.height(s.palm) < 0.3) & (overhead(s) < 85)
        )
        & (b.height(b.head) < 0.4),
    ),
    Prompt(
        "kneeling and leaning far back, hands on the heels",
        lambda b: b.both(lambda s: (b.height(s.knee) < 0.25) & (b.height(s.palm) < 0.4) & (to_foot(s.palm, s) < 0.36))
        & ((b.facing > 15) | (b.lean < -18)) & (b.height(b.pelvis) > 0.15),
    ),
    Prompt(
        "kneeling tall w/ hands on hips",
        lambda b: kneels(b) & (b.tilt < 30) & (b.height(b.pelvis) > 0.33) & b.both(on_hip),
    ),
    Prompt("down on one knee with the right arm raised up", lambda b: b.any(half_kneels) & (b.right.arm > 30)),
    Prompt(
        "walking, left leg in front, right heel coming off the ground",
        lambda b: (steps_ahead(b.left) > 0.24) & (b.tilt < 28) & (b.right.sole < -33) & (b.height(b.left.ankle) < 0.2)
        & (b.height(b.right.ankle) < 0.38) & (b.height(b.pelvis) > 0.72) & (b.left.knee_angle > 130),
    ),
    Prompt(
        "in the air with both knees tucked up",
        lambda b: b.both(lambda s: (s.hip_angle < 115) & (s.knee_angle < 120) & (s.thigh > -45)) & (b.tilt < 65),
    ),
    Prompt(
        "leaping with legs split, one forward one back",
        lambda b: b.any(lambda s: steps_ahead(s) > 0.6)
        & (b.feet_apart > 0.75) & (b.tilt < 50)
        & b.both(lambda s: s.knee_angle > 95),
    ),
    Prompt(
        "arms held away from the body pointing down at 45 degrees",
        lambda b: b.both(lambda s: within(s.arm, -70, -18) & (s.out(s.wrist) > 0.12) & (s.elbow_angle > 135))
        & (b.tilt < 35),
    ),
    Prompt("left hand touching the right ear, elbow out to the front", lambda b: near(b.left.palm, b.right.ear, 0.2)),
    Prompt(
        "fingertips on the shoulders, elbows pointing out",
        lambda b: b.both(lambda s: near(s.palm, s.shoulder, 0.22) & (s.elbow_angle < 70) & (s.out(s.elbow) > 0.08)),
    ),
    Prompt(
        "left arm pulled across the chest by the right arm",
        lambda b: (b.left.out(b.left.wrist) < -0.3) & (b.left.elbow_angle > 115) & within(b.left.arm, -45, 35)
        & (to_line(b.right.palm, b.left.elbow, b.left.wrist) < 0.27),
    ),
    Prompt(
        "bent forward with both arms swept straight back behind like a ski jumper",
        lambda b: (b.lean > 18) & b.both(lambda s: straight_arm(s) & (b.before(s.wrist) < 0.05) & (overhead(s) > 115)),
    ),
    Prompt(
        "one arm straight forward, the other straight back, standing",
        lambda b: (b.tilt < 40)
        & b.any(
            lambda s: (b.ahead(s.wrist) - b.ahead(s.shoulder) > 0.27)
            & (b.ahead(s.other.wrist) - b.ahead(s.other.shoulder) < -0.1)
        )
        & b.both(lambda s: s.elbow_angle > 125),
    ),
    Prompt(
        "lying down, one leg straight up, the other flat on the floor",
        lambda b: on_back(b)
        & b.any(
            lambda s: (leg(s) > 40) & (s.knee_angle > 130) & within(leg(s.other), -25, 25) & (s.other.knee_angle > 130)
        ),
    ),
    Prompt(
        "upside down on the shoulders, legs pointing up to the ceiling",
        lambda b: (b.height(b.neck) < 0.35)
        & b.both(lambda s: (leg(s) > 50) & (b.height(s.ankle) > 0.75))
        & (b.tilt > 95),
    ),
    Prompt(
        "belly up on hands and feet like a crab",
        lambda b: b.both(lambda s: (b.height(s.palm) < 0.25) & (b.height(s.ankle) < 0.25) & (s.knee_angle < 140))
        & (b.facing > 15) & (b.height(b.pelvis) > 0.15),
    ),
    Prompt(
        "hands in the air like you are being robbed",
        lambda b: b.both(lambda s: above(s.palm, s.shoulder, 0.05) & (s.forearm > 30) & (s.out(s.palm) > -0.1))
        & (b.tilt < 40),
    ),
    Prompt(
        "standing with the right hand on the left hip and the other arm hanging",
        lambda b: near(b.right.palm, waist(b.left), 0.27) & (b.left.arm < -45),
    ),
    Prompt(
        "feet together, arms pressed against the thighs, body straight as a stick",
        lambda b: (b.feet_apart < 0.3)
        & b.both(lambda s: (s.arm < -64) & (s.elbow_angle > 140) & (s.knee_angle > 155))
        & (b.tilt < 14),
    ),
    Prompt(
        "right fist punched straight up, left fist at the waist",
        lambda b: (b.right.arm > 48) & (b.right.elbow_angle > 120) & (b.left.elbow_angle < 140)
        & near(b.left.palm, waist(b.left), 0.33),
    ),
    Prompt(
        "stepping up onto a high box with the left foot",
        lambda b: (b.left.thigh > -48) & (b.left.knee_angle < 130) & (b.height(b.left.ankle) > 0.2)
        & (b.right.thigh < -50) & (b.ahead(b.left.knee) > 0.2) & (b.tilt < 50),
    ),
    Prompt(
        "reaching down to the left to pick something up, knees bent",
        lambda b: feet_low(b, 0.35) & (b.tilt < 110) & (b.lean > 0)
        & b.any(lambda s: s.knee_angle < 150)
        & b.any(lambda s: (b.height(s.palm) < 0.55) & (b.leftward(s.palm) > 0.08)),
    ),
    Prompt(
        "sitting on the floor, twisted to the right, right hand on the ground behind",
        lambda b: (b.height(b.pelvis) < 0.4) & (b.tilt < 50) & (b.height(b.right.palm) < 0.3)
        & (b.ahead(b.right.palm) < 0.1) & (chest_turn(b) < -8),
    ),
    Prompt(
        "arms hanging down, shoulders back, feet a bit apart, just standing there relaxed",
        lambda b: tall(b) & (b.tilt < 18)
        & b.both(lambda s: (s.arm < -55) & (s.elbow_angle > 115) & (s.knee_angle > 150))
        & within(b.feet_apart, 0.1, 0.6),
    ),
)
# fmt: on

PROMPTS: tuple[Prompt, ...] = NAMES + LIMBS


# ---- measuring


@torch.no_grad()
def measure(policy, num_samples: int = 8, seed: int = 0) -> dict[float, list[everyday.Answer]]:
    """A PosePolicy's answers to PROMPTS at each of TEMPERATURES; at 0 it has but one answer to each."""
    return {t: everyday.examine(policy, num_samples if t else 1, t, seed, PROMPTS) for t in TEMPERATURES}


def shares(answers: list[everyday.Answer]) -> np.ndarray:
    """(P,) per cent of each prompt's samples that pass."""
    return 100 * np.array([np.mean(answer.passed) for answer in answers])


def table(measured: dict[float, list[everyday.Answer]], seed: int = 0) -> list[str]:
    """Per cent of samples that pass, with 95 % bootstrap intervals over prompts, as lines of markdown."""
    lines = ["| temperature | names | limbs | all |", "|---|---|---|---|"]
    for t, answers in measured.items():
        passed, cells = shares(answers), [f"{t:g}"]
        parts = {"names": passed[: len(NAMES)], "limbs": passed[len(NAMES) :], "all": passed}
        for resampled in means(parts, seed).values():
            low, high = interval(resampled)
            cells.append(f"{resampled[0]:.1f} [{low:.1f}, {high:.1f}]")
        lines.append("| " + " | ".join(cells) + " |")
    return lines


def failures(answers: list[everyday.Answer], count: int = NUM_LISTED) -> list[str]:
    """The prompts that fail most, worst first: the share that passes, the prompt and what was understood of it."""
    passed, lines = shares(answers), []
    for i in np.argsort(passed, kind="stable")[:count]:
        if passed[i] == 100:
            break
        understood = ", ".join(f"{phrase} {p:.2f}" for phrase, p in answers[i].understood)
        lines.append(f"{passed[i]:5.1f} %  {answers[i].text}: {understood or 'nothing'}")
    return lines


def main(arguments: list[str] | None = None) -> None:
    """Print the table and the failures at temperature 0.5 of each policy."""
    parser = argparse.ArgumentParser(prog="python -m finetune.development", description=__doc__.splitlines()[0])
    parser.add_argument("--policy", required=True, help="policy folders: A or A,B,C")
    parser.add_argument("--samples", type=int, default=8, help="poses of each prompt at temperatures above 0")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args(arguments)
    for path in given.policy.split(","):
        measured = measure(PosePolicy.from_pretrained(path), given.samples, given.seed)
        print(f"\n{path}: per cent of samples that pass", "", *table(measured, given.seed), sep="\n")
        print("\nFailing most at temperature 0.5:", "", *failures(measured[0.5]), sep="\n", flush=True)


if __name__ == "__main__":
    main()
