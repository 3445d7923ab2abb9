"""How people word poses: the files of assets/lexicon, read once, and what implies or tells more than what.

A file is blocks of lines with an empty line between them. The first line of a block names the statements
(posecodes.py) that its wordings make; each further line is a wording, of one of four forms:

    | subject | predicate    | {arm} | stretched forward   "with the left arm stretched forward", "the left arm is ..."
    > verb rest              > throw a ball                "throwing a ball", "a man throws a ball", "throw a ball"
    = predicate              = on all fours                "the person is on all fours"
    " prompt                 " boxer with fists up         a whole prompt, as it is

Marks: {arm}, {hand}, {foot}, ... the sided part with its determiner ("the left arm", "both arms"); {p}
"the", "their", "your", ...; {s} and {o} the side and the other side; {self} "themselves"; [one|two] a word for one side
or for both. In a head "*_x" stands for left_x and right_x; {s} and {o} make a left and a right version of the block. A
wording without a side in such a block belongs to the right version: who names no side means any, and we take that one.
"""

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from posegen.posecodes import INDEX, STATEMENTS

FOLDER = Path(__file__).resolve().parent.parent / "assets" / "lexicon"
#: Its wordings come first, so that the first wording of each statement is its name.
FIRST = "statements.txt"
CONTEXT = "context.txt"
_FORMS = {"|": "noun", ">": "verb", "=": "be", '"': "prompt"}


class LexiconError(ValueError):
    """A line of a lexicon file that does not follow the format; the message names file and line."""


@dataclass(frozen=True)
class Wording:
    """One way to say something. form: "noun" (subject | rest), "verb", "be" or "prompt" (rest)."""

    form: str
    subject: str
    rest: str


@dataclass(frozen=True)
class Unit:
    """Statements (indices) that are said together: one, the same one for both sides, or what a name stands for."""

    statements: tuple[int, ...]
    wordings: tuple[Wording, ...]
    side: str  # "left", "right", "both" or ""
    posture: bool


def _blocks(path: Path):
    """(patterns, wordings) of every block of a file."""
    patterns, wordings = [], []
    for number, line in enumerate([*path.read_text(encoding="utf-8").split("\n"), ""], 1):
        line = line.strip()
        if line.startswith("#"):
            continue
        if not line:
            if patterns:
                yield patterns, wordings
            patterns, wordings = [], []
        elif not patterns:
            patterns = [part.strip() for part in line.split(",")]
            unknown = [name for pattern in patterns for name in names(pattern, "left") if name not in INDEX]
            if unknown:
                raise LexiconError(f"{path.name}, line {number}: there is no statement {unknown[0]!r}.")
        else:
            wordings.append(_wording(line, f"{path.name}, line {number}"))


def _wording(line: str, place: str) -> Wording:
    form = _FORMS.get(line[0])
    parts = [part.strip() for part in re.split(r"\|(?![^\[]*\])", line[1:])]  # not the bar of [one|two]
    if form is None or len(parts) != (2 if form == "noun" else 1) or not all(parts):
        raise LexiconError(f'{place}: a wording is `| subject | rest`, `> verb`, `= rest` or `" prompt`, not {line!r}.')
    return Wording(form, *parts) if form == "noun" else Wording(form, "", parts[0])


def names(pattern: str, side: str) -> list[str]:
    """The statements that a pattern of a head stands for on a side."""
    if pattern.startswith("*_"):
        return [f"left_{pattern[2:]}", f"right_{pattern[2:]}"]
    return [pattern.format(s=side, o={"left": "right", "right": "left", "": ""}[side])]


def _has_side(wording: Wording) -> bool:
    return bool(re.search(r"\{(?!p\}|self\})\w+\}", f"{wording.subject} {wording.rest}"))


def _for_both(wording: Wording) -> bool:
    """Whether a wording of one side can be said of both: no side is named once [one|two] is chosen."""
    text = re.sub(r"\[[^|\]]*\|([^\]]*)\]", r"\1", f"{wording.subject} {wording.rest}")
    return _has_side(wording) and "{s}" not in text and "{o}" not in text


@cache
def lexicon() -> tuple[dict[tuple[int, ...], Unit], tuple[Unit, ...]]:
    """All units: those of one statement or of a statement on both sides, by their statements; and named poses.

    Of a named pose with sides the left version stands right before the right one.
    """
    found: dict[tuple[int, ...], list] = {}
    sides: dict[tuple[int, ...], str] = {}
    files = sorted(FOLDER.glob("*.txt"), key=lambda path: (path.name != FIRST, path.name))
    for path in files:
        if path.name == CONTEXT:
            continue
        for patterns, wordings in _blocks(path):
            for side in ("left", "right") if any("{" in p for p in patterns) else ("",):
                ids = tuple(sorted({INDEX[name] for pattern in patterns for name in names(pattern, side)}))
                mine = [w for w in wordings if side != "left" or _has_side(w)]
                sides.setdefault(ids, "both" if _is_pair(ids) else side)
                found.setdefault(ids, []).extend(mine)
    for ids in [ids for ids in found if len(ids) == 1 and STATEMENTS[ids[0]].side == "left"]:
        pair = _pair(ids[0])
        if pair:
            sides[pair] = "both"
            found[pair] = [w for w in found[ids] if _for_both(w)] + found.get(pair, [])
    units = {
        ids: Unit(ids, tuple(dict.fromkeys(w)), sides[ids], any(STATEMENTS[i].group == "posture" for i in ids))
        for ids, w in found.items()
        if w
    }
    simple = {ids: unit for ids, unit in units.items() if len(ids) == 1 or _is_pair(ids)}
    return simple, tuple(unit for ids, unit in units.items() if ids not in simple)


def _pair(index: int) -> tuple[int, int] | None:
    """A left statement and its mirror image, where a person can show both at once."""
    s = STATEMENTS[index]
    return (index, INDEX[f"right_{s.key}"]) if s.side == "left" and s.name == f"left_{s.key}" else None


def _is_pair(ids: tuple[int, ...]) -> bool:
    return len(ids) == 2 and _pair(min(ids)) == tuple(sorted(ids))


@cache
def context() -> dict[str, list[str]]:
    """Words that say nothing about a pose: subjects, openers, endings, adverbs."""
    sections: dict[str, list[str]] = {}
    for line in (FOLDER / CONTEXT).read_text(encoding="utf-8").splitlines():
        line = line.strip()
        if line.startswith("["):
            items = sections.setdefault(line.strip("[]"), [])
        elif line and not line.startswith("#"):
            items.append(line)
    return sections


# statement key -> keys that need not be said beside it (same side where sided)
IMPLIES = {
    "arm_straight_up": "hand_above_head hand_above_shoulder elbow_raised elbow_straight elbow_slightly_bent"
    " arm_overhead arm_high_forward forearm_up",
    "arm_diagonally_up": "hand_above_head hand_above_shoulder hand_out_to_side elbow_raised elbow_straight"
    " elbow_slightly_bent elbow_out arm_high_forward",
    "arm_sideways": "hand_out_to_side hand_shoulder_height elbow_raised elbow_straight elbow_slightly_bent"
    " hands_wide_apart hand_above_shoulder elbow_out forearm_level",
    "arm_forward": "hand_in_front hand_shoulder_height elbow_raised elbow_straight elbow_slightly_bent"
    " hand_above_shoulder arm_before_chest forearm_level arm_low_forward arm_high_forward",
    "arm_down": "hand_behind hand_below_hips hand_waist_height elbow_straight elbow_slightly_bent forearm_down"
    " hand_on_thigh",
    "arm_stretched_back": "hand_behind hand_below_hips elbow_straight elbow_slightly_bent elbow_back",
    "hand_above_head": "hand_above_shoulder elbow_raised",
    "hand_on_head": "hand_above_head hand_above_shoulder elbow_raised elbow_fully_bent hand_shoulder_height"
    " hand_at_ear hand_at_forehead",
    "hand_behind_head": "hand_on_head hand_above_head hand_above_shoulder elbow_raised elbow_fully_bent hand_behind"
    " hand_at_ear elbow_out",
    "hand_at_face": "hand_on_head hand_above_head hand_above_shoulder elbow_fully_bent hand_shoulder_height"
    " hand_in_front hand_at_forehead",
    "hand_on_chest": "hand_in_front hand_shoulder_height elbow_fully_bent hand_across",
    "hand_on_other_shoulder": "hand_across hand_on_chest hand_shoulder_height elbow_fully_bent hand_in_front",
    "hand_on_hip": "hand_waist_height elbow_right_angle elbow_fully_bent hand_behind hand_below_hips elbow_out",
    "hand_on_back": "hand_behind hand_waist_height elbow_right_angle hand_across elbow_back",
    "hand_on_foot": "hand_below_hips hand_on_ground leg_on_ground",
    "hand_on_ground": "hand_below_hips",
    "hand_on_knee": "hand_below_hips hand_on_thigh elbow_on_knee",
    "arms_crossed": "hand_across hand_on_chest elbow_fully_bent elbow_right_angle hands_together hand_in_front"
    " hand_on_other_shoulder palms_together hand_on_other_arm forearm_level",
    "palms_together": "hands_together elbow_fully_bent elbow_right_angle hand_on_chest hand_in_front"
    " hand_shoulder_height",
    "hands_wide_apart": "hand_out_to_side",
    "leg_raised_high": "thigh_horizontal knee_raised foot_lifted foot_in_front leg_stretched_forward knee_straight"
    " knee_slightly_bent leg_up leg_kicked_high",
    "leg_stretched_forward": "foot_in_front knee_straight knee_slightly_bent thigh_horizontal hip_right_angle",
    "leg_stretched_back": "knee_straight knee_slightly_bent hip_straight",
    "leg_out_to_side": "knee_straight knee_slightly_bent",
    "knee_raised": "foot_lifted thigh_horizontal hip_right_angle",
    "foot_on_other_leg": "foot_lifted knee_fully_bent knee_right_angle legs_crossed knee_raised",
    "heel_at_buttocks": "knee_fully_bent",
    "legs_wide_apart": "feet_apart leg_out_to_side ankles_apart",
    "torso_bent_far_forward": "torso_leaning_forward hand_in_front arm_forward back_rounded torso_level",
    "standing_on_side_leg": "standing other:foot_lifted knee_straight knee_slightly_bent foot_on_ground leg_under_body",
    "sitting": "thigh_horizontal knee_right_angle foot_in_front hip_right_angle",
    "sitting_cross_legged": "sitting_on_floor knee_fully_bent thigh_horizontal knee_right_angle legs_crossed"
    " heel_at_buttocks knees_apart knee_to_chest hip_right_angle leg_on_ground",
    "sitting_on_floor": "thigh_horizontal foot_in_front hand_on_ground hip_right_angle",
    "hugging_knees": "sitting_on_floor knee_fully_bent knee_right_angle heel_at_buttocks feet_together"
    " hands_together hand_in_front hand_on_foot hand_on_knee hand_on_ground knee_to_chest",
    "kneeling": "knee_right_angle knee_fully_bent knee_on_ground",
    "kneeling_on_side_knee": "knee_right_angle other:knee_right_angle other:foot_in_front other:thigh_horizontal"
    " knee_on_ground other:foot_on_ground",
    "sitting_on_heels": "kneeling knee_fully_bent heel_at_buttocks thigh_horizontal knee_on_ground leg_on_ground"
    " knee_to_chest",
    "squatting": "knee_fully_bent knee_right_angle thigh_horizontal heel_at_buttocks foot_on_ground knee_to_chest",
    "lunging_with_side_leg": "foot_in_front legs_wide_apart knee_right_angle thigh_horizontal"
    " other:leg_stretched_back ankles_apart foot_on_ground",
    "lying_on_back": "hand_on_ground torso_level chest_facing_up leg_on_ground hip_straight head_on_ground",
    "lying_face_down": "hand_on_ground torso_level chest_facing_down leg_on_ground hip_straight head_on_ground",
    "lying_on_side_side": "hand_on_ground torso_level head_on_ground leg_on_ground",
    "on_all_fours": "hand_on_ground knee_right_angle torso_leaning_forward torso_bent_far_forward kneeling"
    " hand_in_front knee_on_ground torso_level chest_facing_down hip_right_angle",
    "plank": "hand_on_ground knee_straight knee_slightly_bent leg_stretched_back torso_leaning_forward"
    " torso_bent_far_forward hand_in_front elbow_straight lying_face_down torso_level chest_facing_down hip_straight"
    " arm_before_chest",
    "bridge": "hand_on_ground knee_right_angle arm_stretched_back hand_behind lying_on_back chest_facing_up"
    " foot_on_ground",
    "downward_dog": "hand_on_ground knee_straight leg_stretched_back torso_bent_far_forward elbow_straight"
    " upside_down hips_above_shoulders chest_facing_down foot_on_ground arm_overhead",
    "upside_down": "hand_on_ground hips_above_shoulders",
    "arm_overhead": "elbow_straight elbow_slightly_bent",
    "arm_before_chest": "elbow_straight elbow_slightly_bent hand_in_front",
    "arm_low_forward": "elbow_straight elbow_slightly_bent hand_in_front",
    "arm_low_sideways": "elbow_straight elbow_slightly_bent hand_out_to_side elbow_out",
    "arm_high_forward": "elbow_straight elbow_slightly_bent hand_in_front hand_above_shoulder elbow_raised",
    "hand_at_ear": "hand_on_head hand_above_shoulder elbow_fully_bent",
    "hand_at_forehead": "hand_on_head hand_at_face hand_above_shoulder elbow_fully_bent",
    "hand_on_thigh": "hand_waist_height hand_on_knee",
    "hand_on_belly": "hand_waist_height hand_before_hips",
    "hand_before_hips": "hand_waist_height hand_on_belly hand_below_hips",
    "hand_on_other_arm": "hand_across",
    "hand_on_other_knee": "hand_across hand_below_hips",
    "hand_on_other_foot": "hand_across hand_below_hips hand_on_ground",
    "elbow_on_knee": "torso_leaning_forward",
    "elbow_at_face": "elbow_raised elbow_fully_bent hand_across",
    "elbow_on_ground": "hand_on_ground forearm_level",
    "leg_kicked_high": "leg_raised_high foot_lifted knee_straight knee_slightly_bent leg_stretched_forward"
    " hip_right_angle",
    "leg_up": "knee_straight knee_slightly_bent hip_right_angle",
    "leg_under_body": "knee_straight foot_on_ground hip_straight",
    "leg_on_ground": "knee_on_ground foot_on_ground",
    "heel_raised": "foot_on_ground",
    "knee_to_chest": "knee_raised",
    "ankle_on_other_knee": "foot_lifted legs_crossed",
    "feet_together": "ankles_together",
    "looking_down": "head_bowed",
    "looking_up": "head_thrown_back",
    "standing": "foot_on_ground leg_under_body hip_straight",
    "side_plank_on_side_hand": "hip_straight hand_on_ground lying_on_side_side",
    "splits": "legs_wide_apart feet_apart leg_out_to_side leg_stretched_forward leg_stretched_back"
    " foot_in_front knee_straight knee_slightly_bent",
}  # fmt: skip

# How much a statement tells of a pose, by group, with exceptions by key; the telling ones are said first.
TELLING = {"posture": 6.0, "hands": 4.0, "arms": 1.2, "legs": 1.5, "torso": 2.2, "head": 1.8}
TELLING_KEYS = {
    "standing": 2.5, "hands_wide_apart": 1.5, "hands_together": 2.5, "hand_on_ground": 3.5, "arm_straight_up": 4.5,
        "arm_sideways": 4.5,
    "arm_forward": 4.2, "arm_diagonally_up": 4.2, "arm_stretched_back": 4.0, "arm_down": 1.8, "hand_above_head": 3.8,
        "hand_above_shoulder": 2.8,
    "hand_behind": 2.4, "elbow_raised": 1.0, "hand_in_front": 1.6, "hand_out_to_side": 2.2, "hand_across": 2.0,
        "hand_waist_height": 0.8,
    "hand_below_hips": 0.7, "hand_shoulder_height": 1.4, "elbow_straight": 0.9, "elbow_slightly_bent": 0.5,
        "knee_slightly_bent": 0.5,
    "knee_straight": 0.9, "thigh_horizontal": 1.4, "knee_raised": 3.6, "foot_lifted": 2.8, "leg_raised_high": 4.8,
        "leg_stretched_forward": 3.8,
    "leg_stretched_back": 3.8, "leg_out_to_side": 3.4, "heel_at_buttocks": 3.2, "foot_on_other_leg": 4.4,
        "legs_wide_apart": 3.0, "legs_crossed": 3.0,
    "feet_apart": 2.0, "feet_together": 1.3, "torso_upright": 0.4, "torso_bent_far_forward": 4.4, "looking_down": 1.4,
        "back_arched": 1.2, "back_rounded": 1.4,
    "head_tilted_side": 1.3,
}  # fmt: skip

#: Statements that recipes of named poses need more than sentences do: said where nothing plainer is left to say.
FINER = (
    "arm_overhead", "arm_before_chest", "arm_low_forward", "arm_low_sideways", "arm_high_forward", "forearm_up",
    "forearm_down", "forearm_level", "elbow_out", "elbow_back", "hand_at_ear", "hand_at_forehead", "hand_on_belly",
    "hand_before_hips", "hand_on_thigh", "hand_on_other_knee", "hand_on_other_foot", "hand_on_other_arm",
    "elbow_on_knee", "elbow_at_face", "elbow_on_ground", "leg_on_ground", "knee_on_ground", "foot_on_ground",
    "heel_raised", "leg_up", "leg_under_body", "leg_kicked_high", "hip_straight", "hip_right_angle", "knee_to_chest",
    "ankle_on_other_knee", "knees_together", "knees_apart", "ankles_together", "ankles_apart", "torso_level",
    "chest_facing_down", "chest_facing_up", "hips_above_shoulders", "chest_raised", "head_bowed", "head_thrown_back",
    "head_on_ground", "side_plank_on_side_hand",
)  # fmt: skip
TELLING_KEYS |= dict.fromkeys(FINER, 0.02)
