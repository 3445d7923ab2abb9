"""English about poses: captions that know which statements they assert, and one plain sentence about a pose.

The wordings are in lexicon.py. A caption asserts only statements that hold strictly, so a pose can be
checked against any caption by its statements' scores.
"""

import re
from dataclasses import dataclass
from functools import cache

import numpy as np

from posegen.lexicon import IDIOMS, IMPLIES, TELLING, TELLING_KEYS, WORDS
from posegen.posecodes import INDEX, MIRROR_STATEMENT, STATEMENTS

MAX_STATEMENTS = 7


@dataclass(frozen=True)
class Caption:
    """A text and the statements (indices) that it asserts."""

    text: str
    statements: tuple[int, ...]


@dataclass(frozen=True)
class Wording:
    """One way to say a unit. form: "noun" (subject | predicate), "verb" (> verb rest) or "be" (= predicate)."""

    form: str
    subject: str
    rest: str


@dataclass(frozen=True)
class Unit:
    """Statements that are said together: a statement, the same one for both sides, or an idiom."""

    statements: tuple[int, ...]
    wordings: tuple[Wording, ...]
    side: str  # "left", "right", "both" or ""
    posture: bool


@dataclass(frozen=True)
class Person:
    """Who the caption is about: subject, possessive, reflexive, and the pronoun with its "to be"."""

    subject: str
    possessive: str
    reflexive: str
    pronoun: str


PEOPLE = (
    Person("a person", "their", "themselves", "they are"), Person("a person", "the", "themselves", "the person is"),
    Person("someone", "their", "themselves", "they are"), Person("the person", "the", "themselves", "the person is"),
    Person("the person", "their", "themselves", "they are"), Person("a man", "his", "himself", "he is"),
    Person("the man", "his", "himself", "he is"), Person("a woman", "her", "herself", "she is"),
    Person("the woman", "her", "herself", "she is"), Person("a figure", "the", "itself", "the figure is"),
    Person("he", "his", "himself", "he is"), Person("she", "her", "herself", "she is"),
    Person("a human", "the", "themselves", "the person is"), Person("this person", "their", "themselves", "they are"),
    Person("a guy", "his", "himself", "he is"), Person("a girl", "her", "herself", "she is"), Person("a boy", "his",
        "himself", "he is"),
)  # fmt: skip
PLAIN = Person("the person", "the", "themselves", "the person is")
YOU = Person("you", "your", "yourself", "you are")

# ---------------------------------------------------------------------------------------- units from the lexicon


def _parse(text):
    """A lexicon entry as (only, Wording): only = "1", "2" or "" (which counts of sides it suits)."""
    only = text[0] if text[:2] in ("1:", "2:") else ""
    text = text[2:].strip() if only else text
    if text[0] in ">=":
        return only, Wording("verb" if text[0] == ">" else "be", "", text[1:].strip())
    subject, rest = (part.strip() for part in text.split("|", 1)) if "[" not in text.split("|")[0] else (text, "")
    return only, Wording("noun", subject, rest)


@cache
def _wordings(key, count):
    """The wordings of a statement key for one side (or none), count = "1", or both sides, "2"."""
    return tuple(w for only, w in map(_parse, WORDS[key]) if only in ("", count))


@cache
def _single(index):
    s = STATEMENTS[index]
    return Unit((index,), _wordings(s.key, "1"), s.side, s.group == "posture")


@cache
def _both(index):
    """The unit that says a left statement and its mirror image at once; None where they cannot hold together."""
    s = STATEMENTS[index]
    if s.side != "left" or s.name != f"left_{s.key}":
        return None
    return Unit((index, INDEX[f"right_{s.key}"]), _wordings(s.key, "2"), "both", s.group == "posture")


def _names(pattern, side):
    other = {"left": "right", "right": "left", "": ""}[side]
    if pattern.startswith("*_"):
        return [f"left_{pattern[2:]}", f"right_{pattern[2:]}"]
    return [pattern.format(s=side, o=other)]


@cache
def _idioms():
    """Every idiom as a Unit."""
    out = []
    for patterns, texts in IDIOMS:
        for side in ("left", "right") if any("{" in p for p in patterns) else ("",):
            ids = tuple(INDEX[name] for pattern in patterns for name in _names(pattern, side))
            posture = any(STATEMENTS[i].group == "posture" for i in ids)
            out.append(Unit(ids, tuple(_parse(t)[1] for t in texts), side, posture))
    return tuple(out)


@cache
def _implied(index):
    """Indices of the statements that need not be said beside statement `index`."""
    s = STATEMENTS[index]
    out = set()
    for key in IMPLIES.get(s.key, "").split():
        other = key.startswith("other:")
        key = key.removeprefix("other:")
        for i, t in enumerate(STATEMENTS):
            any_side = not s.side or not t.side or (s.group == "posture" and not other)
            if t.key == key and (any_side or (t.side == s.side) != other):
                out.add(i)
    return frozenset(out - {index})


# ------------------------------------------------------------------------------------------------ realisation

_PLURALS = {"foot": "feet", "calf": "calves"}
_PLURAL_WORDS = frozenset(
    "hands arms legs feet knees elbows palms ankles fists shoulders thighs heels shins eyes forearms".split()  # noqa: SIM905
)
_ING = {"lie": "lying", "tie": "tying", "die": "dying", "be": "being"}
_DOUBLED = frozenset("sit put get squat hug grab spin step drop let clap tip swim run beg jog shrug split".split())  # noqa: SIM905


def _ing(phrase):
    verb, _, rest = phrase.partition(" ")
    if verb in _ING:
        form = _ING[verb]
    elif verb in _DOUBLED:
        form = f"{verb}{verb[-1]}ing"
    else:
        form = (verb[:-1] if verb.endswith("e") and not verb.endswith("ee") else verb) + "ing"
    return f"{form} {rest}".strip()


def _third(phrase):
    verb, _, rest = phrase.partition(" ")
    if verb.endswith(("s", "sh", "ch", "x", "o")):
        form = verb + "es"
    elif verb.endswith("y") and verb[-2] not in "aeiou":
        form = verb[:-1] + "ies"
    else:
        form = verb + "s"
    return f"{form} {rest}".strip()


def _fill(text, side, person, both="both", bare=False):
    """A lexicon text with its marks replaced; `both` introduces paired parts, `bare` drops "the" before a part."""
    two = side == "both"
    text = re.sub(r"\[([^|\]]*)\|([^\]]*)\]", lambda m: m[2 if two else 1], text)
    other = {"left": "right", "right": "left"}.get(side, "")
    owner = "" if bare else person.possessive

    def mark(m):
        name = m[1]
        if name == "p":
            return owner
        if name == "s":
            return "" if two else side
        if name == "o":
            return other
        if name == "self":
            return person.reflexive
        noun = name.replace("_", " ")
        plural = _PLURALS.get(noun, noun + "s")
        return (f"{both} {plural}" if both else f"{owner} {plural}") if two else f"{owner} {side} {noun}"

    text = re.sub(r"\{(\w+)\}", mark, text)
    return re.sub(r"  +", " ", text).strip()


def _is_plural(subject):
    return subject.split()[-1] in _PLURAL_WORDS or subject.startswith("both ")


def _determiner(rng):
    """How a pair is introduced: "both arms" or "the/their arms"."""
    return "both" if rng.random() < 0.6 else ""


def _list(items, last=" and "):
    return items[0] if len(items) == 1 else ", ".join(items[:-1]) + last + items[-1]


@dataclass
class _Piece:
    """A chosen wording of a unit, ready to be inflected."""

    form: str
    subject: str
    rest: str

    @classmethod
    def of(cls, unit, wording, person, both, bare=False):
        subject = _fill(wording.subject, unit.side, person, both, bare)
        return cls(wording.form, subject, _fill(wording.rest, unit.side, person, both, bare))

    def noun(self):
        return f"{self.subject} {self.rest}"

    def participle(self):
        return _ing(self.rest) if self.form == "verb" else self.rest

    def clause(self, person):
        if self.form == "noun":
            return f"{self.subject} {'are' if _is_plural(self.subject) else 'is'} {self.rest}"
        return f"{person.pronoun} {self.participle()}"

    def command(self):
        if self.form == "noun":
            return f"keep {self.noun()}"
        if self.form == "verb":
            return self.rest
        return f"{'be' if self.rest.split()[0] in ('seated', 'upright', 'like', 'ready') else 'get'} {self.rest}"


# ------------------------------------------------------------------------------------------------ captions


def _units(held, rng):
    """The units that may be said of a pose: idioms, pairs or single statements (held: set of indices)."""
    units = [unit for unit in _idioms() if held.issuperset(unit.statements)]
    done = set()
    for i in sorted(held):
        if i in done:
            continue
        pair = _both(i)
        if pair and pair.statements[1] in held and rng.random() < 0.8:
            units.append(pair)
            done.update(pair.statements)
        else:
            units.append(_single(i))
    return units


def _select(units, count, weights, rng):
    """Up to `count` units drawn by weight, without ones that another one implies, MAX_STATEMENTS statements in all."""
    if not units:
        return []
    wanted = np.array([max(weights[i] for i in u.statements) for u in units])
    wanted *= [0.6 if len(u.statements) > 2 else 1.0 for u in units]  # idioms of many statements a little less
    chosen, said, implied = [], set(), set()
    for k in rng.choice(len(units), len(units), replace=False, p=wanted / wanted.sum()):
        mine = set(units[k].statements)
        if mine & (said | implied) or any(said & _implied(i) for i in mine):
            continue
        if len(said) + len(mine) > MAX_STATEMENTS:
            continue
        chosen.append(units[k])
        said |= mine
        implied |= set().union(*(_implied(i) for i in mine))
        if len(chosen) == count:
            break
    return chosen


def _say(units, rng, person, forms=None, bare=False):
    """A piece for every unit, in one of `forms` where the unit has such a wording."""
    pieces = []
    for unit in units:
        options = [w for w in unit.wordings if forms is None or w.form in forms] or list(unit.wordings)
        wording = options[rng.integers(len(options))]
        pieces.append(_Piece.of(unit, wording, person, _determiner(rng), bare and rng.random() < 0.8))
    return pieces


def _participles(units, lead, rng):
    """ "A person is squatting, raising the left arm, with the head turned left." """
    person = PEOPLE[rng.integers(len(PEOPLE))]
    pieces = _say(units, rng, person)
    with_ = [x.removeprefix("with ") for x in lead if x.startswith("with ")]
    doing = [x for x in lead if not x.startswith("with ")] + [p.participle() for p in pieces if p.form != "noun"]
    nouns = with_ + [p.noun() for p in pieces if p.form == "noun"]
    article_subject = person.subject.split()[0] in ("a", "someone", "an")
    if not doing:
        if article_subject and rng.random() < 0.5:
            return f"{person.subject} with {_list(nouns)}"
        return f"{person.subject} {'has' if rng.random() < 0.6 else 'is posing with'} {_list(nouns)}"
    be = "" if article_subject and rng.random() < 0.5 else " is"
    text = f"{person.subject}{be} {_list(doing, rng.choice([' and ', ', ']))}"
    if nouns:
        text += rng.choice([" with ", ", with ", ", "]) + _list(nouns, rng.choice([" and ", ", "]))
    return text


def _clauses(units, lead, rng):
    """ "The left arm is straight and both knees are bent while ..." """
    person = PEOPLE[rng.integers(len(PEOPLE))]
    clauses = [f"{person.pronoun} {x}" for x in lead]
    clauses += [p.clause(person) for p in _say(units, rng, person, ("noun",) if rng.random() < 0.6 else None)]
    opener = rng.choice(
        ["", "", "", "a pose where ", "a pose in which ", "in this pose, ", "the pose: ", "pose in which "]
    )
    style = rng.integers(4)
    if style == 0 and not opener:
        return ". ".join(c[0].upper() + c[1:] for c in clauses)
    if style == 1 and len(clauses) > 1:
        return opener + _list(clauses[:-1]) + " while " + clauses[-1]
    return opener + _list(clauses, rng.choice([" and ", ", and ", "; ", ", "]))


def _commands(units, lead, rng):
    """ "Raise your left arm, keep both knees bent and look up." """
    commands = [p.command() for p in _say(units, rng, YOU, ("verb", "be") if rng.random() < 0.8 else None)]
    opener = rng.choice(["", "", "", "", "please ", "now ", "show me how to ", "try to "])
    if rng.random() < 0.15 and not opener:
        return ". ".join(c[0].upper() + c[1:] for c in commands)
    return opener + _list(commands, rng.choice([" and ", ", then ", ", ", " and "]))


def _fragments(units, lead, rng):
    """ "squatting, left arm up, head turned right" """
    pieces = _say(units, rng, PLAIN, ("noun", "be") if rng.random() < 0.5 else None, bare=True)
    parts = lead + [p.noun() if p.form == "noun" else p.participle() for p in pieces]
    opener = rng.choice(["", "", "", "", "", "a person ", "pose: ", "someone "])
    if opener.endswith("n ") or opener.startswith("some"):
        opener = opener if pieces and pieces[0].form != "noun" or lead else opener + "with "
    return opener + rng.choice([", ", ", ", "; ", " and ", " + ", ". "]).join(parts)


def _present(units, lead, rng):
    """ "She kneels and raises her left arm, her head turned left." """
    person = PEOPLE[rng.integers(len(PEOPLE))]
    pieces = _say(units, rng, person, ("verb", "noun"))
    verbs = [_third(p.rest) for p in pieces if p.form == "verb"] + [f"is {p.rest}" for p in pieces if p.form == "be"]
    nouns = [p.noun() for p in pieces if p.form == "noun"]
    if not verbs:
        return f"{person.subject} has {_list(nouns)}"
    text = f"{person.subject} {_list(verbs)}"
    return text + (rng.choice([" with ", ", with ", ", "]) + _list(nouns) if nouns else "")


_STYLES = (_participles, _clauses, _fragments, _commands, _present)
_STYLE_SHARES = (0.3, 0.2, 0.24, 0.13, 0.13)
_TAG_SHARES = (0.5, 0.15, 0.35, 0.0, 0.0)  # names in -ing form fit these styles
_COUNTS = (0.17, 0.24, 0.23, 0.18, 0.11, 0.07)  # how many units: 1 to 6


def _finish(text, rng):
    text = re.sub(r"\s+", " ", text).strip().rstrip(",")
    r = rng.random()
    if r < 0.65:
        text = text[0].upper() + text[1:]
    elif r < 0.75:
        text = text.lower()
    return text + "." if rng.random() < 0.6 else text


def write(scores_row, rng: np.random.Generator, tags=(), weights=None) -> Caption:
    """A varied English caption of a pose.

    Args:
        scores_row: (S,) scores of posecodes.scores; only statements with a score >= 0 are asserted.
        rng: the source of all choices.
        tags: everyday names of the pose: texts ("waving", "with folded arms"), or objects with `.text` and
            `.statements`, used only where those statements hold.
        weights: (S,) how gladly a statement is said (rare ones more); all alike by default.
    Returns:
        The Caption with the 0 to 7 statements that its text asserts.
    """
    scores_row = np.asarray(scores_row)
    held = set(np.flatnonzero(scores_row >= 0).tolist())
    weights = np.ones(len(STATEMENTS)) if weights is None else np.asarray(weights)
    tags = [t for t in tags if held.issuperset(getattr(t, "statements", ()))]
    tag = tags[rng.integers(len(tags))] if tags and rng.random() < 0.55 else None
    count = 1 + rng.choice(len(_COUNTS), p=_COUNTS)
    said = ()
    if tag is not None:
        said = tuple(getattr(tag, "statements", ()))
        count = count - 1 if rng.random() < 0.6 else 0
    units = [u for u in _units(held, rng) if not set(u.statements) & set(said)]
    units = [u for u in units if not any(i in _implied(j) for i in u.statements for j in said)]
    chosen = _select(units, count, weights, rng) if count else []
    while len(said) + sum(len(u.statements) for u in chosen) > MAX_STATEMENTS:
        chosen.pop()
    if tag is None and not chosen:
        return Caption("a person", ())
    chosen.sort(key=lambda u: not u.posture)
    if len(chosen) > 1 and rng.random() < 0.2:
        rng.shuffle(chosen)
    lead = [] if tag is None else [getattr(tag, "text", tag)]
    style = _STYLES[rng.choice(len(_STYLES), p=_TAG_SHARES if lead else _STYLE_SHARES)]
    if lead and lead[0].startswith("with ") and style is _clauses:
        style = _participles  # "they are with folded arms" is no English
    text = _finish(style(chosen, lead, rng), rng)
    return Caption(text, tuple(sorted(set(said).union(*(u.statements for u in chosen)))))


# ------------------------------------------------------------------------------------------------ plain sentences


def phrase(index: int) -> str:
    """The canonical short phrase of a statement, e.g. "left elbow bent at a right angle"."""
    unit = _single(index)
    piece = _Piece.of(unit, unit.wordings[0], Person("", "the", "", ""), "both")
    return re.sub(r"^the ", "", piece.noun() if piece.form == "noun" else piece.participle())


def _telling(index):
    s = STATEMENTS[index]
    return TELLING_KEYS.get(s.key, TELLING[s.group])


def _region(index):
    s = STATEMENTS[index]
    part = "arms" if s.group == "hands" else s.group
    return part, s.side, s.key if part == "torso" else ""


def telling(scores_row) -> list[int]:
    """Indices of the statements that hold, the most telling ones first, without ones that others imply.

    A statement for both sides counts as one; each region of the body already spoken of makes the next
    statement about it less telling, so that the first few cover the whole pose.
    """
    held = set(np.flatnonzero(np.asarray(scores_row) >= 0).tolist())
    held -= set().union(*(_implied(i) for i in held))
    groups = []
    for i in sorted(held):
        pair = _both(i)
        if pair and pair.statements[1] in held:
            groups.append(pair.statements)
        elif not (_both(MIRROR_STATEMENT[i]) and MIRROR_STATEMENT[i] in held):
            groups.append((i,))
    order, spoken = [], {}
    while groups:
        best = max(groups, key=lambda g: (_telling(g[0]) - sum(spoken.get(_region(i), 0) for i in g) / len(g), -g[0]))
        groups.remove(best)
        for i in best:
            spoken[_region(i)] = spoken.get(_region(i), 0) + 1
        order.extend(best)
    return order


MAX_WORDS = 22


def describe(scores_row) -> str:
    """One plain sentence about a pose (at most 22 words): its posture first, then what tells most. Deterministic."""
    order = telling(scores_row)
    units, i = [], 0
    while i < len(order):
        pair = _both(order[i])
        units.append(pair if pair and order[i + 1 : i + 2] == [pair.statements[1]] else _single(order[i]))
        i += len(units[-1].statements)
    postures = [u for u in units if u.posture][:2]
    said = []
    sentence = _sentence(postures, said)
    for unit in (u for u in units if not u.posture):
        longer = _sentence(postures, said + [unit])
        if len(longer.split()) > MAX_WORDS or len(said) == 4:
            continue
        said.append(unit)
        sentence = longer
    return sentence


_ORDER = {"arms": 0, "hands": 0, "legs": 1, "torso": 2, "head": 3}


def _sentence(postures, rest):
    rest = sorted(rest, key=lambda u: (_ORDER[STATEMENTS[u.statements[0]].group], u.statements[0]))
    pieces = [_Piece.of(u, u.wordings[0], PLAIN, "both") for u in rest]
    nouns = _list([p.noun() for p in pieces]) if pieces else ""
    lead = " and ".join(_Piece.of(u, u.wordings[0], PLAIN, "both").participle() for u in postures)
    if not lead:
        return f"The person has {nouns}." if nouns else "The person is in a pose of their own."
    joint = ", " if " with " in lead else " with "
    return f"The person is {lead}{joint}{nouns}." if nouns else f"The person is {lead}."
