"""HyGRPO's loop on the shipped policy: ratios of 1 at the start, resume bit for bit, what goes wrong is said."""

import errno
import json
import random
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import torch

from finetune import hygrpo, rewards, trainer
from finetune.config import ConfigError, HyGRPOConfig, load
from finetune.data.photos import true_landmarks
from finetune.tasks import Photos, read_prompts, thinned
from finetune.trainer import Trainer
from posegen import posecodes
from posegen.policy import PosePolicy

REWARDS = {"statements": 1.0, "plausible": 0.25, "format": 0.5, "truth": 1.0}


def settings(folder, **more):
    """A config for a few short steps whose files lie in `folder`."""
    (folder / "prompts.jsonl").write_text(
        '{"prompt": "both arms up", "statements": ["left_hand_above_head", "right_hand_above_head"]}\n'
        '{"prompt": "kneeling", "statements": ["kneeling"]}\n\n'
    )
    given = {
        "prompts": str(folder / "prompts.jsonl"), "eval_prompts": str(folder / "prompts.jsonl"),
        "run_dir": str(folder / "run"), "output_dir": str(folder / "policy"), "reward_weights": dict(REWARDS),
        "prompts_per_step": 2, "num_generations": 2, "poses_per_answer": 3, "max_completion_length": 8, "text_every": 1,
        "max_steps": 2, "save_steps": 1, "eval_steps": 2, "warmup_steps": 1,
    }  # fmt: skip
    return HyGRPOConfig(**(given | more))


# ---- settings and data


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"num_generations": -1}, "num_generations must be at least 1"),
        ({"num_generations": 1, "poses_per_answer": 1}, "two poses"),
        ({"tasks": {"dances": 1.0}}, "words and photos"),
        ({"tasks": {"photos": 1.0}}, "--photos DIR"),
        ({"prompts_per_step": 3, "gradient_accumulation_steps": 2}, "multiple"),
        ({"text_every": 2, "pose_weight": 0.0}, "give --text_every 1"),
        ({"epsilon": 2.0}, "epsilon must be between"),
    ],
)
def test_wrong_settings_are_named(tmp_path, wrong, sentence):
    with pytest.raises(ValueError, match=sentence):
        settings(tmp_path, **wrong)


def test_one_weight_is_set_from_the_command_line():
    config = load(
        HyGRPOConfig, "finetune/configs/words.yaml", ["--reward_weights.semantic", "2", "--epsilon_high", "0.3"]
    )
    assert config.reward_weights["semantic"] == 2 and config.reward_weights["statements"] == 1.2
    assert config.epsilon_high == 0.3
    with pytest.raises(ConfigError, match="has no entries"):
        load(HyGRPOConfig, None, ["--seed.x", "1"])
    with pytest.raises(ConfigError, match="reward_weights must be of type dict"):
        load(HyGRPOConfig, None, ["--reward_weights.semantic", "much"])


def test_unknown_reward_is_named_before_anything_is_loaded(tmp_path, monkeypatch):
    monkeypatch.setattr(PosePolicy, "from_pretrained", None)
    with pytest.raises(rewards.RewardError, match="no reward 'beauty'; there are format"):
        Trainer(settings(tmp_path, reward_weights={"beauty": 1.0}))
    with pytest.raises(rewards.RewardError, match="No reward of what is practised has a weight"):
        Trainer(settings(tmp_path, reward_weights={"format": 1.0}, text_weight=0.0))
    with pytest.raises(rewards.RewardError, match="No reward of what is practised has a weight"):
        Trainer(settings(tmp_path, reward_weights={"format": 1.0}, text_every=2))


def test_a_tracker_that_is_missing_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(PosePolicy, "from_pretrained", None)
    monkeypatch.setattr("accelerate.tracking._available_trackers", [])
    with pytest.raises(ConfigError, match="pip install tensorboard"):
        Trainer(settings(tmp_path, report_to="tensorboard"))
    with pytest.raises(ValueError, match="diary"):
        Trainer(settings(tmp_path, report_to="diary"))


@pytest.mark.parametrize(
    "line", ['{"prompt": "kneeling"}', "kneeling", '{"prompt": "kneel", "statements": ["kneelings"]}', '["a"]']
)
def test_a_broken_line_of_a_prompt_file_is_named(tmp_path, line):
    path = tmp_path / "mine.jsonl"
    path.write_text('{"prompt": "kneeling", "statements": ["kneeling"]}\n' + line + "\n")
    with pytest.raises(ConfigError, match="mine.jsonl, line 2"):
        read_prompts(path)
    path.write_text("")
    with pytest.raises(ConfigError, match="empty"):
        read_prompts(path)


def test_a_folder_without_people_is_named(tmp_path):
    with pytest.raises(ConfigError, match="give a folder of photos"):
        Photos(tmp_path)


def test_shipped_prompts_ask_for_something_and_are_apart():
    train, asked = read_prompts("assets/prompts/train.jsonl")
    validation, asked_too = read_prompts("assets/prompts/validation.jsonl")
    assert len(train) > 3900 and len(validation) == 500 and all(map(len, asked + asked_too))
    assert len(set(train) & set(validation)) < 10  # "kneeling" may be said by chance


# ---- steps


@pytest.fixture(scope="module")
def two_updates(tmp_path_factory):
    """A trainer with two updates a step, before and after its first step, with that step's metrics."""
    made = Trainer(settings(tmp_path_factory.mktemp("steps"), num_iterations=2, gradient_accumulation_steps=2))
    return made


@pytest.mark.slow
def test_the_first_ratio_is_one_and_the_reference_stays(two_updates, monkeypatch):
    seen = []

    def watched(loss):
        def call(*given, **more):
            out = loss(*given, **more)
            seen.append(out[1])
            return out

        return call

    monkeypatch.setattr(hygrpo, "token_loss", watched(hygrpo.token_loss))
    monkeypatch.setattr(hygrpo, "pose_loss", watched(hygrpo.pose_loss))
    before = {n: p.detach().clone() for n, p in two_updates.lora.items()}
    metrics = two_updates.step(0)
    tokens, poses = seen[0::2], seen[1::2]  # two parts in each of two updates
    assert len(tokens) == len(poses) == 4
    for first in (*tokens[:2],):
        assert first["log_ratio_max"] < 1e-4 and first["kl"] < 1e-6
    for first in (*poses[:2],):
        assert first["pose/log_ratio_max"] < 1e-4 and first["pose/kl"] < 1e-6
    assert tokens[2]["log_ratio_max"] > 0 and poses[2]["pose/log_ratio_max"] > 0
    assert any(not torch.equal(p, before[n]) for n, p in two_updates.lora.items())
    assert all(torch.equal(p, before[n]) for n, p in two_updates.lora_reference.items())
    with two_updates.as_reference():
        assert all(torch.equal(p, before[n]) for n, p in two_updates.lora.items())
    assert {"reward", "reward_std", "kl", "pose/kl", "rewards/truth/mean", "completions/valid"} <= metrics.keys()


@pytest.mark.slow
def test_parts_add_up_to_the_whole(two_updates):
    """Gradients of a step in two parts are those of the step in one piece."""
    t = two_updates
    generator = torch.Generator().manual_seed(5)
    batch = t.tasks["words"].batch([0, 1])
    drawn = t.draw(batch, generator)
    t.score(batch, drawn)
    found = []
    for parts in (torch.arange(4)[None], torch.arange(4).view(2, 2)):
        t.optimizer.zero_grad()
        for rows in parts:
            (t.loss(batch, drawn, rows, len(parts))[0] / len(parts)).backward()
        found.append(
            [p.grad.clone() for group in t.optimizer.param_groups for p in group["params"] if p.grad is not None]
        )
    assert len(found[0]) == len(found[1]) > 50
    whole, split = (torch.cat([g.flatten() for g in grads]) for grads in found)
    assert (whole - split).norm() < 0.03 * whole.norm()  # the language model computes in bfloat16


@pytest.mark.slow
def test_between_steps_with_words_answers_are_poses_alone(two_updates, monkeypatch):
    monkeypatch.setattr(two_updates.config, "text_every", 2)
    words = {n: p.detach().clone() for n, p in two_updates.lora.items()}
    head = two_updates.policy.head.net.leave.weight.detach().clone()
    metrics = two_updates.step(1)
    assert "rewards/truth/mean" not in metrics and "kl" not in metrics and metrics["pose/reward_std"] > 0
    assert all(torch.equal(p, words[n]) for n, p in two_updates.lora.items())
    assert not torch.equal(two_updates.policy.head.net.leave.weight, head)
    assert "rewards/truth/mean" in two_updates.step(2)


@pytest.mark.slow
def test_less_than_was_said_is_some_of_what_was_said():
    given = (torch.rand(50, len(posecodes.NAMES), generator=torch.Generator().manual_seed(0)) < 0.05).float()
    given[0] = 0
    few = thinned(given, seed=1)
    assert (few <= given).all() and few.sum(1).max() == 3 and set(few[1:].sum(1).tolist()) == {1.0, 2.0, 3.0}
    assert torch.equal(few, thinned(given, seed=1)) and not torch.equal(few, thinned(given, seed=2))


@pytest.mark.slow
def test_what_is_not_practised_is_held_where_it_was(two_updates, monkeypatch):
    t = two_updates
    t.step(0)  # away from the reference
    batch = t.tasks["words"].batch([0, 1])
    drawn = t.draw(batch, torch.Generator().manual_seed(5), worded=False)
    t.score(batch, drawn)
    found = {}
    for weight in (0.0, 0.3):
        monkeypatch.setattr(t.config, "beta_vague", weight)
        found[weight] = t.loss(batch, drawn, torch.arange(4), 1)
    kl = found[0.3][1]["pose/kl_vague"]
    assert kl > 1e-5 and "pose/kl_vague" not in found[0.0][1]
    assert found[0.3][0].item() - found[0.0][0].item() == pytest.approx(0.3 * kl, abs=1e-5)

    head = t.heads["head"]
    before = {name: v.clone() for name, v in head.state_dict().items()}
    optimizer = torch.optim.SGD(head.parameters(), 1e-6)
    optimizer.zero_grad()
    (found[0.3][0] - found[0.0][0]).backward()
    optimizer.step()
    assert batch.vague(t.heads).kl(batch.vague(t.reference)).mean().item() < kl
    head.load_state_dict(before)


def test_a_loss_that_is_no_number_changes_nothing(two_updates, monkeypatch):
    before = {n: p.detach().clone() for n, p in two_updates.policy.head.named_parameters()}
    nothing = torch.tensor(float("nan"), requires_grad=True)
    monkeypatch.setattr(hygrpo, "pose_loss", lambda *given: (nothing, {}))
    with pytest.raises(FloatingPointError, match="lower learning rate"):
        two_updates.step(1)
    assert all(torch.equal(p, before[n]) for n, p in two_updates.policy.head.named_parameters())


@pytest.mark.slow
def test_a_full_disk_leaves_the_checkpoint_before(two_updates, monkeypatch):
    two_updates.save(1)
    path = two_updates.run_dir / trainer.CHECKPOINT
    kept = path.read_bytes()

    def full(state, path):
        path.with_name("last.pt.part").write_bytes(b"half")
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(trainer, "save_atomically", full)
    with pytest.raises(ValueError, match="No space left.*goes on from the checkpoint before"):
        two_updates.save(2)
    assert path.read_bytes() == kept


@pytest.mark.slow
def test_a_checkpoint_of_another_policy_is_named(two_updates):
    path = two_updates.run_dir / trainer.CHECKPOINT
    torch.save({"step": 1, "best": 0.5, "lora": {}, "head": {}, "lifter": {}, "optimizer": {}}, path)
    with pytest.raises(ValueError, match="is of another policy"):
        two_updates.resume()
    path.unlink()


@pytest.mark.slow
def test_photos_are_practised_and_the_result_loads(tmp_path):
    rotations = np.tile(np.eye(3, dtype=np.float32), (4, 24, 1, 1))
    world = true_landmarks(torch.from_numpy(rotations), np.zeros((4, 10), np.float32))[0]
    pixels = 300 + 200 * world[..., :2] * [1, -1]
    folder = tmp_path / "renders"
    folder.mkdir()
    np.savez(
        folder / "a.npz", landmarks_2d=pixels.astype(np.float32), landmarks_world=world.astype(np.float32),
        visibility=np.ones((4, 33), np.float32), frame=np.full((4, 2), 600, np.int64),
        axis_angle=np.zeros((4, 24, 3), np.float32),
    )  # fmt: skip
    weights = {"reprojection": 1.0, "spatial": 1.0, "format": 0.5}
    config = settings(tmp_path, tasks={"photos": 1.0}, photos=str(folder), reward_weights=weights, max_steps=1)
    trainer.run(config)
    lines = [json.loads(line) for line in (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()]
    step = next(line for line in lines if "reward" in line)
    assert step["task"] == "photos" and {"rewards/spatial/mean", "rewards/reprojection/mean"} <= step.keys()
    assert 0 < step["rewards/spatial/mean"] < 1 and "eval/held" in lines[1]
    assert lines[0]["preflight/peak_memory_gb"] > 0.1
    first, after = PosePolicy.from_pretrained(), PosePolicy.from_pretrained(tmp_path / "policy")
    given = torch.zeros(1, len(posecodes.NAMES))
    torch.testing.assert_close(first.head(given).mean, after.head(given).mean)


@pytest.mark.slow
def test_killed_three_times_it_ends_with_the_same_weights(tmp_path):
    chance = random.Random(0)

    def command(name):
        folder = tmp_path / name
        folder.mkdir(exist_ok=True)
        c = settings(folder, max_steps=5, eval_steps=50, text_every=2, reward_weights=REWARDS)
        keys = ("prompts", "eval_prompts", "run_dir", "output_dir", "prompts_per_step", "num_generations",
                "poses_per_answer", "max_completion_length", "max_steps", "save_steps", "eval_steps",
                "text_every")  # fmt: skip
        pairs = [part for key in keys for part in (f"--{key}", str(getattr(c, key)))]
        pairs += ["--reward_weights", json.dumps(c.reward_weights)]
        return [sys.executable, "-m", "finetune", "hygrpo", *pairs], folder / "run"

    def steps(run_dir):
        path = run_dir / "metrics.jsonl"
        return sum("reward" in json.loads(line) for line in path.read_text().splitlines()) if path.is_file() else 0

    whole, whole_dir = command("whole")
    subprocess.run(whole, check=True, capture_output=True)
    killed, killed_dir = command("killed")
    for _ in range(3):
        before = steps(killed_dir)
        process = subprocess.Popen(killed, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        deadline = time.time() + 120
        while steps(killed_dir) == before and process.poll() is None and time.time() < deadline:
            time.sleep(0.1)
        time.sleep(chance.random())
        process.send_signal(signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL
    subprocess.run(killed, check=True, capture_output=True)
    a, b = (torch.load(folder / trainer.CHECKPOINT, weights_only=True) for folder in (whole_dir, killed_dir))
    assert a["step"] == b["step"] == 5
    for part in ("head", "lifter", "lora"):
        assert a[part].keys() == b[part].keys()
        assert all(torch.equal(a[part][name], b[part][name]) for name in a[part])


def test_what_does_not_fit_is_said_before_the_first_step(tmp_path, monkeypatch):
    t = Trainer(settings(tmp_path))
    before = {name: p.detach().clone() for name, p in t.policy.head.named_parameters()}
    assert t.preflight() > 0.1
    assert all(p.grad is None for p in t.policy.head.parameters())
    torch.testing.assert_close(dict(t.policy.head.named_parameters()), before, rtol=0, atol=0)

    def too_much(*_):
        raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes.")

    monkeypatch.setattr(t, "draw", too_much)
    with pytest.raises(ConfigError, match="lower prompts_per_step"):
        t.preflight()
    monkeypatch.setattr(t, "draw", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        t.preflight()
