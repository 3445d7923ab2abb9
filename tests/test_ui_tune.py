"""Fine-tuning from the page: what may be started, a run's life in its process, the list of policies."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml

from finetune.config import HyGRPOConfig, load
from finetune.rewards import REWARDS
from finetune.tasks import read_prompts
from posegen import posecodes
from posegen.policy import PolicyError
from posegen.pose import Pose, PoseError
from posegen.ui.compare import SIDES, held_table, shipped_figures
from posegen.ui.policies import Policies
from posegen.ui.training import Training, TuneError, allowed, estimate, how_it_failed, read_metrics
from posegen.ui.tune import EXPLAINED, POSES_ONLY, WITH_WORDS, curve, prompts_of, run_settings, shipped_settings

ROOT = Path(__file__).resolve().parent.parent
SECONDS = 240  # a step may take long on a busy machine


def settings(folder: Path, **more) -> dict:
    """Those of a run of a few tiny steps of poses."""
    prompts = folder / "prompts.jsonl"
    prompts.write_text('{"prompt": "both arms up", "statements": ["left_hand_above_head", "right_hand_above_head"]}\n')
    given = {
        "policy": "assets/policy", "prompts": str(prompts), "eval_prompts": str(prompts), "text_weight": 0.0,
        "reward_weights": {"statements": 1.0}, "prompts_per_step": 1, "num_generations": 2, "poses_per_answer": 2,
        "max_steps": 3, "eval_steps": 100, "save_steps": 1, "warmup_steps": 1, "head_learning_rate": 1e-3,
        "tasks": {"words": 1.0},
    }  # fmt: skip
    return given | more


def until(condition, what: str) -> None:
    end = time.time() + SECONDS
    while not condition():
        assert time.time() < end, f"waited in vain for {what}"
        time.sleep(0.1)


def steps(training: Training, name: str) -> int:
    return sum("reward" in row for row in read_metrics(training.runs / name))


@pytest.fixture
def training(tmp_path):
    made = Training(tmp_path / "runs")
    yield made
    if made.going:
        made.process.kill()
        made.process.wait()


# ---- who may, and what


@pytest.mark.parametrize(
    ("host", "share", "environment", "offered"),
    [
        ("127.0.0.1", False, {}, True),
        (None, False, {}, True),
        ("0.0.0.0", False, {}, False),
        ("127.0.0.1", True, {}, False),
        ("127.0.0.1", False, {"SPACE_ID": "a/b"}, False),
        ("0.0.0.0", True, {"SPACE_ID": "a/b", "POSEGEN_FINETUNE": "1"}, True),
        ("0.0.0.0", False, {"POSEGEN_FINETUNE": "0"}, False),
    ],
)
def test_only_a_private_page_trains_unless_told(monkeypatch, host, share, environment, offered):
    for name in ("SPACE_ID", "POSEGEN_FINETUNE"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert allowed(host, share) is offered


@pytest.mark.parametrize("name", ["", "../up", "a/b", "a b", "-rf", ".hidden", "ü", "a" * 41, "a\n", "a\x00"])
def test_no_name_leads_out_of_runs(training, name):
    with pytest.raises(TuneError, match="letters, digits"):
        training.start(name, {})
    with pytest.raises(TuneError, match="no run"):
        training.resume(name, 5)
    assert not training.runs.exists() and training.process is None


def test_a_folder_that_is_there_is_not_overwritten(training):
    (training.runs / "mine").mkdir(parents=True)
    with pytest.raises(TuneError, match="choose another name"):
        training.start("mine", {})
    (training.runs / "mine" / "config.yaml").write_text("max_steps: 3")
    (training.runs / "mine" / "metrics.jsonl").write_text("")
    with pytest.raises(TuneError, match="choose another name"):
        training.start("mine", {})


@pytest.mark.parametrize(("task", "part"), [("words", POSES_ONLY), ("words", WITH_WORDS), ("photos", POSES_ONLY)])
def test_the_tabs_settings_are_the_trainers(tmp_path, task, part):
    path = tmp_path / "config.yaml"
    path.write_text(yaml.safe_dump(shipped_settings(task) | run_settings(task, part, 50)))
    config = load(HyGRPOConfig, path)
    assert config.max_steps == 50 and config.eval_steps == 25
    assert bool(config.text_weight) is (part == WITH_WORDS)
    assert config.reward_weights.keys() <= EXPLAINED.keys() <= REWARDS.keys()


def test_estimates_grow_with_steps_and_words():
    def minutes(part, steps):
        text = estimate(shipped_settings("words") | run_settings("words", part, steps))
        return int(text.partition(" min on")[0].rpartition(" ")[2])

    assert minutes(POSES_ONLY, 60) < minutes(POSES_ONLY, 1500) < minutes(WITH_WORDS, 1500)


# ---- a run


@pytest.mark.slow
def test_a_run_is_stopped_resumed_and_finished(training, tmp_path, policy):
    training.start("mine", settings(tmp_path, max_steps=400))
    with pytest.raises(TuneError, match="mine is going"):
        training.start("other", {})
    until(lambda: steps(training, "mine") >= 2, "two steps")
    assert training.progress("mine").state == "going" and " s a step" in training.progress("mine").sentence
    training.stop()
    training.process.wait(SECONDS)
    stopped = training.progress("mine")
    assert stopped.state == "stopped" and "Resume" in stopped.sentence
    done = stopped.steps[-1]["step"]
    assert 2 <= done < 400 and (training.runs / "mine" / "last.pt").is_file()
    with pytest.raises(TuneError, match="raise Steps"):
        training.resume("mine", 1)
    training.resume("mine", done + 2)
    training.process.wait(SECONDS)
    finished = training.progress("mine")
    assert (finished.state, finished.steps[-1]["step"]) == ("finished", done + 2)
    assert [row["step"] for row in finished.steps] == list(range(1, done + 3))
    assert [row["step"] for row in finished.evaluations] == [0, done + 2]
    policies = Policies(policy, runs=training.runs)
    assert ("runs/mine", "runs/mine") in policies.choices()
    assert policies.load("runs/mine") is policies.load("runs/mine") is not policy
    assert Training(training.runs).progress("mine").state == "finished"  # as a page started later sees it


@pytest.mark.slow
def test_a_run_that_is_killed_says_so_and_goes_on(training, tmp_path):
    training.start("mine", settings(tmp_path, max_steps=400))
    until(lambda: steps(training, "mine") >= 2, "two steps")
    training.process.send_signal(signal.SIGKILL)
    training.process.wait()
    progress = training.progress("mine")
    assert progress.state == "failed" and "SIGKILL" in progress.sentence and "Resume" in progress.sentence
    before = progress.steps[-1]["step"]
    training.resume("mine", before + 1)
    training.process.wait(SECONDS)
    assert training.progress("mine").state == "finished"


@pytest.mark.slow
def test_a_run_that_cannot_begin_says_why_and_its_name_stays_free(training, tmp_path):
    empty = tmp_path / "empty"
    empty.mkdir()
    photos = settings(tmp_path, tasks={"photos": 1.0}, photos=str(empty))
    training.start("mine", photos)
    training.process.wait(SECONDS)
    progress = training.progress("mine")
    assert progress.state == "failed" and "give a folder of photos of people" in progress.sentence
    training.start("mine", settings(tmp_path, reward_weights={"format": 1.0}))
    training.process.wait(SECONDS)
    assert "No reward of what is practised has a weight" in training.progress("mine").sentence


PAGE = """
import json, sys, time
from pathlib import Path
from posegen.ui.training import Training
training = Training(Path(sys.argv[1]))
training.start("mine", json.loads(sys.argv[2]))
print(training.process.pid, flush=True)
time.sleep(600)
"""


@pytest.mark.slow
@pytest.mark.parametrize("kill", [signal.SIGTERM, signal.SIGKILL])
def test_the_run_saves_and_ends_when_the_page_dies(tmp_path, kill):
    command = [sys.executable, "-c", PAGE, str(tmp_path / "runs"), json.dumps(settings(tmp_path, max_steps=4000))]
    ignored = lambda: signal.signal(signal.SIGINT, signal.SIG_IGN)  # noqa: E731 (as a shell's & does)
    page = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, preexec_fn=ignored)
    child = int(page.stdout.readline())
    try:
        until(lambda: steps(Training(tmp_path / "runs"), "mine") >= 1, "a step")
        page.send_signal(kill)
        page.wait()
        until(lambda: not alive(child), "the end of the run")
        assert "Stopped" in (tmp_path / "runs" / "mine" / "log.txt").read_text()
        assert (tmp_path / "runs" / "mine" / "last.pt").is_file()
    finally:
        page.kill()
        if alive(child):
            os.kill(child, signal.SIGKILL)


def alive(pid: int) -> bool:
    """Whether a process is there and no zombie."""
    stat = Path(f"/proc/{pid}/stat")
    return stat.exists() and stat.read_text().rpartition(")")[2].split()[0] != "Z"


def test_the_last_line_that_is_no_bar_is_the_sentence(tmp_path):
    log = tmp_path / "log.txt"
    log.write_text("Loading\nThere is no prompt file x.\n\rHyGRPO:   0%|   | 0/3\rHyGRPO:  33%|#  | 1/3\n")
    assert how_it_failed(2, 1, log) == "There is no prompt file x."
    log.write_text("")
    assert "code 1" in how_it_failed(1, 0, log)


# ---- policies


@pytest.fixture
def policies(policy, tmp_path):
    return Policies(policy, runs=tmp_path)


def test_the_shipped_policies_are_listed_and_the_pages_own_is_not_loaded_again(policies, policy):
    assert [name for _, name in policies.choices()] == ["assets/policy", "assets/stage1"]
    assert policies.load("assets/policy") is policy
    assert policies.name_of("assets/stage1") == "assets/stage1"


@pytest.mark.parametrize("name", ["../policy", "/etc", "assets", "runs/none", ""])
def test_no_other_folder_is_a_policy(policies, name):
    with pytest.raises(PolicyError, match="refresh the list"):
        policies.load(name)


@pytest.mark.slow
def test_two_more_policies_stay_in_memory(policies, policy, tmp_path):
    shipped = ROOT / "assets" / "policy"
    for k, name in enumerate("abc"):
        folder = tmp_path / name / "policy"
        folder.mkdir(parents=True)
        for file in ("adapter", "heads.safetensors", "named_poses.json"):
            (folder / file).symlink_to(shipped / file)
        shutil.copy(shipped / "config.json", folder)
        os.utime(folder / "config.json", (k, k))
    assert [name for _, name in policies.choices()][2:] == ["runs/c", "runs/b", "runs/a"]
    first = policies.load("runs/a")
    assert first.body is policy.body
    second = policies.load("runs/b")
    assert policies.load("runs/a") is first  # now b is the one used longest ago
    policies.load("runs/c")
    assert policies.load("runs/a") is first
    assert policies.load("runs/b") is not second


# ---- what is shown


def test_prompts_of_an_npz_say_what_its_poses_show(tmp_path):
    poses = np.zeros((3, 72), np.float32)
    poses[1, 16 * 3 + 2], poses[1, 17 * 3 + 2] = 1.4, -1.4  # both arms up
    poses[2, 4 * 3] = poses[2, 5 * 3] = 1.6  # knees bent
    np.savez(tmp_path / "mine.npz", poses=poses)
    (tmp_path / "prompts.jsonl").write_text(prompts_of(str(tmp_path / "mine.npz")))
    prompts, asked = read_prompts(tmp_path / "prompts.jsonl")
    rotations = torch.from_numpy(np.stack([Pose.from_axis_angle(pose).rotations for pose in poses]))
    holds = posecodes.holds(posecodes.scores(rotations))
    assert len(prompts) == 3 and all(map(len, asked))
    assert all(row[list(ids)].all() for row, ids in zip(holds, asked, strict=True))


def test_bad_npz_are_named(tmp_path):
    for broken in ({"poses": np.full((2, 72), np.nan)}, {"poses": np.zeros((2, 3))}, {"other": np.zeros(3)}):
        np.savez(tmp_path / "bad.npz", **broken)
        with pytest.raises(PoseError):
            prompts_of(str(tmp_path / "bad.npz"))
    with pytest.raises(TuneError, match="no npz yet"):
        prompts_of(None)


def test_a_curve_is_thinned_to_means():
    shown = curve([{"step": k, "reward": 2 * k} for k in range(1, 1001)], "reward", points=300)
    assert len(shown) == 250 and shown["step"].tolist()[:2] == [2.5, 6.5] and shown["reward"].tolist()[:2] == [5, 13]
    assert curve([], "reward").empty


def test_the_held_table_counts_and_escapes(policy):
    mine = policy.text_to_pose("both arms raised", 3, 0.7, 1, reply=False)
    mine[0].text = "<POSE> <b>bold</b>"
    held = sum(s.statements[0].holds for s in mine)
    table = held_table(("a<i>", "b"), (mine, mine), 1)
    assert f"<td>{held} of 3</td>" * 2 in table and "&lt;b&gt;" in table and "a&lt;i&gt;" in table
    count = 3 * len(mine[0].statements)
    assert f"{sum(u.holds for s in mine for u in s.statements)} of {count}" in table
    assert all(f"{side}: " in table for side in SIDES)


def test_the_figures_of_the_shipped_policies_are_found():
    lines = shipped_figures().splitlines()
    table = (ROOT / "docs" / "ABLATIONS.md").read_text().partition("## Three seeds")[2].splitlines()
    before, after = (next(line for line in table if line.startswith(f"| {row} |")) for row in ("stage 1", "shipped"))
    assert lines[-2] == before.replace("stage 1", "assets/stage1", 1) and "| 79.2 |" in before
    assert lines[-1] == after.replace("shipped", "assets/policy", 1) and "| 87.4 (" in after
