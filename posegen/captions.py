"""English about poses: captions that know which statements they assert, and one plain sentence about a pose.

The wordings are in lexicon.py. A caption asserts only statements that hold strictly, so a pose can be
checked against any caption by its statements' scores.
"""

import re
import zlib
from dataclasses import dataclass, replace
from functools import cache

import numpy as np

from posegen.lexicon import IMPLIES, TELLING, TELLING_KEYS, Unit, Wording, context, lexicon
from posegen.posecodes import MIRROR_STATEMENT, STATEMENTS

MAX_STATEMENTS = 10


@dataclass(frozen=True)
class Caption:
    """A text, the statements (indices) that it asserts, and the named pose that it speaks of, if any."""

    text: str
    statements: tuple[int, ...]
    about: Unit | None = None


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


def _single(index):
    return lexicon()[0][index,]


def _both(index):
    """The unit that says a left statement and its mirror image at once; None where they cannot hold together."""
    return lexicon()[0].get((index, MIRROR_STATEMENT[index])) if STATEMENTS[index].side == "left" else None


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
    "hands arms legs feet knees elbows palms ankles fists shoulders thighs heels shins eyes forearms calves soles"  # noqa: SIM905
    " hips".split()
)
_DOUBLED = frozenset("begin forget admit commit".split())  # noqa: SIM905


def _ing(verb):
    if verb.endswith("ie"):
        return verb[:-2] + "ying"
    one_syllable = re.fullmatch(r"(?:[^aeiou]|qu)*[aeiou][^aeiouwxy]", verb)  # sit, hug, squat
    if one_syllable or verb in _DOUBLED:
        return f"{verb}{verb[-1]}ing"
    if verb.endswith("e") and not verb.endswith(("ee", "oe", "ye")) and verb != "be":
        return verb[:-1] + "ing"
    return verb + "ing"


def _third(verb):
    if verb.endswith(("s", "sh", "ch", "x", "z", "o")):
        return verb + "es"
    if verb.endswith("y") and verb[-2:-1] not in "aeiou":
        return verb[:-1] + "ies"
    return {"be": "is", "have": "has"}.get(verb, verb + "s")


@cache
def _verbs():
    """Words that open a verb wording: after "and" they are inflected too ("sitting and reading")."""
    units = [*lexicon()[0].values(), *lexicon()[1]]
    return frozenset(w.rest.split()[0] for u in units for w in u.wordings if w.form == "verb") - {"place", "back"}


def _inflect(phrase, form):
    """A verb phrase with its verbs in another form, `form(verb)`."""
    first, _, rest = phrase.partition(" ")
    words = rest.split(" ") if rest else []
    for i in range(1, len(words)):
        if words[i - 1] in ("and", "then") and words[i] in _verbs():
            words[i] = form(words[i])
    return " ".join([form(first), *words])


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
        return _inflect(self.rest, _ing) if self.form == "verb" else self.rest

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
    """The simple units that may be said of a pose: pairs or single statements (held: set of indices)."""
    units, done = [], set()
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


def is_held_out(wording: Wording) -> bool:
    """Whether a wording is kept from training, one in twelve, to measure how unseen ones are read."""
    return zlib.crc32(f"{wording.subject} {wording.rest}".encode()) % 12 == 0


def _choose(unit, rng, forms, held_out):
    """A wording of a unit in one of `forms`, if it has one; of the held-out wordings, or of the others."""
    options = [w for w in unit.wordings if w.form in forms] or [w for w in unit.wordings if w.form != "prompt"]
    options = [w for w in options if is_held_out(w) == held_out] or options or unit.wordings
    return _pick(options, rng)


def _name(held, rng):
    """A named pose that these statements (a set) make, the more telling ones rather; None if there is none."""
    units = [unit for unit in lexicon()[1] if held.issuperset(unit.statements)]
    weight = np.array([len(unit.statements) ** 2.0 for unit in units])
    return units[rng.choice(len(units), p=weight / weight.sum())] if units else None


def _select(units, count, weights, rng):
    """Up to `count` units drawn by weight, without ones that another one implies, MAX_STATEMENTS statements in all."""
    if not units:
        return []
    wanted = np.array([max(weights[i] for i in u.statements) for u in units])
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


_SPOKEN = ("noun", "verb", "be")


def _say(units, rng, person, forms=_SPOKEN, bare=False, held_out=False):
    """A piece for every unit, in one of `forms` where the unit has such a wording."""
    return [
        _Piece.of(u, _choose(u, rng, forms, held_out), person, _determiner(rng), bare and rng.random() < 0.8)
        for u in units
    ]


def _somebody(rng):
    """Who the caption is about, and whether the subject stands by itself ("a nurse kneeling"; not "he kneeling")."""
    if rng.random() < 0.35:
        owner = str(rng.choice(["their", "the"]))
        return Person(_pick(context()["subjects"], rng), owner, "themselves", "they are"), True
    person = _pick(PEOPLE, rng)
    return person, person.subject.split()[0] in ("a", "someone", "an")


def _pick(items, rng):
    return items[rng.integers(len(items))]


def _opened(text, rng):
    """Now and then "show me ..." before a noun phrase."""
    return f"{_pick(context()['openers'], rng)} {text}" if rng.random() < 0.15 else text


def _participles(units, lead, rng):
    """ "A person is squatting, raising the left arm, with the head turned left." """
    person, alone = _somebody(rng)
    pieces = _say(units, rng, person)
    with_ = [x.removeprefix("with ") for x in lead if x.startswith("with ")]
    doing = [x for x in lead if not x.startswith("with ")] + [p.participle() for p in pieces if p.form != "noun"]
    nouns = with_ + [p.noun() for p in pieces if p.form == "noun"]
    alone = alone and rng.random() < 0.5
    if not doing:
        if alone:
            return _opened(f"{person.subject} with {_list(nouns)}", rng)
        return f"{person.subject} {'has' if rng.random() < 0.6 else 'is posing with'} {_list(nouns)}"
    text = f"{person.subject}{'' if alone else ' is'} {_list(doing, rng.choice([' and ', ', ']))}"
    if nouns:
        text += rng.choice([" with ", ", with ", ", "]) + _list(nouns, rng.choice([" and ", ", "]))
    return _opened(text, rng) if alone else text


def _clauses(units, lead, rng):
    """ "The left arm is straight and both knees are bent while ..." """
    person = PEOPLE[rng.integers(len(PEOPLE))]
    clauses = [f"{person.pronoun} {x}" for x in lead]
    clauses += [p.clause(person) for p in _say(units, rng, person, ("noun",) if rng.random() < 0.6 else _SPOKEN)]
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
    commands = [p.command() for p in _say(units, rng, YOU, ("verb", "be") if rng.random() < 0.8 else _SPOKEN)]
    opener = rng.choice(["", "", "", "", "please ", "now ", "show me how to ", "try to "])
    if rng.random() < 0.15 and not opener:
        return ". ".join(c[0].upper() + c[1:] for c in commands)
    return opener + _list(commands, rng.choice([" and ", ", then ", ", ", " and "]))


def _fragments(units, lead, rng):
    """ "squatting, left arm up, head turned right" """
    pieces = _say(units, rng, PLAIN, ("noun", "be") if rng.random() < 0.5 else _SPOKEN, bare=True)
    parts = lead + [p.noun() if p.form == "noun" else p.participle() for p in pieces]
    opener = rng.choice(["", "", "", "", "", "a person ", "pose: ", "someone "])
    if opener.endswith("n ") or opener.startswith("some"):
        opener = opener if pieces and pieces[0].form != "noun" or lead else opener + "with "
    return opener + rng.choice([", ", ", ", "; ", " and ", " + ", ". "]).join(parts)


def _present(units, lead, rng):
    """ "She kneels and raises her left arm, her head turned left." """
    person, _ = _somebody(rng)
    pieces = _say(units, rng, person, ("verb", "noun"))
    verbs = [_inflect(p.rest, _third) for p in pieces if p.form == "verb"]
    verbs += [f"is {p.rest}" for p in pieces if p.form == "be"]
    nouns = [p.noun() for p in pieces if p.form == "noun"]
    if not verbs:
        return f"{person.subject} has {_list(nouns)}"
    text = f"{person.subject} {_list(verbs)}"
    return text + (rng.choice([" with ", ", with ", ", "]) + _list(nouns) if nouns else "")


_LINKS = (", ", ", ", " - ", ": ", " doing ", ", doing ", " as ", " like ", " in ")


def _titled(wording, side, units, rng):
    """ "Warrior two, head turned left"; "a nurse doing warrior two": a name is found wherever it stands in a text."""
    person = Person("", str(rng.choice(["the", "their", "his", "her"])), "themselves", "")
    title = _fill(wording.rest, side, person).rstrip(".")
    place, inner = rng.random(), title[0].lower() + title[1:] if title[1:2].islower() else title
    if place < 0.25:
        title = f"{_pick(context()['openers'], rng)} {inner}"
    elif place < 0.5:
        title = f"{_pick(context()['subjects'], rng)}{_pick(_LINKS, rng)}{inner}"
    elif place < 0.6:
        title = f"{title}, {_pick(context()['subjects'], rng)}"
    pieces = _say(units, rng, PLAIN, ("noun", "be"), bare=True)
    parts = [p.noun() if p.form == "noun" else p.participle() for p in pieces]
    return _pick((", ", ", ", "; ", " with "), rng).join([title, ", ".join(parts)]) if parts else title


_STYLES = (_participles, _clauses, _fragments, _commands, _present)
_STYLE_SHARES = (0.3, 0.2, 0.24, 0.13, 0.13)
_TAG_SHARES = (0.5, 0.15, 0.35, 0.0, 0.0)  # names in -ing form fit these styles
_COUNTS = (0.17, 0.24, 0.23, 0.18, 0.11, 0.07)  # how many units: 1 to 6
_COUNTS_BESIDE_A_NAME = (0.58, 0.2, 0.12, 0.1)  # 0 to 3


def _finish(text, rng):
    """Spaces, capitals and full stop as people set them, now and then words that say nothing of the pose, and typos."""
    text = re.sub(r"\s+", " ", text).strip().rstrip(",")
    r = rng.random()
    if r < 0.15:
        text = f"{text.rstrip('.')}{rng.choice([' ', ', '])}{_pick(context()['endings'], rng)}"
    elif r < 0.18:
        text = f"{text.rstrip('.')} {_pick(context()['adverbs'], rng)}"
    if rng.random() < 0.06:
        text = _mistype(text, rng)
    r = rng.random()
    if r < 0.65:
        text = text[0].upper() + text[1:]
    elif r < 0.75:
        text = text.lower()
    return text + "." if rng.random() < 0.6 and text[-1] not in ".!?" else text


def _mistype(text, rng):
    """One word of four or more letters with two letters swapped, one lost or one doubled; never a side."""
    words = text.split(" ")
    long = [i for i, w in enumerate(words) if w.isalpha() and len(w) > 3 and w.lower() not in ("left", "right")]
    if long:
        i = long[rng.integers(len(long))]
        word, k = words[i], rng.integers(1, len(words[i]) - 1)
        swapped = word[:k] + word[k + 1] + word[k] + word[k + 2 :]
        words[i] = (swapped, word[:k] + word[k + 1 :], word[:k] + word[k] + word[k:])[rng.integers(3)]
    return " ".join(words)


def write(
    scores_row, rng: np.random.Generator, tags=(), weights=None, about: Unit | None = None, held_out=False
) -> Caption:
    """A varied English caption of a pose.

    Args:
        scores_row: (S,) scores of posecodes.scores; only statements with a score >= 0 are asserted.
        rng: the source of all choices.
        tags: everyday names of the pose: texts ("waving", "with folded arms"), or objects with `.text` and
            `.statements`, used only where those statements hold.
        weights: (S,) how gladly a statement is said (rare ones more); all alike by default.
        about: a named pose to say, all of whose statements hold; by default one that fits is said now and then.
        held_out: say the named pose in a wording that training never sees.
    Returns:
        The Caption with the statements that its text asserts: at most 10, or those of the named pose.
    """
    scores_row = np.asarray(scores_row)
    held = set(np.flatnonzero(scores_row >= 0).tolist())
    weights = np.ones(len(STATEMENTS)) if weights is None else np.asarray(weights)
    tags = [t for t in tags if held.issuperset(getattr(t, "statements", ()))]
    tag = tags[rng.integers(len(tags))] if about is None and tags and rng.random() < 0.55 else None
    if about is None and tag is None and rng.random() < 0.4:
        about = _name(held, rng)
    count, said = 1 + rng.choice(len(_COUNTS), p=_COUNTS), ()
    if about is not None:
        count, said = rng.choice(len(_COUNTS_BESIDE_A_NAME), p=_COUNTS_BESIDE_A_NAME), about.statements
    elif tag is not None:
        said = tuple(getattr(tag, "statements", ()))
        count = count - 1 if rng.random() < 0.6 else 0
    units = [u for u in _units(held, rng) if not set(u.statements) & set(said)]
    units = [u for u in units if not any(i in _implied(j) for i in u.statements for j in said)]
    chosen = _select(units, count, weights, rng) if count else []
    while chosen and len(said) + sum(len(u.statements) for u in chosen) > MAX_STATEMENTS:
        chosen.pop()
    if tag is None and about is None and not chosen:
        return Caption("a person", ())
    made = tuple(sorted(set(said).union(*(u.statements for u in chosen))))
    chosen.sort(key=lambda u: not u.posture)
    if len(chosen) > 1 and rng.random() < 0.2:
        rng.shuffle(chosen)
    first = about if about is not None else chosen[0] if tag is None and rng.random() < 0.15 else None
    if first is not None:
        wording = _choose(first, rng, (*_SPOKEN, "prompt"), held_out)
        rest = [u for u in chosen if u is not first]
        if wording.form == "prompt":
            return Caption(_finish(_titled(wording, first.side, rest, rng), rng), made, about)
        chosen = [replace(first, wordings=(wording,)), *rest]
    lead = [] if tag is None else [getattr(tag, "text", tag)]
    style = _STYLES[rng.choice(len(_STYLES), p=_TAG_SHARES if lead else _STYLE_SHARES)]
    if lead and lead[0].startswith("with ") and style is _clauses:
        style = _participles  # "they are with folded arms" is no English
    return Caption(_finish(style(chosen, lead, rng), rng), made, about)


# ------------------------------------------------------------------------------------------------ plain sentences


def phrase(index: int) -> str:
    """The canonical short phrase of a statement, e.g. "left elbow bent at a right angle"."""
    unit = _single(index)
    piece = _Piece.of(unit, unit.wordings[0], Person("", "the", "", ""), "both")
    return re.sub(r"^the ", "", piece.noun() if piece.form == "noun" else piece.participle())


def title(unit: Unit) -> str:
    """What a named pose is called, by its first wording: "throwing a ball", "warrior two"."""
    piece = _Piece.of(unit, unit.wordings[0], Person("", "their", "themselves", ""), "both")
    return piece.noun() if piece.form == "noun" else piece.participle()


def how_telling(index: int) -> float:
    """How much a statement tells of a pose: 6 for a posture, next to nothing for what most poses show."""
    s = STATEMENTS[index]
    return TELLING_KEYS.get(s.key, TELLING[s.group])


def _region(index):
    s = STATEMENTS[index]
    part = "arms" if s.group == "hands" else s.group
    return part, s.side, s.key if part == "torso" else ""


def telling(scores_row) -> list[int]:
    """Indices of the statements that hold, the most telling ones first (see `told`)."""
    return [i for group in told(scores_row) for i in group]


def told(scores_row) -> list[tuple[int, ...]]:
    """The statements that hold, the most telling first, without ones that others imply; those of both sides as one.

    Each region of the body already spoken of makes the next statement about it less telling, so that the first few
    cover the whole pose.
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
        again = {g: sum(spoken.get(_region(i), 0) for i in g) / len(g) for g in groups}
        best = max(groups, key=lambda g: (how_telling(g[0]) - again[g], -g[0]))
        groups.remove(best)
        for i in best:
            spoken[_region(i)] = spoken.get(_region(i), 0) + 1
        order.append(best)
    return order


MAX_WORDS = 22


def describe(scores_row) -> str:
    """One plain sentence about a pose (at most 22 words): its posture first, then what tells most. Deterministic."""
    units = [_single(group[0]) if len(group) == 1 else _both(group[0]) for group in told(scores_row)]
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
