"""Stage 1: settings, the loop's resume, the pool, and a whole tiny run from poses to a policy that answers."""

import json

import numpy as np
import pytest
import torch

from finetune import config, loop, sft
from finetune.data import datasets, families
from posegen import posecodes


@pytest.fixture(scope="module")
def pose_file(tmp_path_factory):
    """A small pose file in the project's form, of parametric poses in 20 clips."""
    path = tmp_path_factory.mktemp("poses") / "poses.npz"
    poses = families.sample(400, seed=7).axis_angle
    np.savez(path, poses=poses, clip=np.arange(400) // 20)
    return path


# ---- settings


def test_settings_come_from_the_file_and_the_command_line(tmp_path):
    file = tmp_path / "a.yaml"
    file.write_text("head_steps: 7\nhead_learning_rate: 1e-4\n")
    settings = config.load(config.SFTConfig, file, ["--seed", "3", "--head_steps", "9"])
    assert (settings.head_steps, settings.seed, settings.head_learning_rate) == (9, 3, 1e-4)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--no_such", "1"], "no setting 'no_such'"),
        (["--seed"], "--key value"),
        (["--seed", "many"], "must be of type int"),
        (["--head_steps", "-1"], "must not be negative"),
    ],
)
def test_wrong_settings_are_named(arguments, sentence):
    with pytest.raises(config.ConfigError, match=sentence):
        config.load(config.SFTConfig, None, arguments)


def test_shipped_config_loads():
    assert config.load(config.SFTConfig, "finetune/configs/stage1.yaml").backbone == "smollm2-135m"


# ---- the loop


def fit_line(run_dir, steps, stop_at=None):
    """Train a small network; optionally die at a step."""
    torch.manual_seed(0)
    net = torch.nn.Sequential(torch.nn.Linear(3, 8), torch.nn.Dropout(0.2), torch.nn.Linear(8, 1))
    taken = 0

    def loss_of(generator):
        nonlocal taken
        if taken == stop_at:
            raise KeyboardInterrupt
        taken += 1
        x = torch.randn(16, 3, generator=generator)
        return ((net(x) - x.sum(1, keepdim=True)) ** 2).mean(), {}

    loop.train("line", {"net": net}, loss_of, steps, 1e-2, config.SFTConfig(run_dir=str(run_dir), save_seconds=0))
    return torch.cat([p.flatten() for p in net.parameters()]).detach(), taken


def test_a_stopped_run_ends_where_an_unbroken_one_does(tmp_path):
    (tmp_path / "a").mkdir(), (tmp_path / "b").mkdir()
    whole, _ = fit_line(tmp_path / "a", 30)
    with pytest.raises(KeyboardInterrupt):
        fit_line(tmp_path / "b", 30, stop_at=13)
    resumed, taken = fit_line(tmp_path / "b", 30)
    assert taken == 17
    assert torch.equal(whole, resumed)
    assert fit_line(tmp_path / "b", 30)[1] == 0  # done is done
    assert fit_line(tmp_path / "b", 35)[1] == 5  # and can be made longer
    lines = [json.loads(line) for line in (tmp_path / "a" / "metrics.jsonl").read_text().splitlines()]
    assert lines[-1]["loss"] < lines[0]["loss"]


def test_a_loss_that_is_not_a_number_stops_with_a_sentence(tmp_path):
    net = torch.nn.Linear(1, 1)
    with pytest.raises(FloatingPointError, match="lower its learning rate"):
        settings = config.SFTConfig(run_dir=str(tmp_path))
        loop.train("bad", {"net": net}, lambda g: (net.weight.sum() * torch.nan, {}), 3, 1e-3, settings)


# ---- the pool


def test_pool_joins_sources_and_keeps_clips_apart(pose_file):
    train, clips = datasets.mocap(pose_file, "train")
    val, val_clips = datasets.mocap(pose_file, "val")
    assert set(clips) & set(val_clips) == set() and set(val_clips) == {7, 17}
    assert len(train) + len(val) == 400
    pool = datasets.build_pool(pose_file, "train", 200, 90, seed=0)
    assert {int(s) for s in pool.source} <= {0, 1, 2, 3} and (pool.unit == -1).all() and len(pool.names) == len(pool)
    for source, share in enumerate(datasets.SHARES):
        mine = pool.source == source
        if mine.any():
            assert pool.weight[mine].sum().item() == pytest.approx(share / sum(datasets.SHARES), abs=0.25)
    again = datasets.build_pool(pose_file, "train", 200, 90, seed=0)
    assert torch.equal(pool.axis_angle, again.axis_angle)


def test_captions_of_the_pool_are_true(pose_file):
    pool = datasets.build_pool(pose_file, "train", 100, 30, seed=0)
    made = datasets.write_captions(pool, range(100), np.random.default_rng(0))
    wanted = datasets.asserted([c.statements for c in made])
    assert ((pool.scores[:100] >= 0)[wanted > 0]).all()
    assert wanted.sum(1).mean() > 1.5 and len({c.text for c in made}) > 90


def test_missing_poses_are_named(tmp_path):
    with pytest.raises(datasets.DataError, match="python -m finetune data"):
        datasets.mocap(tmp_path / "none.npz", "train")


def test_statements_given_to_the_head_are_true_and_few():
    generator = torch.Generator().manual_seed(0)
    scores = torch.randn(200, len(posecodes.NAMES), generator=generator)
    no_recipe = torch.zeros_like(scores) > 0
    given = sft.choose_statements(scores, no_recipe, torch.ones(scores.shape[1]), generator)
    chosen = given >= 0.5
    assert (scores[chosen] >= 0).all() and chosen.sum(1).max() <= sft.MAX_STATEMENTS
    assert {int(n) for n in chosen.sum(1)} >= {0, 1, 7}


def test_the_head_mostly_gets_the_whole_recipe_of_a_named_pose():
    generator = torch.Generator().manual_seed(0)
    scores = torch.ones(400, len(posecodes.NAMES))
    recipe = torch.zeros_like(scores) > 0
    recipe[:, :5] = True
    chosen = sft.choose_statements(scores, recipe, torch.ones(scores.shape[1]), generator) >= 0.5
    assert 0.6 < chosen[:, :5].all(1).float().mean() < 0.85


# ---- everything, small


@pytest.mark.slow
def test_a_tiny_run_makes_a_policy_and_resumes(pose_file, tmp_path):
    from posegen import PosePolicy

    settings = config.SFTConfig(
        poses=str(pose_file), renders=str(tmp_path / "renders"), run_dir=str(tmp_path / "run"),
        output_dir=str(tmp_path / "policy"), num_families=300, num_recombined=90, num_renders=6,
        num_simulated=200, head_steps=3, reader_steps=2, lifter_steps=2, talker_steps=1, talker_batch=4, head_batch=16,
        num_named=0, reader_batch=8, lifter_batch=8,
    )  # fmt: skip
    sft.run(settings)
    stages = [json.loads(line)["stage"] for line in (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()]
    assert set(stages) >= {"data", "head", "lifter", "reader", "talker", "done"}
    policy = PosePolicy.from_pretrained(tmp_path / "policy")
    assert policy.text_to_pose("standing")[0].pose.rotations.shape == (24, 3, 3)
    before = len(stages)
    sft.run(settings)  # nothing is trained again
    stages = [json.loads(line)["stage"] for line in (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()]
    assert set(stages[before:]) == {"data", "done"}
