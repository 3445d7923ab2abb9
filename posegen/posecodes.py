"""Pose codes: what a pose says, as true/false statements with stated thresholds (after PoseScript's idea).

A statement is scored in units of its tolerance (10 degrees, 5 cm): a score >= 0 means that it holds
strictly, >= -1 that it holds within the tolerance band. Poses are judged with the facing direction taken
out, on the neutral rest skeleton, with the ground at the lowest joint.

Each sided statement is written once, for the left; the right one is the same formula on the mirrored body.
"""

from dataclasses import dataclass
from types import SimpleNamespace

import roma
import torch
from torch import Tensor

from posegen.skeleton import MIRROR, forward_kinematics, remove_yaw, rest_joints

DEG, CM5 = 10.0, 0.05  # the tolerance units: 10 degrees, 5 centimetres
CHUNK = 20_000


@dataclass(frozen=True)
class Statement:
    """One thing a pose can say.

    Attributes:
        name: e.g. "left_elbow_right_angle".
        key: the name without its side, e.g. "elbow_right_angle"; shared by mirrored statements.
        group: "arms", "hands", "legs", "torso", "head" or "posture".
        side: "left", "right", or "" for a statement about the whole body.
        definition: one line with the thresholds.
        tolerance: the width of the band in which it still counts, e.g. "10 degrees".
    """

    name: str
    key: str
    group: str
    side: str
    definition: str
    tolerance: str


# ---------------------------------------------------------------------------------------------- measuring


def _unit(v):
    return v / v.norm(dim=-1, keepdim=True).clamp_min(1e-6)


def _angle(a, b):
    """Angle between vectors (N, 3) in degrees (N,)."""
    return torch.rad2deg(torch.arccos((_unit(a) * _unit(b)).sum(-1).clamp(-1, 1)))


def _distance(point, a, b):
    """Distance (N,) of points (N, 3) to segments a-b."""
    d = b - a
    t = ((point - a) * d).sum(-1, keepdim=True) / (d * d).sum(-1, keepdim=True).clamp_min(1e-6)
    return (point - a - t.clamp(0, 1) * d).norm(dim=-1)


def _asin(x):
    return torch.rad2deg(torch.arcsin(x.clamp(-1, 1)))


def _atan2(y, x):
    return torch.rad2deg(torch.atan2(y, x))


def _min(*scores):
    return torch.stack(scores).amin(0)


def _max(*scores):
    return torch.stack(scores).amax(0)


def _over(x, low, unit):
    return (x - low) / unit


def _under(x, high, unit):
    return (high - x) / unit


def _within(x, low, high, unit):
    return _min(_over(x, low, unit), _under(x, high, unit))


class _Body:
    """Measures of N bodies from joint positions (N, 24, 3) and global rotations (N, 24, 3, 3).

    Angles are in degrees, lengths in metres. `a` is the left side, `b` the right one.
    """

    def __init__(self, positions, rotations):
        p = self.p = positions
        self.rotations = rotations
        self.low = p[:, :, 1].amin(1)
        self.up = _unit(p[:, 12] - p[:, 0])
        left = _unit(p[:, 16] - p[:, 17])
        self.left = _unit(left - (left * self.up).sum(-1, keepdim=True) * self.up)
        self.front = torch.linalg.cross(self.left, self.up)
        self.tilt = torch.rad2deg(torch.arccos(self.up[:, 1].clamp(-1, 1)))
        self.upright = _under(self.tilt, 60, DEG)
        self.pitch = _atan2(self.up[:, 2], self.up[:, 1])  # forward > 0
        self.roll = _atan2(self.up[:, 0], self.up[:, 1])  # to the left > 0
        self.pelvis = p[:, 0, 1] - self.low
        self.belly_up = self.front[:, 1]
        hips = _unit(p[:, 1] - p[:, 2])
        twist = _atan2(-self.left[:, 2], self.left[:, 0]) - _atan2(-hips[:, 2], hips[:, 0])
        self.twist = (twist + 180) % 360 - 180
        chest_up, pelvis = rotations[:, 9, :, 1], rotations[:, 0]
        self.rounding = _atan2((chest_up * pelvis[:, :, 2]).sum(-1), (chest_up * pelvis[:, :, 1]).sum(-1))
        gaze, crown = rotations[:, 15, :, 2], rotations[:, 15, :, 1]
        self.gaze_side = _atan2((gaze * self.left).sum(-1), (gaze * self.front).sum(-1))
        self.gaze_up = _asin(gaze[:, 1])
        self.head_tilt = _asin((crown * self.left).sum(-1))
        forward = rotations[:, 9, :, 2]
        self.head_nod = _atan2((crown * forward).sum(-1), (crown * chest_up).sum(-1))
        self.a, self.b = self._limbs(0), self._limbs(1)
        self.ankles_apart = (p[:, 7] - p[:, 8]).norm(dim=-1)
        self.ankles_sideways = p[:, 7, 0] - p[:, 8, 0]  # negative: the legs cross
        self.hands_apart = (p[:, 22] - p[:, 23]).norm(dim=-1)

    def at(self, joint, *offset):
        """The point (N, 3) fixed to a joint at an offset in its own frame."""
        return self.p[:, joint] + self.rotations[:, joint] @ torch.tensor(offset, dtype=self.p.dtype)

    def _limbs(self, o):
        """Measures of the left (o = 0) or right (o = 1) arm and leg; `out` is away from the body's middle."""
        p, sign = self.p, 1 - 2 * o
        shoulder, elbow, wrist, hand = (p[:, j + o] for j in (16, 18, 20, 22))
        hip, knee, ankle, toe = (p[:, j + o] for j in (1, 4, 7, 10))
        reach = hand - shoulder
        thigh, leg = knee - hip, ankle - hip
        hip_out = sign * _unit(p[:, 1] - p[:, 2])
        return SimpleNamespace(
            shoulder=shoulder, elbow=elbow, wrist=wrist, hand=hand, hip=hip, knee=knee, ankle=ankle, toe=toe,
            elbow_bend=_angle(elbow - shoulder, wrist - elbow), knee_bend=_angle(thigh, ankle - knee),
            hand_front=(reach * self.front).sum(-1), hand_out=sign * (reach * self.left).sum(-1),
            hand_up=(reach * self.up).sum(-1), hand_height=hand[:, 1] - self.low, wrist_height=wrist[:, 1] - self.low,
            rise=_asin(_unit(reach)[:, 1]), thigh_rise=_asin(_unit(thigh)[:, 1]),
            hip_bend=_angle(-self.up, thigh), knee_height=knee[:, 1] - self.low, ankle_height=ankle[:, 1] - self.low,
            leg_front=leg[:, 2], leg_out=(leg * hip_out).sum(-1), leg_up=leg[:, 1],
            knee_out=((knee - p[:, 0]) * hip_out).sum(-1), ankle_out=((ankle - p[:, 0]) * hip_out).sum(-1),
            knee_front=knee[:, 2], ankle_front=ankle[:, 2], heel_gap=leg.norm(dim=-1),
            elbow_front=((elbow - shoulder) * self.front).sum(-1),
            elbow_out=sign * ((elbow - shoulder) * self.left).sum(-1),
            overhead=_angle(reach, self.up), ahead=_angle(reach, self.front),
            forearm_rise=_asin(_unit(wrist - elbow)[:, 1]), leg_rise=_asin(_unit(leg)[:, 1]),
            elbow_height=elbow[:, 1] - self.low, toe_height=toe[:, 1] - self.low,
        )  # fmt: skip


# ------------------------------------------------------------------------------------- compound conditions


def _hand_on_hip(m):
    hip = m.p[:, 0] + 0.15 * _unit(m.p[:, 1] - m.p[:, 2]) + 0.06 * m.up
    return _min(_under((m.a.wrist - hip).norm(dim=-1), 0.15, CM5), _over(m.a.elbow_bend, 50, DEG))


def _hand_on_back(m):
    hand = ((m.a.hand - m.p[:, 0])[:, None] @ m.rotations[:, 0])[:, 0]
    far = (m.a.hand - m.at(0, 0.0, 0.1, -0.13)).norm(dim=-1)
    return _min(_under(far, 0.18, CM5), _under(hand[:, 2], -0.06, CM5))


def _hand_on_head(m):
    return _under((m.a.hand - m.at(15, 0.0, 0.07, 0.03)).norm(dim=-1), 0.20, CM5)


def _hand_behind_head(m):
    far = (m.a.hand - m.at(15, 0.0, 0.04, -0.09)).norm(dim=-1)
    hand = ((m.a.hand - m.p[:, 15])[:, None] @ m.rotations[:, 15])[:, 0]
    return _min(_under(far, 0.16, CM5), _under(hand[:, 2], -0.03, CM5), _over(m.a.elbow_bend, 80, DEG))


def _hand_at_face(m):
    face = (m.a.hand - m.at(15, 0.0, 0.01, 0.15)).norm(dim=-1)
    hand = ((m.a.hand - m.p[:, 15])[:, None] @ m.rotations[:, 15])[:, 0]
    return _min(_under(face, 0.16, CM5), _over(hand[:, 2], 0.06, CM5))


def _hand_on_chest(m):
    return _under((m.a.hand - m.at(9, 0.0, 0.06, 0.17)).norm(dim=-1), 0.14, CM5)


def _hand_across(m):
    return _under(m.a.hand_out, -0.24, CM5)


def _arms_crossed(m):
    cross = ((m.a.hand - m.b.hand) * m.left).sum(-1)
    across = _min(_under(m.a.hand_out, -0.24, CM5), _under(m.b.hand_out, -0.24, CM5), _under(cross, -0.05, CM5))
    front = _min(*(_min(_over(s.hand_front, 0.05, CM5), _within(s.hand_up, -0.45, 0.10, CM5)) for s in (m.a, m.b)))
    return _min(across, front, *(_over(s.elbow_bend, 60, DEG) for s in (m.a, m.b)))


def _palms_together(m):
    front = [_over(s.hand_front, 0.08, CM5) for s in (m.a, m.b)]
    height = [_within(s.hand_up, -0.32, 0.12, CM5) for s in (m.a, m.b)]
    bend = [_over(s.elbow_bend, 70, DEG) for s in (m.a, m.b)]
    return _min(_under(m.hands_apart, 0.14, CM5), *front, *height, *bend)


def _straight_arm(m, *conditions):
    return _min(_under(m.a.elbow_bend, 45, DEG), *conditions)


def _hand_before_hips(m):
    front = m.p[:, 0] + 0.15 * m.rotations[:, 0, :, 2] - 0.06 * m.up
    return _under((m.a.hand - front).norm(dim=-1), 0.20, CM5)


def _elbow_on_knee(m):
    return _under(_min(*((m.a.elbow - knee).norm(dim=-1) for knee in (m.a.knee, m.b.knee))), 0.20, CM5)


def _ankle_on_other_knee(m):
    far = _distance(m.a.ankle, m.b.knee, (m.b.knee + m.b.hip) / 2)
    return _min(_under(far, 0.16, CM5), _over(m.a.knee_bend, 60, DEG))


def _foot_on_other_leg(m):
    far = _min(*(_distance(point, m.b.hip, m.b.ankle) for point in (m.a.ankle, m.a.toe)))
    lifted = _over(m.a.ankle_height - m.b.ankle_height, 0.20, CM5)
    return _min(_under(far, 0.14, CM5), lifted, _over(m.pelvis, 0.70, CM5), _under(m.tilt, 45, DEG))


def _supports(leg):
    """The leg stands: its foot is down and its knee hardly bent."""
    return _min(_under(leg.ankle_height, 0.17, CM5), _under(leg.knee_bend, 60, DEG))


def _standing(m):
    return _min(_over(m.pelvis, 0.76, CM5), m.upright, _max(_supports(m.a), _supports(m.b)))


def _standing_on_leg(m):
    lifted = _over(m.b.ankle[:, 1] - m.a.ankle[:, 1], 0.20, CM5)
    hands = _over(_min(m.a.hand_height, m.b.hand_height), 0.25, CM5)
    return _min(_over(m.pelvis, 0.72, CM5), lifted, _supports(m.a), hands, _under(m.tilt, 100, DEG))


def _sitting(m):
    legs = [_min(_under(s.thigh_rise.abs(), 35, DEG), _under(s.knee_bend, 125, DEG)) for s in (m.a, m.b)]
    feet = [_over(s.ankle_front, 0.27, CM5) for s in (m.a, m.b)]
    return _min(*legs, *feet, _under(m.tilt, 42, DEG), _within(m.pelvis, 0.30, 0.70, CM5))


def _sitting_on_floor(m):
    legs = [_min(_over(s.knee_front, 0.08, CM5), _over(s.ankle_front, 0.12, CM5)) for s in (m.a, m.b)]
    return _min(*legs, _under(m.pelvis, 0.20, CM5), _under(m.tilt, 60, DEG))


def _cross_legged(m):
    folded = [
        _min(
            _over(s.knee_bend, 90, DEG),
            _over(s.knee_out, 0.20, CM5),
            _over(s.knee_out - s.ankle_out, 0.15, CM5),
            _under(s.knee_height, 0.28, CM5),
        )
        for s in (m.a, m.b)
    ]
    return _min(_sitting_on_floor(m), *folded)


def _hugging_knees(m):
    near = [
        _under(_min(_distance(s.hand, m.a.knee, m.a.ankle), _distance(s.hand, m.b.knee, m.b.ankle)), 0.20, CM5)
        for s in (m.a, m.b)
    ]
    bend = [_min(_over(s.hip_bend, 95, DEG), _over(s.knee_bend, 75, DEG)) for s in (m.a, m.b)]
    return _min(*near, *bend, _under(m.pelvis, 0.20, CM5), _under(_max(m.a.knee_out, m.b.knee_out), 0.25, CM5))


def _knee_down(leg):
    ground = _min(_under(leg.knee_height, 0.14, CM5), _over(leg.knee_bend, 55, DEG))
    return _min(ground, _under(leg.ankle_front, 0.08, CM5), _under(leg.ankle_front - leg.knee_front, -0.10, CM5))


def _kneeling(m):
    return _min(_knee_down(m.a), _knee_down(m.b), m.upright, _over(m.pelvis, 0.14, CM5))


def _kneeling_on_knee(m):
    foot = _min(_over(m.b.knee_height, 0.28, CM5), _under(m.b.ankle_height, 0.22, CM5))
    return _min(_knee_down(m.a), foot, m.upright)


def _sitting_on_heels(m):
    return _min(*(_min(_knee_down(s), _under(s.heel_gap, 0.30, CM5)) for s in (m.a, m.b)), _over(m.pelvis, 0.10, CM5))


def _squatting(m):
    legs = [
        _min(_over(s.knee_bend, 75, DEG), _under(s.ankle_front, 0.25, CM5), _over(s.knee_height, 0.22, CM5))
        for s in (m.a, m.b)
    ]
    level = _under((m.a.ankle_front - m.b.ankle_front).abs(), 0.40, CM5)
    return _min(*legs, level, _within(m.pelvis, 0.22, 0.68, CM5), _under(m.tilt, 65, DEG))


def _lunge(m):
    step = _over(m.a.ankle_front - m.b.ankle_front, 0.50, CM5)
    back = _min(_over(m.b.knee_height, 0.20, CM5), _under(m.b.ankle_front, -0.20, CM5))
    front = _min(_over(m.a.knee_bend, 55, DEG), _over(m.a.knee_height, 0.25, CM5), _under(m.a.ankle_height, 0.2, CM5))
    return _min(step, back, front, _under(m.tilt, 55, DEG))


def _lying(m, height):
    return _min(_over(m.tilt, 65, DEG), _under(m.pelvis, height, CM5))


def _on_all_fours(m):
    hands = [_under(s.wrist_height, 0.25, CM5) for s in (m.a, m.b)]
    knees = [_min(_under(s.knee_height, 0.18, CM5), _within(s.knee_bend, 50, 130, DEG)) for s in (m.a, m.b)]
    return _min(
        _within(m.tilt, 50, 120, DEG), _under(m.belly_up, -0.5, 0.15), *hands, *knees, _over(m.pelvis, 0.32, CM5)
    )


def _plank(m):
    hands = [_under(s.wrist_height, 0.25, CM5) for s in (m.a, m.b)]
    legs = [_min(_under(s.knee_bend, 40, DEG), _over(s.knee_height, 0.12, CM5)) for s in (m.a, m.b)]
    flat = _min(_within(m.tilt, 45, 100, DEG), _under(m.belly_up, -0.5, 0.15), _within(m.pelvis, 0.22, 0.62, CM5))
    return _min(flat, *hands, *legs, *(_under(s.hip_bend, 45, DEG) for s in (m.a, m.b)))


def _bridge(m):
    hands = [_under(s.hand_height, 0.20, CM5) for s in (m.a, m.b)]
    feet = [_under(s.ankle_height, 0.25, CM5) for s in (m.a, m.b)]
    return _min(_over(m.tilt, 50, DEG), _over(m.belly_up, 0.4, 0.15), _over(m.pelvis, 0.28, CM5), *hands, *feet)


def _downward_dog(m):
    hands = [_under(s.hand_height, 0.18, CM5) for s in (m.a, m.b)]
    legs = [_min(_under(s.ankle_height, 0.30, CM5), _under(s.knee_bend, 45, DEG)) for s in (m.a, m.b)]
    arms = [_over(s.hand_up, 0.25, CM5) for s in (m.a, m.b)]
    return _min(_over(m.tilt, 95, DEG), _over(m.pelvis, 0.55, CM5), *hands, *legs, *arms)


def _upside_down(m):
    feet = _over((m.a.leg_up + m.b.leg_up) / 2, 0.10, CM5)
    return _min(_over(m.tilt, 125, DEG), feet)


def _side_plank(m):
    line = [_min(_under(s.hip_bend, 35, DEG), _under(s.knee_bend, 40, DEG)) for s in (m.a, m.b)]
    side = _min(_under(m.left[:, 1], -0.5, 0.15), _under(m.belly_up.abs(), 0.6, 0.15))
    return _min(*line, side, _under(m.a.wrist_height, 0.22, CM5), _over(m.pelvis, 0.22, CM5), _over(m.tilt, 35, DEG))


def _splits(m):
    legs = [_under(s.knee_bend, 45, DEG) for s in (m.a, m.b)]
    return _min(_over(m.ankles_apart, 1.10, CM5), _under(m.pelvis, 0.45, CM5), _under(m.tilt, 60, DEG), *legs)


def _bent_forward(m, low, high):
    hips = _max(m.a.hip_bend, m.b.hip_bend)
    return _min(_within(m.pitch, low, high, DEG), _over(hips, 18, DEG))


# ----------------------------------------------------------------------------------------------- the table

ANGLE, LENGTH, BOTH = "10 degrees", "5 cm", "10 degrees, 5 cm"

# (name, group, tolerance, definition, score). A name with {side} makes two statements.
_TABLE = (
    # elbows
    ("{side}_elbow_straight", "arms", ANGLE, "the {side} elbow is bent by at most 20 degrees",
     lambda m: _under(m.a.elbow_bend, 20, DEG)),
    ("{side}_elbow_slightly_bent", "arms", ANGLE, "the {side} elbow is bent by 25 to 60 degrees",
     lambda m: _within(m.a.elbow_bend, 25, 60, DEG)),
    ("{side}_elbow_right_angle", "arms", ANGLE, "the {side} elbow is bent by 70 to 110 degrees",
     lambda m: _within(m.a.elbow_bend, 70, 110, DEG)),
    ("{side}_elbow_fully_bent", "arms", ANGLE, "the {side} elbow is bent by at least 118 degrees",
     lambda m: _over(m.a.elbow_bend, 118, DEG)),
    # heights and places of hands
    ("{side}_hand_above_head", "arms", BOTH, "upright, the {side} hand is 18 cm or more above the head joint",
     lambda m: _min(_over(m.a.hand[:, 1] - m.p[:, 15, 1], 0.18, CM5), m.upright)),
    ("{side}_hand_above_shoulder", "arms", BOTH, "upright, the {side} hand is 12 cm or more above its shoulder",
     lambda m: _min(_over(m.a.hand[:, 1] - m.a.shoulder[:, 1], 0.12, CM5), m.upright)),
    ("{side}_hand_shoulder_height", "arms", BOTH, "upright, the {side} hand is within 11 cm of its shoulder's height",
     lambda m: _min(_under((m.a.hand[:, 1] - m.a.shoulder[:, 1]).abs(), 0.11, CM5), m.upright)),
    ("{side}_hand_waist_height", "arms", BOTH, "upright, the {side} hand is 3 cm below to 23 cm above the pelvis",
     lambda m: _min(_within(m.a.hand[:, 1] - m.p[:, 0, 1], -0.03, 0.23, CM5), m.upright)),
    ("{side}_hand_below_hips", "arms", BOTH, "upright, the {side} hand is 8 cm or more below the pelvis",
     lambda m: _min(_under(m.a.hand[:, 1] - m.p[:, 0, 1], -0.08, CM5), m.upright)),
    ("{side}_hand_in_front", "arms", LENGTH, "the {side} hand is 28 cm or more in front of its shoulder",
     lambda m: _over(m.a.hand_front, 0.28, CM5)),
    ("{side}_hand_behind", "arms", LENGTH, "the {side} hand is 12 cm or more behind its shoulder",
     lambda m: _under(m.a.hand_front, -0.12, CM5)),
    ("{side}_hand_out_to_side", "arms", LENGTH, "the {side} hand is 32 cm or more outside its shoulder",
     lambda m: _over(m.a.hand_out, 0.32, CM5)),
    ("{side}_hand_across", "arms", LENGTH, "the {side} hand is 24 cm or more inside its shoulder, past the middle",
     _hand_across),
    # directions of the whole arm
    ("{side}_arm_sideways", "arms", LENGTH, "the {side} hand is 50 cm or more outside its shoulder and level to 16 cm",
     lambda m: _min(_over(m.a.hand_out, 0.50, CM5), _under(m.a.hand_up.abs(), 0.16, CM5))),
    ("{side}_arm_forward", "arms", BOTH,
     "the {side} hand is 45 cm or more in front of its shoulder, level to 18 cm, torso tilt up to 50 degrees",
     lambda m: _min(_over(m.a.hand_front, 0.45, CM5), _under(m.a.hand_up.abs(), 0.18, CM5), _under(m.tilt, 50, DEG))),
    ("{side}_arm_down", "arms", LENGTH, "the {side} hand is 46 cm or more below its shoulder, at most 22 cm off line",
     lambda m: _min(_under(m.a.hand_up, -0.46, CM5), _under(m.a.hand_out.abs(), 0.22, CM5),
                    _under(m.a.hand_front.abs(), 0.22, CM5))),
    ("{side}_arm_straight_up", "arms", ANGLE,
     "upright, the {side} arm is within 25 degrees of the vertical, hand up, the elbow bent by at most 40 degrees",
     lambda m: _min(_over(m.a.rise, 65, DEG), _under(m.a.elbow_bend, 40, DEG), m.upright)),
    ("{side}_arm_diagonally_up", "arms", BOTH,
     "upright, the {side} arm rises 25 to 65 degrees, 20 cm or more outwards, the elbow bent by at most 40 degrees",
     lambda m: _min(_within(m.a.rise, 25, 65, DEG), _over(m.a.hand_out, 0.20, CM5), _under(m.a.elbow_bend, 40, DEG),
                    m.upright)),
    ("{side}_arm_stretched_back", "arms", BOTH,
     "the {side} hand is 28 cm or more behind its shoulder, the elbow bent by at most 50 degrees",
     lambda m: _min(_under(m.a.hand_front, -0.28, CM5), _under(m.a.elbow_bend, 50, DEG))),
    ("{side}_elbow_raised", "arms", BOTH, "upright, the {side} elbow is at most 5 cm below its shoulder",
     lambda m: _min(_over(m.a.elbow[:, 1] - m.a.shoulder[:, 1], -0.05, CM5), m.upright)),
    # what the hands touch
    ("{side}_hand_on_head", "hands", LENGTH, "the {side} hand is within 20 cm of the middle of the head",
        _hand_on_head),
    ("{side}_hand_behind_head", "hands", BOTH,
     "the {side} hand is within 16 cm of the back of the head, the elbow bent by at least 80 degrees",
         _hand_behind_head),
    ("{side}_hand_at_face", "hands", LENGTH, "the {side} hand is within 16 cm of the mouth, before the face",
     _hand_at_face),
    ("{side}_hand_on_chest", "hands", LENGTH, "the {side} hand is within 14 cm of the breastbone", _hand_on_chest),
    ("{side}_hand_on_other_shoulder", "hands", LENGTH, "the {side} hand is within 17 cm of the other shoulder",
     lambda m: _under((m.a.hand - m.b.shoulder).norm(dim=-1), 0.17, CM5)),
    ("{side}_hand_on_hip", "hands", BOTH,
     "the {side} wrist is within 15 cm of the side of the hip, the elbow bent by at least 50 degrees", _hand_on_hip),
    ("{side}_hand_on_back", "hands", LENGTH, "the {side} hand is within 18 cm of the small of the back, behind it",
     _hand_on_back),
    ("{side}_hand_on_knee", "hands", LENGTH, "the {side} hand is within 17 cm of the {side} knee joint",
     lambda m: _under((m.a.hand - m.a.knee).norm(dim=-1), 0.17, CM5)),
    ("{side}_hand_on_foot", "hands", LENGTH, "the {side} hand is within 16 cm of the line from {side} ankle to toe",
     lambda m: _under(_distance(m.a.hand, m.a.ankle, m.a.toe), 0.16, CM5)),
    ("{side}_hand_on_ground", "hands", LENGTH, "the {side} hand is at most 15 cm above the lowest joint",
     lambda m: _under(m.a.hand_height, 0.15, CM5)),
    ("hands_together", "hands", LENGTH, "the hands are within 16 cm of each other",
     lambda m: _under(m.hands_apart, 0.16, CM5)),
    ("hands_wide_apart", "hands", LENGTH, "the hands are 1.15 m or more apart",
     lambda m: _over(m.hands_apart, 1.15, CM5)),
    ("arms_crossed", "hands", BOTH,
        "both hands are 24 cm past their shoulders' lines and past each other, before the body",
     _arms_crossed),
    ("palms_together", "hands", BOTH,
     "the hands are within 14 cm of each other before the chest, both elbows bent by at least 70 degrees",
     _palms_together),
    # knees
    ("{side}_knee_straight", "legs", ANGLE, "the {side} knee is bent by at most 18 degrees",
     lambda m: _under(m.a.knee_bend, 18, DEG)),
    ("{side}_knee_slightly_bent", "legs", ANGLE, "the {side} knee is bent by 22 to 55 degrees",
     lambda m: _within(m.a.knee_bend, 22, 55, DEG)),
    ("{side}_knee_right_angle", "legs", ANGLE, "the {side} knee is bent by 70 to 110 degrees",
     lambda m: _within(m.a.knee_bend, 70, 110, DEG)),
    ("{side}_knee_fully_bent", "legs", ANGLE, "the {side} knee is bent by at least 115 degrees",
     lambda m: _over(m.a.knee_bend, 115, DEG)),
    # places of legs and feet
    ("{side}_thigh_horizontal", "legs", ANGLE, "the {side} thigh is within 22 degrees of the horizontal, torso upright",
     lambda m: _min(_under(m.a.thigh_rise.abs(), 22, DEG), m.upright)),
    ("{side}_knee_raised", "legs", BOTH, "the {side} knee is at most 10 cm below its hip, which is 62 cm high or more",
     lambda m: _min(_over(m.a.knee[:, 1] - m.a.hip[:, 1], -0.10, CM5), _over(m.pelvis, 0.62, CM5), m.upright)),
    ("{side}_foot_in_front", "legs", BOTH, "torso upright to 45 degrees, the {side} ankle is 28 cm before the other",
     lambda m: _min(_over(m.a.ankle_front - m.b.ankle_front, 0.28, CM5), _under(m.tilt, 45, DEG))),
    ("{side}_foot_lifted", "legs", BOTH, "torso upright to 45 degrees, the {side} ankle is 22 cm above the other",
     lambda m: _min(_over(m.a.ankle[:, 1] - m.b.ankle[:, 1], 0.22, CM5), _under(m.tilt, 45, DEG))),
    ("{side}_leg_raised_high", "legs", BOTH,
     "the {side} ankle is at most 10 cm below its hip, which is 60 cm up, the knee bent by at most 45 degrees",
     lambda m: _min(_over(m.a.leg_up, -0.10, CM5), _under(m.a.knee_bend, 45, DEG), _over(m.pelvis, 0.60, CM5),
                    m.upright)),
    ("{side}_leg_stretched_forward", "legs", BOTH,
     "the {side} ankle is 45 cm or more in front of its hip, the knee bent by at most 30 degrees",
     lambda m: _min(_over(m.a.leg_front, 0.45, CM5), _under(m.a.knee_bend, 30, DEG), m.upright)),
    ("{side}_leg_stretched_back", "legs", BOTH,
     "the {side} ankle is 40 cm or more behind its hip, the knee bent by at most 45 degrees, the pelvis 30 cm high",
     lambda m: _min(_under(m.a.leg_front, -0.40, CM5), _under(m.a.knee_bend, 45, DEG), _over(m.pelvis, 0.30, CM5),
                    _under(m.tilt, 100, DEG))),
    ("{side}_leg_out_to_side", "legs", BOTH,
     "the {side} ankle is 35 cm or more outside its hip, the knee bent by at most 45 degrees",
     lambda m: _min(_over(m.a.leg_out, 0.35, CM5), _under(m.a.knee_bend, 45, DEG))),
    ("{side}_heel_at_buttocks", "legs", LENGTH, "the {side} ankle is within 28 cm of its hip",
     lambda m: _under(m.a.heel_gap, 0.28, CM5)),
    ("{side}_foot_on_other_leg", "legs", BOTH,
        "standing, the {side} foot is lifted 20 cm and within 14 cm of the other leg",
     _foot_on_other_leg),
    ("feet_together", "legs", BOTH, "torso upright to 45 degrees, the ankles are within 20 cm",
     lambda m: _min(_under(m.ankles_apart, 0.20, CM5), _under(m.tilt, 45, DEG))),
    ("feet_apart", "legs", BOTH, "torso upright to 45 degrees, the ankles are 42 cm or more apart sideways",
     lambda m: _min(_over(m.ankles_sideways, 0.42, CM5), _under(m.tilt, 45, DEG))),
    ("legs_wide_apart", "legs", BOTH, "torso upright to 45 degrees, the ankles are 75 cm or more apart",
     lambda m: _min(_over(m.ankles_apart, 0.75, CM5), _under(m.tilt, 45, DEG))),
    ("legs_crossed", "legs", BOTH, "torso upright to 45 degrees, the ankles are 4 cm or more past each other",
     lambda m: _min(_under(m.ankles_sideways, -0.04, CM5), _under(m.tilt, 45, DEG))),
    # torso
    ("torso_upright", "torso", ANGLE, "the line from pelvis to neck is within 13 degrees of the vertical",
     lambda m: _under(m.tilt, 13, DEG)),
    ("torso_leaning_forward", "torso", ANGLE, "the torso leans forward by 22 to 90 degrees, the hips bent",
     lambda m: _bent_forward(m, 22, 90)),
    ("torso_bent_far_forward", "torso", ANGLE, "the torso leans forward by 50 to 125 degrees, the hips bent",
     lambda m: _bent_forward(m, 50, 125)),
    ("torso_leaning_back", "torso", ANGLE, "the torso leans back by 12 to 50 degrees",
     lambda m: _within(m.pitch, -50, -12, DEG)),
    ("torso_leaning_{side}", "torso", ANGLE, "the torso leans to the {side} by 14 to 70 degrees",
     lambda m: _min(_within(m.roll, 14, 70, DEG), _under(m.pitch.abs(), 60, DEG))),
    ("torso_twisted_{side}", "torso", ANGLE, "the shoulders are turned to the {side} of the hips by 20 degrees or more",
     lambda m: _min(_over(m.twist, 20, DEG), _under(m.tilt, 50, DEG))),
    ("back_rounded", "torso", ANGLE, "the chest is bent forward against the pelvis by 35 degrees or more",
     lambda m: _over(m.rounding, 35, DEG)),
    ("back_arched", "torso", ANGLE, "the chest is bent back against the pelvis by 15 degrees or more",
     lambda m: _under(m.rounding, -15, DEG)),
    # head
    ("head_turned_{side}", "head", ANGLE, "the face is turned to the {side} of the chest by 25 to 100 degrees",
     lambda m: _within(m.gaze_side, 25, 100, DEG)),
    ("head_tilted_{side}", "head", ANGLE, "the head is tilted towards the {side} shoulder by 16 degrees or more",
     lambda m: _over(m.head_tilt, 16, DEG)),
    ("looking_up", "head", ANGLE, "torso upright to 40 degrees, the face points 22 degrees or more upwards",
     lambda m: _min(_over(m.gaze_up, 22, DEG), _under(m.tilt, 40, DEG))),
    ("looking_down", "head", ANGLE, "torso upright to 40 degrees, the face points 30 degrees or more downwards",
     lambda m: _min(_under(m.gaze_up, -30, DEG), _under(m.tilt, 40, DEG))),
    # postures
    ("standing", "posture", BOTH,
        "the pelvis is 76 cm high or more over a leg bent by at most 60 degrees, torso upright",
     _standing),
    ("standing_on_{side}_leg", "posture", BOTH, "standing on the {side} foot, the other ankle 20 cm or more higher",
     _standing_on_leg),
    ("sitting", "posture", BOTH,
        "seated as on a chair: both thighs within 35 degrees of level, feet in front, pelvis 30 to 70 cm up",
     _sitting),
    ("sitting_on_floor", "posture", BOTH,
        "the pelvis is at most 20 cm high, legs in front, torso upright to 60 degrees",
     _sitting_on_floor),
    ("sitting_cross_legged", "posture", BOTH,
     "sitting on the floor, both knees bent by 90 degrees or more, out and low, the shins crossing inwards",
         _cross_legged),
    ("hugging_knees", "posture", BOTH,
        "on the floor, both knees drawn to the chest and both hands within 20 cm of the shins",
     _hugging_knees),
    ("kneeling", "posture", BOTH, "both knees are on the ground (14 cm) and bent by 55 degrees or more, feet behind",
        _kneeling),
    ("kneeling_on_{side}_knee", "posture", BOTH, "the {side} knee is on the ground (14 cm), the other foot stands",
     _kneeling_on_knee),
    ("sitting_on_heels", "posture", BOTH,
        "both knees on the ground (14 cm), both ankles within 30 cm of the hips, the torso anyhow", _sitting_on_heels),
    ("squatting", "posture", BOTH, "both knees bent by 75 degrees or more over the feet, the pelvis 22 to 68 cm high",
     _squatting),
    ("lunging_with_{side}_leg", "posture", BOTH,
     "the {side} foot is 50 cm or more in front, its knee bent by 55 degrees or more, the other knee off the ground",
     _lunge),
    ("lying_on_back", "posture", BOTH,
        "the torso is 65 degrees or more from upright, belly up, the pelvis at most 30 cm high",
     lambda m: _min(_lying(m, 0.30), _over(m.belly_up, 0.65, 0.15))),
    ("lying_face_down", "posture", BOTH,
        "the torso is 65 degrees or more from upright, belly down, the pelvis within 22 cm, hips long",
     lambda m: _min(_lying(m, 0.22), _under(m.belly_up, -0.65, 0.15), _under(m.p[:, 12, 1] - m.low, 0.35, CM5),
                    _under(_max(m.a.hip_bend, m.b.hip_bend), 75, DEG))),
    ("lying_on_{side}_side", "posture", BOTH,
        "the torso is 65 degrees or more from upright with the {side} shoulder below",
     lambda m: _min(_lying(m, 0.30), _under(m.belly_up.abs(), 0.5, 0.15), _under(m.left[:, 1], -0.6, 0.15))),
    ("on_all_fours", "posture", BOTH, "hands and knees on the ground, belly down, the pelvis 32 cm high or more",
        _on_all_fours),
    ("plank", "posture", BOTH, "hands and toes on the ground, body and legs in one line, belly down", _plank),
    ("bridge", "posture", BOTH, "hands and feet on the ground, belly up, the pelvis 28 cm high or more", _bridge),
    ("downward_dog", "posture", BOTH, "hands and feet on the ground, the hips on top, knees and arms long",
        _downward_dog),
    ("upside_down", "posture", BOTH, "the torso is 125 degrees or more from upright, the feet above the hips",
        _upside_down),
    ("splits", "posture", BOTH, "the ankles are 1.1 m or more apart, the pelvis at most 45 cm high, the knees long",
        _splits),
    # finer ones, which recipes of named poses need: whole arms in the body's own frame
    ("{side}_arm_overhead", "arms", ANGLE,
     "the {side} arm goes on past the head: within 35 degrees of the torso's line, the elbow bent by at most 45",
     lambda m: _straight_arm(m, _under(m.a.overhead, 35, DEG))),
    ("{side}_arm_before_chest", "arms", ANGLE,
     "the {side} arm points straight away from the chest, within 30 degrees, the elbow bent by at most 45",
     lambda m: _straight_arm(m, _under(m.a.ahead, 30, DEG))),
    ("{side}_arm_low_forward", "arms", BOTH,
     "the {side} hand is 22 cm before and 20 cm below its shoulder, or more, the elbow bent by at most 45 degrees",
     lambda m: _straight_arm(m, _over(m.a.hand_front, 0.22, CM5), _under(m.a.hand_up, -0.20, CM5))),
    ("{side}_arm_low_sideways", "arms", BOTH,
     "the {side} hand is 22 cm outside and 20 cm below its shoulder, or more, the elbow bent by at most 45 degrees",
     lambda m: _straight_arm(m, _over(m.a.hand_out, 0.22, CM5), _under(m.a.hand_up, -0.20, CM5))),
    ("{side}_arm_high_forward", "arms", BOTH,
     "the {side} hand is 22 cm before and 20 cm above its shoulder, or more, the elbow bent by at most 45 degrees",
     lambda m: _straight_arm(m, _over(m.a.hand_front, 0.22, CM5), _over(m.a.hand_up, 0.20, CM5))),
    ("{side}_forearm_up", "arms", ANGLE, "the {side} forearm points up, within 30 degrees of the vertical",
     lambda m: _over(m.a.forearm_rise, 60, DEG)),
    ("{side}_forearm_down", "arms", ANGLE, "the {side} forearm points down, within 30 degrees of the vertical",
     lambda m: _under(m.a.forearm_rise, -60, DEG)),
    ("{side}_forearm_level", "arms", ANGLE, "the {side} forearm is within 22 degrees of the horizontal",
     lambda m: _under(m.a.forearm_rise.abs(), 22, DEG)),
    ("{side}_elbow_out", "arms", LENGTH, "the {side} elbow is 14 cm or more outside its shoulder",
     lambda m: _over(m.a.elbow_out, 0.14, CM5)),
    ("{side}_elbow_back", "arms", LENGTH, "the {side} elbow is 14 cm or more behind its shoulder",
     lambda m: _under(m.a.elbow_front, -0.14, CM5)),
    # what hands and elbows touch
    ("{side}_hand_at_ear", "hands", LENGTH, "the {side} hand is within 15 cm of the {side} ear",
     lambda m: _under((m.a.hand - m.at(15, 0.09, 0.04, 0.0)).norm(dim=-1), 0.15, CM5)),
    ("{side}_hand_at_forehead", "hands", LENGTH, "the {side} hand is within 15 cm of the {side} brow",
     lambda m: _under((m.a.hand - m.at(15, 0.05, 0.10, 0.12)).norm(dim=-1), 0.15, CM5)),
    ("{side}_hand_on_belly", "hands", LENGTH, "the {side} hand is within 17 cm of the navel",
     lambda m: _under((m.a.hand - m.at(3, 0.0, 0.0, 0.15)).norm(dim=-1), 0.17, CM5)),
    ("{side}_hand_before_hips", "hands", LENGTH, "the {side} hand is within 20 cm of a point before the lower belly",
     _hand_before_hips),
    ("{side}_hand_on_thigh", "hands", LENGTH, "the {side} hand is within 16 cm of the middle half of the {side} thigh",
     lambda m: _under(_distance(m.a.hand, m.a.hip + (m.a.knee - m.a.hip) / 4, m.a.knee + (m.a.hip - m.a.knee) / 4),
                      0.16, CM5)),
    ("{side}_hand_on_other_knee", "hands", LENGTH, "the {side} hand is within 17 cm of the other knee joint",
     lambda m: _under((m.a.hand - m.b.knee).norm(dim=-1), 0.17, CM5)),
    ("{side}_hand_on_other_foot", "hands", LENGTH,
     "the {side} hand is within 16 cm of the line from the other ankle to its toe",
     lambda m: _under(_distance(m.a.hand, m.b.ankle, m.b.toe), 0.16, CM5)),
    ("{side}_hand_on_other_arm", "hands", LENGTH, "the {side} hand is within 14 cm of the other upper arm",
     lambda m: _under(_distance(m.a.hand, (m.b.shoulder + m.b.elbow) / 2, m.b.elbow), 0.14, CM5)),
    ("{side}_elbow_on_knee", "hands", LENGTH, "the {side} elbow is within 20 cm of a knee joint", _elbow_on_knee),
    ("{side}_elbow_at_face", "hands", LENGTH, "the {side} elbow is within 22 cm of the mouth",
     lambda m: _under((m.a.elbow - m.at(15, 0.0, 0.01, 0.12)).norm(dim=-1), 0.22, CM5)),
    ("{side}_elbow_on_ground", "hands", LENGTH, "the {side} elbow is at most 15 cm above the lowest joint",
     lambda m: _under(m.a.elbow_height, 0.15, CM5)),
    # legs, however the body lies
    ("{side}_leg_on_ground", "legs", LENGTH, "the {side} knee and ankle are at most 17 cm above the lowest joint",
     lambda m: _under(_max(m.a.knee_height, m.a.ankle_height), 0.17, CM5)),
    ("{side}_knee_on_ground", "legs", LENGTH, "the {side} knee is at most 14 cm above the lowest joint",
     lambda m: _under(m.a.knee_height, 0.14, CM5)),
    ("{side}_foot_on_ground", "legs", LENGTH, "the {side} foot is at most 10 cm above the lowest joint",
     lambda m: _under(_min(m.a.toe_height, m.a.ankle_height), 0.10, CM5)),
    ("{side}_heel_raised", "legs", LENGTH,
     "the {side} foot stands on its ball: the ankle 11 cm or more above the toes, these at most 8 cm high",
     lambda m: _min(_over(m.a.ankle_height - m.a.toe_height, 0.11, CM5), _under(m.a.toe_height, 0.08, CM5))),
    ("{side}_leg_up", "legs", ANGLE,
     "the {side} leg points up, within 35 degrees of the vertical, the knee bent by at most 45",
     lambda m: _min(_over(m.a.leg_rise, 55, DEG), _under(m.a.knee_bend, 45, DEG))),
    ("{side}_leg_under_body", "legs", ANGLE,
     "the {side} leg hangs or stands straight down, within 15 degrees, the knee bent by at most 25",
     lambda m: _min(_under(m.a.leg_rise, -75, DEG), _under(m.a.knee_bend, 25, DEG))),
    ("{side}_leg_kicked_high", "legs", BOTH,
     "the {side} ankle is 25 cm or more above its hip, which is 60 cm up, the knee bent by at most 45 degrees",
     lambda m: _min(_over(m.a.leg_up, 0.25, CM5), _under(m.a.knee_bend, 45, DEG), _over(m.pelvis, 0.60, CM5))),
    ("{side}_hip_straight", "legs", ANGLE, "the {side} thigh is within 25 degrees of the torso's line",
     lambda m: _under(m.a.hip_bend, 25, DEG)),
    ("{side}_hip_right_angle", "legs", ANGLE, "the {side} hip is bent by 65 to 110 degrees",
     lambda m: _within(m.a.hip_bend, 65, 110, DEG)),
    ("{side}_knee_to_chest", "legs", ANGLE, "the {side} hip is bent by 112 degrees or more",
     lambda m: _over(m.a.hip_bend, 112, DEG)),
    ("{side}_ankle_on_other_knee", "legs", BOTH,
     "the {side} ankle is within 16 cm of the other thigh near its knee, the {side} knee bent by 60 degrees or more",
     _ankle_on_other_knee),
    ("knees_together", "legs", LENGTH, "the knees are within 20 cm of each other",
     lambda m: _under((m.a.knee - m.b.knee).norm(dim=-1), 0.20, CM5)),
    ("knees_apart", "legs", LENGTH, "the knees are 48 cm or more apart",
     lambda m: _over((m.a.knee - m.b.knee).norm(dim=-1), 0.48, CM5)),
    ("ankles_together", "legs", LENGTH, "the ankles are within 20 cm of each other, however the body lies",
     lambda m: _under(m.ankles_apart, 0.20, CM5)),
    ("ankles_apart", "legs", LENGTH, "the ankles are 60 cm or more apart, however the body lies",
     lambda m: _over(m.ankles_apart, 0.60, CM5)),
    # torso and head against gravity, or against each other
    ("torso_level", "torso", ANGLE, "the torso is within 28 degrees of the horizontal",
     lambda m: _within(m.tilt, 62, 118, DEG)),
    ("chest_facing_down", "torso", "0.15", "the chest faces the ground, within 53 degrees",
     lambda m: _under(m.belly_up, -0.6, 0.15)),
    ("chest_facing_up", "torso", "0.15", "the chest faces the sky, within 53 degrees",
     lambda m: _over(m.belly_up, 0.6, 0.15)),
    ("hips_above_shoulders", "torso", LENGTH, "the pelvis is 8 cm or more above the shoulders' middle",
     lambda m: _over(m.p[:, 0, 1] - (m.a.shoulder[:, 1] + m.b.shoulder[:, 1]) / 2, 0.08, CM5)),
    ("chest_raised", "torso", LENGTH, "the neck is 18 cm or more above a pelvis that is at most 28 cm high",
     lambda m: _min(_over(m.p[:, 12, 1] - m.p[:, 0, 1], 0.18, CM5), _under(m.pelvis, 0.28, CM5))),
    ("head_bowed", "head", ANGLE, "the head is bent forward against the chest by 25 degrees or more",
     lambda m: _over(m.head_nod, 25, DEG)),
    ("head_thrown_back", "head", ANGLE, "the head is bent back against the chest by 22 degrees or more",
     lambda m: _under(m.head_nod, -22, DEG)),
    ("head_on_ground", "head", LENGTH, "the head joint is at most 20 cm above the lowest joint",
     lambda m: _under(m.p[:, 15, 1] - m.low, 0.20, CM5)),
    ("side_plank_on_{side}_hand", "posture", BOTH,
     "one straight line from head to feet, {side} side down, held up on the {side} hand", _side_plank),
)  # fmt: skip


def _statements():
    for name, group, tolerance, definition, _ in _TABLE:
        key = name.replace("{side}_", "", 1) if name.startswith("{side}_") else name.replace("{side}", "side")
        for side in ("left", "right") if "{side}" in name else ("",):
            yield Statement(name.format(side=side), key, group, side, definition.format(side=side), tolerance)


STATEMENTS: tuple[Statement, ...] = tuple(_statements())
NAMES: tuple[str, ...] = tuple(s.name for s in STATEMENTS)
#: Where a statement stands among the formulas of _TABLE, which come once for the body and once for its mirror image.
_COLUMNS = [
    column
    for row, (name, *_) in enumerate(_TABLE)
    for column in ((row, row + len(_TABLE)) if "{side}" in name else (row,))
]
INDEX: dict[str, int] = {name: i for i, name in enumerate(NAMES)}
_OTHER = {"left": "right", "right": "left", "": ""}
_BY_KEY = {(s.key, s.side): i for i, s in enumerate(STATEMENTS)}
#: For each statement the index of its mirror image (itself where it has no side).
MIRROR_STATEMENT: tuple[int, ...] = tuple(_BY_KEY[s.key, _OTHER[s.side]] for s in STATEMENTS)


def _symmetric_rest():
    rest = torch.from_numpy(rest_joints()).double()
    flip = torch.tensor([-1.0, 1.0, 1.0], dtype=torch.float64)
    return ((rest + rest[list(MIRROR)] * flip) / 2).float()


def _with_mirror_image(positions: Tensor, rotations: Tensor) -> tuple[Tensor, Tensor]:
    """N bodies, joint positions (N, 24, 3) and global rotations (N, 24, 3, 3), and after them their mirror images."""
    flip = torch.tensor([-1.0, 1.0, 1.0], dtype=positions.dtype)
    mirrored = rotations[:, list(MIRROR)] * flip[:, None] * flip
    return torch.cat([positions, positions[:, list(MIRROR)] * flip]), torch.cat([rotations, mirrored])


def score(rotations: Tensor, rest: Tensor | None = None, only: list[int] | None = None) -> Tensor:
    """`scores` of one batch, differentiable in the rotations (N, 24, 3, 3); only of some statements if given."""
    rest = _symmetric_rest() if rest is None else rest
    root = remove_yaw(roma.rotmat_to_rotvec(rotations[:, :1]))
    rotations = torch.cat([roma.rotvec_to_rotmat(root), rotations[:, 1:]], 1)
    body = _Body(*_with_mirror_image(*forward_kinematics(rotations, rest)))
    columns = _COLUMNS if only is None else [_COLUMNS[i] for i in only]
    rows = sorted({column % len(_TABLE) for column in columns})
    left, right = torch.stack([_TABLE[row][-1](body) for row in rows], 1).chunk(2)
    return torch.cat([left, right], 1)[:, [rows.index(c % len(_TABLE)) + c // len(_TABLE) * len(rows) for c in columns]]


@torch.no_grad()
def scores(rotations: Tensor) -> Tensor:
    """Scores of every statement on poses, in units of its tolerance.

    Args:
        rotations: (N, 24, 3, 3) local rotation matrices; where the person faces does not matter.
    Returns:
        (N, S) float32: >= 0 where the statement holds strictly, >= -1 where it holds within its tolerance.
    """
    if rotations.ndim != 4 or rotations.shape[1:] != (24, 3, 3):
        raise ValueError(f"Poses must be rotations of shape (N, 24, 3, 3), but these are {tuple(rotations.shape)}.")
    rotations = rotations.detach().float().cpu()
    rest = _symmetric_rest()  # the free body is asymmetric by 0.3 mm; statements must mirror exactly
    if not len(rotations):
        return torch.zeros(0, len(STATEMENTS))
    return torch.cat([score(chunk, rest) for chunk in rotations.split(CHUNK)])


def holds(scores: Tensor, tolerant: bool = True) -> Tensor:
    """Which statements hold (bool, same shape as scores), within the tolerance band unless `tolerant` is False."""
    return scores >= (-1.0 if tolerant else 0.0)
