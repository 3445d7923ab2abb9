"""Named poses become families: every pose holds its whole recipe, on the side that was said, in a possible body."""

import pytest
import roma
import torch

from finetune.data import families, named
from posegen import lexicon, posecodes
from posegen.lexicon import LexiconError, Unit
from posegen.posecodes import INDEX, MIRROR_STATEMENT
from posegen.skeleton import forward_kinematics

KICK = ("left_foot_lifted", "left_foot_in_front", "standing_on_right_leg")
PRAY = ("sitting_cross_legged", "palms_together", "torso_upright")


def ids(names):
    return tuple(sorted(INDEX[name] for name in names))


def mirrored(recipe):
    return tuple(sorted(MIRROR_STATEMENT[i] for i in recipe))


@pytest.fixture(scope="module")
def start():
    poses = torch.from_numpy(families.sample(400, seed=0).axis_angle)
    return poses, posecodes.scores(roma.rotvec_to_rotmat(poses))


@pytest.fixture
def three_units(monkeypatch):
    units = tuple(
        Unit(recipe, (), side, True)
        for recipe, side in ((ids(KICK), "left"), (mirrored(ids(KICK)), "right"), (ids(PRAY), ""))
    )
    monkeypatch.setattr(named, "lexicon", lambda: ({}, units))
    return units


def test_poses_hold_their_recipes_on_both_sides_and_differ(start, three_units):
    made = named.sample(*start, each=24, seed=0)
    scores = posecodes.scores(roma.rotvec_to_rotmat(made.axis_angle))
    for index, unit in enumerate(three_units):
        mine = made.unit == index
        assert mine.sum() >= 4, unit
        assert (scores[mine][:, list(unit.statements)] >= 0).all()
        joints = forward_kinematics(roma.rotvec_to_rotmat(made.axis_angle[mine]))[0]
        assert (joints[0] - joints[1]).norm(dim=-1).mean() > 0.02
    assert families.plausible(made.axis_angle.numpy()).all()
    assert made.axis_angle[:, [10, 11, 22, 23]].abs().max() == 0


def test_moving_reaches_what_did_not_hold(start):
    poses, scores = start
    recipe = ids(("standing", "right_knee_slightly_bent", "left_elbow_right_angle", "looking_up"))
    few = torch.argsort(scores[:, list(recipe)].clamp(-4, 0).sum(1), descending=True)[:32]
    assert (scores[few][:, list(recipe)] >= 0).all(1).float().mean() < 0.3
    _, good = named.move(poses[few], [recipe] * len(few), 60)
    assert good.float().mean() > 0.5


def test_what_no_body_can_do_gives_no_poses(start, monkeypatch):
    impossible = Unit(ids(("lying_on_back", "standing")), (), "", True)
    monkeypatch.setattr(named, "lexicon", lambda: ({}, (impossible,)))
    assert len(named.sample(*start, each=4, seed=0).unit) == 0


@pytest.mark.parametrize(
    ("text", "wrong"),
    [("no_such_statement\n> sit", "line 1.*no_such_statement"), ("standing\nstand there", "line 2: a wording is"),
     ("standing\n| both arms up", "line 2")],
)  # fmt: skip
def test_mistakes_in_a_lexicon_file_are_named(tmp_path, text, wrong):
    path = tmp_path / "mine.txt"
    path.write_text(text)
    with pytest.raises(LexiconError, match=f"mine.txt, {wrong}"):
        list(lexicon._blocks(path))
