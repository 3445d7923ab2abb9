"""Captions: true, varied, grammatical, and repeatable; phrases and plain sentences."""

import re

import numpy as np
import pytest
import roma
import torch

from finetune.data import families
from posegen import captions
from posegen import lexicon as lexicon_module
from posegen.captions import MAX_STATEMENTS, describe, phrase, telling, write
from posegen.lexicon import IMPLIES, TELLING_KEYS, lexicon
from posegen.posecodes import INDEX, MIRROR_STATEMENT, NAMES, STATEMENTS, scores


@pytest.fixture(scope="module")
def family():
    return families.sample(1000, seed=4)


@pytest.fixture(scope="module")
def rows(family):
    return scores(roma.rotvec_to_rotmat(torch.from_numpy(family.axis_angle))).numpy()


@pytest.fixture(scope="module")
def written(rows, family):
    rng = np.random.default_rng(0)
    return [write(row, rng, tags=tags) for row, tags in zip(rows, family.names, strict=True)]


def only(*names):
    row = np.full(len(NAMES), -9.0)
    row[[INDEX[n] for n in names]] = 1.0
    return row


def spoken(unit):
    return [w for w in unit.wordings if w.form != "prompt"]


def test_every_statement_has_wordings():
    keys = {s.key for s in STATEMENTS}
    assert all(len(spoken(captions._single(i))) >= 12 for i in range(len(STATEMENTS)))
    pairs = [captions._both(i) for i in range(len(STATEMENTS)) if captions._both(i)]
    assert len(pairs) > 40 and all(len(spoken(pair)) >= 4 for pair in pairs)
    assert set(TELLING_KEYS) <= keys and set(IMPLIES) <= keys


def test_the_first_wording_is_a_noun_phrase_or_a_posture():
    for i, s in enumerate(STATEMENTS):
        form = captions._single(i).wordings[0].form
        assert (form in ("verb", "be")) if s.group == "posture" else form == "noun", s.name


def test_there_are_hundreds_of_named_poses_with_many_wordings():
    named = lexicon()[1]
    recipes = {min(u.statements, tuple(sorted(MIRROR_STATEMENT[i] for i in u.statements))) for u in named}
    assert len(recipes) > 1000 and sum(len(u.wordings) for u in named) > 10_000


def test_who_names_no_side_means_the_right_one(tmp_path, monkeypatch):
    (tmp_path / "x.txt").write_text("standing, {s}_hand_above_head\n> hail a cab\n> hail a cab with {hand}\n")
    monkeypatch.setattr(lexicon_module, "FOLDER", tmp_path)
    _, named = lexicon.__wrapped__()
    assert {u.side: [w.rest for w in u.wordings] for u in named} == {
        "left": ["hail a cab with {hand}"],
        "right": ["hail a cab", "hail a cab with {hand}"],
    }


@pytest.mark.parametrize(
    ("verb", "ing", "third"),
    [
        ("sit", "sitting", "sits"), ("kneel", "kneeling", "kneels"), ("lie", "lying", "lies"),
        ("row", "rowing", "rows"), ("box", "boxing", "boxes"), ("dance", "dancing", "dances"),
        ("squat", "squatting", "squats"), ("ski", "skiing", "skis"), ("carry", "carrying", "carries"),
        ("tiptoe", "tiptoeing", "tiptoes"), ("have", "having", "has"), ("do", "doing", "does"),
    ],
)  # fmt: skip
def test_verbs_are_inflected(verb, ing, third):
    assert (captions._ing(verb), captions._third(verb)) == (ing, third)
    assert captions._inflect(f"{verb} down and read a book", captions._ing) == f"{ing} down and reading a book"


def test_held_out_wordings_are_said_only_when_asked_for():
    words = lambda ws: {word for w in ws for word in w.rest.split()}  # noqa: E731
    for unit in lexicon()[1]:
        mine = [w for w in unit.wordings if captions.is_held_out(w) and w.form == "prompt"]
        kept = words(mine) - words(w for w in unit.wordings if w not in mine)
        if len(kept) >= 3 and len(unit.wordings) > len(mine) + 3 and len(unit.statements) >= MAX_STATEMENTS:
            break  # nothing else is said beside so long a recipe
    row, rng = only(*(NAMES[i] for i in unit.statements)), np.random.default_rng(0)
    unseen = {word for _ in range(60) for word in write(row, rng, about=unit, held_out=True).text.split()}
    seen = {word for _ in range(200) for word in write(row, rng, about=unit).text.split()}
    assert len(kept & unseen) >= len(kept) / 2 and len(kept & seen) <= len(kept) / 4, (kept, unit)  # "the" is no secret


def test_a_caption_asserts_only_what_holds(written, rows):
    for caption, row in zip(written, rows, strict=True):
        assert (row[list(caption.statements)] >= 0).all(), caption
        named = len(caption.about.statements) if caption.about else 0
        assert len(caption.statements) <= max(MAX_STATEMENTS, named)


def test_captions_are_clean_text(written):
    for caption in written:
        text = caption.text
        assert text and text == text.strip() and "{" not in text
        assert not re.search(r"[{}\[\]|<>=]|  | ,|\band and\b|\bwith with\b", text), text
        assert not re.search(r"\b(the the|the both|is are|their the|a a)\b", text.lower()), text


def test_short_and_long_captions(written):
    counts = np.array([len(c.statements) for c in written])
    assert (counts <= 1).mean() > 0.1 and (counts >= 5).mean() > 0.1
    assert len({c.text for c in written}) > 0.9 * len(written)


def test_a_caption_says_its_side():
    """A one-sided statement is told with its side, or by an everyday word that stands for the right."""
    rng = np.random.default_rng(1)
    for s in STATEMENTS:
        for _ in range(12) if s.side else ():
            caption = write(only(s.name), rng)
            said = set(re.findall(r"\b(left|right)\b", re.sub(r"right angles?", "", caption.text.lower())))
            assert s.side in said or (s.side == "right" and not said), (s.name, caption.text)


def test_both_sides_are_told_as_both():
    rng = np.random.default_rng(2)
    texts = [write(only("left_knee_raised", "right_knee_raised"), rng).text.lower() for _ in range(60)]
    assert sum("both knees" in t or "knees" in t for t in texts) > 25


def test_an_idiom_needs_all_its_statements():
    rng = np.random.default_rng(3)
    one = [write(only("left_hand_on_hip"), rng).text for _ in range(150)]
    assert not any("hands on hips" in t.lower() for t in one)
    both = [write(only("left_hand_on_hip", "right_hand_on_hip"), rng) for _ in range(150)]
    hit = [c for c in both if "akimbo" in c.text.lower()]
    assert hit and all({INDEX["left_hand_on_hip"], INDEX["right_hand_on_hip"]} <= set(c.statements) for c in hit)


def test_tags_are_used_where_their_statements_hold():
    rng = np.random.default_rng(4)
    tag = families.Tag("waving with the left hand", (INDEX["left_hand_above_shoulder"],))
    wave = [write(only("left_hand_above_shoulder", "standing"), rng, tags=(tag, "dancing")) for _ in range(80)]
    assert any("waving with the left hand" in c.text.lower() for c in wave)
    assert any("dancing" in c.text.lower() for c in wave)
    for c in wave:
        assert "waving with the left hand" not in c.text.lower() or INDEX["left_hand_above_shoulder"] in c.statements
    still = [write(only("standing"), rng, tags=(tag,)).text for _ in range(80)]
    assert not any("waving" in t.lower() for t in still)


def test_weights_prefer_rare_statements():
    row = only("left_knee_straight", "head_turned_left", "left_elbow_straight")
    weights = np.ones(len(NAMES))
    weights[INDEX["head_turned_left"]] = 50
    rng = np.random.default_rng(5)
    share = np.mean([INDEX["head_turned_left"] in write(row, rng, weights=weights).statements for _ in range(100)])
    assert share > 0.9


def test_the_same_seed_writes_the_same(rows):
    a = [write(row, np.random.default_rng(9)) for row in rows[:20]]
    assert a == [write(row, np.random.default_rng(9)) for row in rows[:20]]


def test_nothing_to_say():
    row = np.full(len(NAMES), -9.0)
    assert write(row, np.random.default_rng(0)).statements == ()
    assert describe(row).endswith(".") and telling(row) == []


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("left_elbow_right_angle", "left elbow bent at a right angle"),
        ("right_hand_on_hip", "right hand on the hip"),
        ("squatting", "squatting"),
        ("lying_on_left_side", "lying on the left side"),
        ("hands_together", "hands together"),
    ],
)
def test_phrase(name, text):
    assert phrase(INDEX[name]) == text


def test_phrases_differ_and_mirror():
    phrases = [phrase(i) for i in range(len(NAMES))]
    assert len(set(phrases)) == len(phrases)
    for i, j in enumerate(MIRROR_STATEMENT):
        assert families._swap(phrases[i]) == phrases[j]


def test_describe_a_pose():
    row = only(
        "squatting",
        "left_arm_forward",
        "right_arm_forward",
        "head_turned_left",
        "left_hand_in_front",
        "left_knee_fully_bent",
    )
    assert describe(row) == "The person is squatting with both arms stretched forward and the head turned left."
    assert describe(only("left_hand_on_hip", "left_hand_waist_height")) == "The person has the left hand on the hip."


def test_describe_is_one_short_sentence(rows):
    for row in rows:
        text = describe(row)
        assert text.startswith("The person ") and text.endswith(".") and text.count(".") == 1
        assert len(text.split()) <= 22 and "{" not in text, text


def test_telling_is_true_without_implied_statements(rows):
    for row in rows[:200]:
        order = telling(row)
        assert len(order) == len(set(order)) and (row[order] >= 0).all()
        assert not any(j in captions._implied(i) for i in order for j in order)
    assert NAMES[telling(only("left_hand_above_head", "left_hand_above_shoulder"))[0]] == "left_hand_above_head"
