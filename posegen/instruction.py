"""Instructions in English ("raise the left arm a bit, then look up") -> changes, by a small table-driven parser.

A clause is looked through for one verb, body parts with their sides, directions, an amount and a place to reach. What
is missing is taken over from the clause before or after it: "bend the elbows and knees", "raise the left arm and
straighten it". Sides are the person's own.
"""

import re
from dataclasses import dataclass, replace

LEFT, RIGHT = 0, 1


@dataclass(frozen=True)
class Change:
    """One wanted change.

    Attributes:
        text: the clause it was read from.
        verb: a key of VERBS, "posture", or "" if none was found.
        part: a key of PARTS, or "" if none was found.
        sides: of the part: (LEFT,), (RIGHT,), both, or () if the words leave it open or the part has no sides.
        directions: "up", "down", "forward", "back", "out", "in", "left", "right", in the order of the words.
        amount: 1 as a rule, less or more if the words say so; negative for "less".
        full: as far as it goes ("fully", "all the way").
        degrees: by how much, if the words give a number; `exact`: to how much.
        place: what the part shall reach: a key of PARTS, "ground", "together" or a height ("overhead"), or "".
        place_side: the side of the place, or None.
        behind: whether it is behind the place.
    """

    text: str
    verb: str = ""
    part: str = ""
    sides: tuple[int, ...] = ()
    directions: tuple[str, ...] = ()
    amount: float = 1.0
    full: bool = False
    degrees: float | None = None
    exact: bool = False
    place: str = ""
    place_side: int | None = None
    behind: bool = False


#: Verbs and the words for them. Light ones say nothing by themselves: "put the arm up".
VERBS = {
    "raise": "raise lift elevate hoist heighten",
    "lower": "lower drop sink relax rest",
    "bend": "bend flex curl crook fold",
    "straighten": "straighten extend unbend lock uncurl unfold",
    "stretch": "stretch reach point thrust punch outstretch",
    "turn": "turn rotate swivel pivot spin",
    "twist": "twist",
    "look": "look gaze glance stare peer",
    "lean": "lean tilt incline tip slant cock",
    "bow": "bow stoop",
    "nod": "nod",
    "spread": "spread widen open separate splay part",
    "close": "close narrow join shut",
    "cross": "cross",
    "step": "step stride",
    "kick": "kick",
    "tuck": "tuck",
    "arch": "arch",
    "round": "round hunch slouch slump",
    "shrug": "shrug",
    "touch": "touch hold grab grasp clasp clutch",
    "move": "move put bring shift push pull swing place set take get make slide draw press have let keep send go",
}  # fmt: skip
#: What words of a result mean where the verb is light or missing: "arms up", "make the knees more bent".
RESULTS = {
    "raise": "up upward higher raised",
    "lower": "down downward lowered",
    "bend": "bent flexed",
    "straighten": "straight straighter upright extended",
    "spread": "apart wider wide",
    "close": "together closer narrower",
    "cross": "crossed",
}
PARTS = {
    "arm": "arm",
    "hand": "hand palm fist finger",
    "wrist": "wrist",
    "forearm": "forearm",
    "elbow": "elbow upperarm",
    "shoulder": "shoulder",
    "leg": "leg",
    "thigh": "thigh",
    "knee": "knee",
    "shin": "shin calf",
    "foot": "foot feet ankle",
    "heel": "heel",
    "toe": "toe",
    "hip": "hip waist pelvis",
    "buttock": "buttock bottom butt bum",
    "torso": "torso trunk body spine",
    "chest": "chest",
    "back": "back",
    "belly": "belly stomach tummy abdomen navel",
    "head": "head neck skull",
    "face": "face nose mouth cheek eye gaze lip",
    "chin": "chin jaw",
    "ear": "ear",
    "forehead": "forehead brow temple",
}
SIDELESS = ("hip", "buttock", "torso", "chest", "back", "belly", "head", "face", "chin", "forehead")
PLURALS = "arms hands palms fists wrists forearms elbows upperarms shoulders legs thighs knees shins calves feet ankles"
PLURALS = frozenset((PLURALS + " heels toes hips fingers buttocks ears eyes").split()) - {"fingers"}
DIRECTIONS = {
    "up": "up upward higher skyward ceiling sky",
    "down": "down downward",
    "forward": "forward ahead front",
    "back": "back backward behind",
    "out": "out outward sideways away aside laterally sideway",
    "in": "in inward across",
    "left": "left leftward",
    "right": "right rightward",
}
AMOUNTS = {
    0.4: "slightly",
    0.6: "halfway half partly partway",
    0.7: "more further farther again even",
    1.6: "much far strongly deeply deep wide way really high low considerably hard sharply",
    -0.6: "less",
}
FULL = "fully completely entirely totally maximally completly max maximum"
HEIGHTS = ("overhead", "level", "hanging")
PREPOSITIONS = (
    "from off on onto to toward towards over against behind above near at under beside by of around below past"
)
#: Wordings of several words, put into one before anything else is read.
PHRASES = (
    (r"\b(a (little|tiny|wee) bit|a bit|a little|a tad|a touch|a fraction|a smidge|somewhat|gently|a notch)\b",
     " slightly "),
    (r"\b(slightly|little|bit) (more|further|higher|less)\b", r" slightly \2 "),
    (r"\b(all the way|as (far|high|low|much|wide|straight) as \w+( can| possible)?)\b", " fully "),
    (r"\ba lot\b|\ba great deal\b", " much "),
    (r"\b(more|much) (up|down)\b", r" \2 \1 "),
    (r"\b(straight|directly) (up|overhead)\b|\b(above|over) (the|your|his|her|their|my) heads?\b", " overhead "),
    (r"\b(straight|directly) (down|forward|ahead|back|out)\b", r" \2 fully "),
    (r"\b(to|at) (the )?(shoulder|chest) (height|level)\b|\bhorizontal(ly)?\b|\bparallel to the (ground|floor)\b",
     " level "),
    (r"\b(by|at) (your|the|his|her|their) sides?\b", " hanging "),
    (r"\b(to|towards?|out to) (the|your|one|his|her|their|each) sides?\b", " sideways "),
    (r"\b(to|on|towards?) (the|your|his|her|their) (left|right)([- ]hand)? side\b", r" \3 "),
    (r"\bin front( of (you|your body|the body|yourself))?\b|\bto the front\b", " forward "),
    (r"\b(behind|to the) (you|yourself|the rear|back)\b(?! of)", " backward "),
    (r"\bback of (your|the|his|her) (head|neck)\b", " behind the head "),
    (r"\b(upper|whole|entire) body\b", " torso "),
    (r"\bsmall of (your|the) back\b|\blower back\b", " the back "),
    (r"\b(the|your|left|right|both|his|her) upper (arms?)\b", r" \1 upper\2 "),
    (r"\b(the|your|left|right|both|his|her) lower (arms?)\b", r" \1 fore\2 "),
    (r"\b(the|your|left|right|both|his|her) upper legs?\b", r" \1 thigh "),
    (r"\b(the|your|left|right|both|his|her) lower legs?\b", r" \1 shin "),
    (r"\b(left|right) and (the |your )?(left|right)\b|\beach\b|\btwo\b", " both "),
    (r"\b(a )?right angle\b|\bsquare\b", " 90 degrees "),
    (r"\bin half\b", " fully "),
    (r"\btogether\b", " together "),
    (r"\bheart\b|\bbreast(bone)?\b|\bsternum\b", " chest "),
    (r"\bfloor\b|\bearth\b", " ground "),
    (r"\boff the ground\b|\binto the air\b|\bin the air\b", " up "),
    (r"\bside to side\b", " sideways "),
    (r"\b(get|stand back|rise|come) (back )?up\b", " stand up "),
    (r"\bsit (up )?(straight|upright|tall)\b", " straighten the torso "),
    (r"\bhands and knees\b", " all fours "),
    (r"\b\w+ (up )?(on|onto|to) (the |your |his |her |their )?(tip ?-?toes?|balls of (your|the) feet)\b",
     " raise both heels "),
)  # fmt: skip
POSTURES = "sit seat stand kneel lie lay squat crouch lunge crawl fours plank bridge handstand headstand splits"
SPLIT = r"[,;.!?\n]|\b(?:and|then|while|but|plus|also|as well as|before|after that)\b"
STILL = ("still", "same", "unchanged", "without", "stay", "not", "don't", "dont")


def _forms(verb: str) -> set[str]:
    """raise -> raise, raises, raised, raising; bend -> ..., bending."""
    stem = verb.removesuffix("e")
    double = verb + verb[-1] if re.fullmatch(r"[^aeiou]*[aeiou][pbtdgnmr]", verb) else stem
    return {verb, verb + "s", verb + "es", stem + "ed", stem + "ing", double + "ed", double + "ing"}


POSTURES = {form for word in POSTURES.split() for form in _forms(word)} | {"seated", "lying"}
VERB_OF = {form: key for key, words in VERBS.items() for word in words.split() for form in _forms(word)}
VERB_OF |= {"bent": "bend", "drew": "move", "held": "touch", "leant": "lean"}
RESULT_OF = {word: key for key, words in RESULTS.items() for word in words.split()}
PART_OF = {form: key for key, words in PARTS.items() for word in words.split() for form in (word, word + "s")}
PART_OF |= {"calves": "shin", "bodies": "torso"}
DIRECTION_OF = {form: key for key, words in DIRECTIONS.items() for w in words.split() for form in (w, w + "s")}
AMOUNT_OF = {word: value for value, words in AMOUNTS.items() for word in words.split()}
OWNERS = ("the", "your", "his", "her", "their", "my", "its", "a", "an", "this", "that", "one")


def parse(text: str, last: Change | None = None) -> list[Change]:
    """The changes that an instruction asks for, in the order of its words.

    Args:
        last: the last change of the instruction before, for "a bit more" and "now the other arm".
    Returns:
        Changes; those in which no verb or part was found have "" there.
    """
    text = " " + re.sub(r"[^a-z0-9,;.!?'\n ]+", " ", text.lower().replace("’", "'")) + " "
    for pattern, token in PHRASES:
        text = re.sub(pattern, token, text)
    clauses = [c for c in (re.sub(r"\s+", " ", c).strip() for c in re.split(SPLIT, text)) if c]
    clauses = [c for c in clauses if not set(c.split()) & set(STILL)]
    parts = [_parts(_read(c)) for c in clauses]
    changes: list[Change] = []
    for k, (clause, mine) in enumerate(zip(clauses, parts, strict=True)):
        change = _clause(clause, mine, changes[-1] if changes else last, bool(changes))
        if not change.part and change.verb and change.verb not in ALONE and change.place == "":
            following = next((p for p in parts[k + 1 :] if p), None)
            if following and not mine and not change.directions:  # "raise and straighten the left arm"
                change = replace(change, part=following[0][0], sides=following[0][1])
        changes.append(change)
        for part, sides in mine[1:] if change.verb not in ("posture", "touch") else ():
            changes.append(replace(change, part=part, sides=sides))
    return changes


#: Verbs that need no part.
ALONE = ("posture", "look", "lean", "bow", "nod", "step", "kick", "shrug", "turn", "twist", "spread")


@dataclass
class _Words:
    """One clause's words with what each is: its verbs, parts (part, sides, is place), directions."""

    tokens: list[str]
    verbs: list[str]
    results: list[str]
    parts: list[tuple[str, tuple[int, ...], bool, bool]]
    directions: list[str]


def _read(clause: str) -> _Words:
    tokens = clause.replace("'s", "").split()
    words = _Words(tokens, [], [], [], [])
    sides: tuple[int, ...] | None = None
    preposition = ""
    for k, token in enumerate(tokens):
        before = tokens[k - 1] if k else ""
        following = tokens[k + 1 :]
        if token in ("left", "right"):
            if _names_part(following):
                sides = (LEFT,) if token == "left" else (RIGHT,)
            else:
                words.directions.append(token)
        elif token == "both":
            sides = (LEFT, RIGHT)
        elif _is_part(token, before, k):
            part = PART_OF[token]
            if sides is None:
                sides = (LEFT, RIGHT) if token in PLURALS else ()
            place = bool(preposition) and preposition != "with"
            words.parts.append((part, () if part in SIDELESS else sides, place, preposition == "behind", sides))
            sides, preposition = None, ""
        elif token in PREPOSITIONS.split() or token in ("with", "using"):
            preposition = "with" if token == "using" else token
            if token == "behind" and not _names_part([t for t in following if t not in OWNERS]):
                words.directions.append("back")
        elif token in VERB_OF:
            words.verbs.append(VERB_OF[token])
            if token == "bent":
                words.results.append("bend")
        else:
            if token in DIRECTION_OF:
                words.directions.append(DIRECTION_OF[token])
            if token in RESULT_OF:
                words.results.append(RESULT_OF[token])
    return words


def _is_part(token, before, k) -> bool:
    """Whether a word is a body part here: "back" and "face" also are a direction and a verb, "part" a verb."""
    if token in ("back", "face"):
        return before in OWNERS or before in ("lower", "upper", "behind")
    if token == "palm":
        return True
    return token in PART_OF


def _names_part(following) -> bool:
    """Whether what follows left or right is a part: "left arm", "left bent knee"; not "left with the arm"."""
    for token in following[:2]:
        if token in PART_OF and token != "back":
            return True
        if token in PREPOSITIONS.split() or token in OWNERS or token in ("with",):
            return False
    return False


def _parts(words: _Words) -> list[tuple[str, tuple[int, ...]]]:
    """The parts that shall move, not those that are places to reach."""
    return [(part, sides) for part, sides, place, _, _ in words.parts if not place]


def _clause(clause: str, mine, last: Change | None, same_sentence: bool) -> Change:
    words = _read(clause)
    tokens = set(words.tokens)
    if tokens & POSTURES:
        return Change(clause, "posture", amount=_amount(tokens))
    verbs = [v for v in words.verbs if v != "move"]
    verb = verbs[0] if verbs else words.results[0] if words.results else "move" if words.verbs else ""
    part, sides = mine[0] if mine else ("", ())
    if verb == "touch" and mine:  # "touch the head [with the left hand]"
        own = [p for p in words.parts if not p[2] and p[0] not in ("hand", "arm", "wrist", "elbow")]
        tool = [p for p in words.parts if p[0] in ("hand", "arm", "wrist", "elbow")]
        part, sides = (tool[0][0], tool[0][1]) if tool else ("hand", ())
        words.parts = [(*p[:2], True, *p[3:]) for p in own] or [p for p in words.parts if p[2]]
    places = [p for p in words.parts if p[2]]
    place = places[0][0] if places else "ground" if "ground" in tokens else ""
    height = next((h for h in HEIGHTS if h in tokens), "")
    if "together" in tokens:
        place = "together"
    number = re.search(r"(\d+) ?(degrees?|deg)?", clause)
    change = Change(
        clause, verb, part, sides, tuple(dict.fromkeys(words.directions)),
        amount=_amount(tokens), full=bool(tokens & set(FULL.split())),
        degrees=float(number[1]) if number else None, exact=bool(re.search(r"(to|at|in) (\d+)|\b90\b", clause)),
        place=place or height,
        place_side=places[0][4][0] if places and len(places[0][4] or ()) == 1 else None,
        behind=bool(places and places[0][3]),
    )  # fmt: skip
    return _completed(change, last, tokens, same_sentence)


def _amount(tokens) -> float:
    """The product of what amount words say; "a bit more" is a bit, "much more" is much."""
    found = [AMOUNT_OF[t] for t in tokens if t in AMOUNT_OF]
    if not found:
        return 1.0
    sign = -1 if any(v < 0 for v in found) else 1
    sizes = [abs(v) for v in found]
    special = [v for v in sizes if v != 0.7] or sizes
    return sign * special[0]


def _completed(change: Change, last: Change | None, tokens, same_sentence: bool) -> Change:
    """What the clause leaves out is taken from the one before it."""
    if last is None:
        return change
    opposite = tuple(1 - s for s in last.sides)
    if "other" in tokens or "opposite" in tokens:
        change = replace(change, sides=opposite, part=change.part or last.part)
    if tokens & {"it", "them", "that"} and change.verb == "look":
        return replace(change, part="head", place=last.part, place_side=last.sides[0] if last.sides else None)
    if tokens & {"it", "them", "that"} and not change.part:
        change = replace(change, part=last.part, sides=last.sides)
    if not change.verb and change.part and (same_sentence or "other" in tokens or "too" in tokens):
        return replace(
            last, text=change.text, part=change.part, sides=change.sides,
            directions=change.directions or last.directions,
        )  # fmt: skip
    if not change.part and not change.verb and not change.place or change.verb == "move" and not change.part:
        again = change.amount != 1 or tokens & {"again", "fully"} or change.directions or change.degrees
        if again or change.full:
            amount = -last.amount if change.amount < 0 else change.amount
            return replace(
                last, text=change.text, amount=amount, full=change.full, degrees=change.degrees,
                directions=change.directions or last.directions,
            )  # fmt: skip
    if not change.part and change.verb in ("raise", "lower", "bend", "straighten") and same_sentence:
        return replace(change, part=last.part, sides=last.sides)
    return change
