"""Two processes train as one does; weights that are shared out are saved whole; a lost process is told of."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from test_trainer import settings

from finetune import parallel, trainer
from finetune.config import ConfigError
from posegen.policy import PosePolicy

WORKER = Path(__file__).with_name("parallel_worker.py")


def launch(command: list, processes: int, **environment) -> list[subprocess.Popen]:
    """The processes of one training, as torchrun and `accelerate launch` start them."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    shared = {"WORLD_SIZE": processes, "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port, "OMP_NUM_THREADS": 1}
    shared |= {"ACCELERATE_USE_CPU": "true"} | environment
    return [
        subprocess.Popen(
            [sys.executable, *map(str, command)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            env=os.environ | {k: str(v) for k, v in (shared | {"RANK": rank, "LOCAL_RANK": rank}).items()},
        )
        for rank in range(processes)
    ]  # fmt: skip


def trained(folder, processes: int, more: dict, **environment) -> dict:
    """What parallel_worker.py found."""
    folder.mkdir()
    given = [part for key, value in more.items() for part in (f"--{key}", json.dumps(value))]
    running = launch([WORKER, folder, folder / "out.pt", *given], processes, **environment)
    for process in running:
        told, _ = process.communicate(timeout=300)
        assert process.returncode == 0, told
    return torch.load(folder / "out.pt", weights_only=True)


def assert_same(one: dict, two: dict) -> None:
    for first, second in zip(one["metrics"], two["metrics"], strict=True):
        assert first.keys() == second.keys()
        for name, value in first.items():
            same = value if isinstance(value, str) else pytest.approx(value, rel=1e-4, abs=1e-5)
            assert second[name] == same, name
    assert one["gradients"].keys() == two["gradients"].keys() and len(one["gradients"]) > 100
    for half in (True, False):  # LoRA's, and the head's, which are a thousand times as large
        of_half = [name for name in one["gradients"] if ("lora_" in name) == half]
        first, second = (torch.cat([run["gradients"][name].flatten() for name in of_half]) for run in (one, two))
        assert first.norm() > 1e-3 and (first - second).norm() < 1e-5 * first.norm()
    for name, weight in one["weights"].items():
        torch.testing.assert_close(two["weights"][name], weight, rtol=0, atol=1e-6)


MORE = {"prompts_per_step": 4, "gradient_accumulation_steps": 2, "scale_rewards": "batch", "num_iterations": 2}


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    return trained(tmp_path_factory.mktemp("alone") / "run", 1, MORE)


@pytest.mark.slow
def test_two_processes_do_what_one_does(alone, tmp_path):
    two = trained(tmp_path / "run", 2, MORE)
    assert_same(alone, two)
    assert any(m["completions/valid"] > 0 and m["kl"] > 0 for m in two["metrics"])


@pytest.mark.slow
def test_shared_out_weights_train_and_are_saved_whole(alone, tmp_path):
    two = trained(tmp_path / "run", 2, MORE, ACCELERATE_USE_FSDP="true")
    assert_same(alone, two)
    policy = PosePolicy.from_pretrained(tmp_path / "run" / "policy", trainable=True)
    saved = {n: p for n, p in policy.backbone.named_parameters() if "lora_" in n}
    for name, p in saved.items():
        torch.testing.assert_close(p.detach().float(), two["weights"][name].float(), rtol=1e-2, atol=1e-4)
    state = torch.load(tmp_path / "run" / "run" / trainer.CHECKPOINT, weights_only=True)
    assert all(torch.equal(state["lora"][name], two["weights"][name]) for name in saved)
    resumed = trainer.Trainer(settings(tmp_path / "run", **MORE))  # by one process, on whole weights
    assert resumed.first == 2


@pytest.mark.slow
def test_a_lost_process_ends_the_run_with_a_sentence_and_the_checkpoint_stays(tmp_path):
    c = settings(tmp_path, max_steps=500, eval_steps=1000)
    keys = ("prompts", "eval_prompts", "run_dir", "output_dir", "prompts_per_step", "num_generations",
            "poses_per_answer", "max_completion_length", "max_steps", "save_steps", "eval_steps")  # fmt: skip
    pairs = [part for key in keys for part in (f"--{key}", str(getattr(c, key)))]
    running = launch(["-m", "finetune", "hygrpo", *pairs, "--reward_weights", json.dumps(c.reward_weights)], 2)
    checkpoint, deadline = tmp_path / "run" / trainer.CHECKPOINT, time.time() + 240
    while not checkpoint.is_file() and time.time() < deadline:
        assert all(process.poll() is None for process in running), running[0].communicate()[0]
        time.sleep(0.2)
    running[1].send_signal(signal.SIGKILL)
    told, _ = running[0].communicate(timeout=120)
    assert running[0].returncode == 2, told[-3000:]
    assert told.rstrip().splitlines()[-1].startswith("Another process of this training has ended"), told
    assert not re.search("Traceback", told)
    assert torch.load(checkpoint, weights_only=True)["step"] >= 1
    running[1].communicate()


def test_prompts_must_be_dealt_out_evenly(tmp_path, monkeypatch):
    monkeypatch.setattr(trainer.Accelerator, "num_processes", 3)
    with pytest.raises(ConfigError, match="multiple of gradient_accumulation_steps times the 3 processes"):
        trainer.Trainer(settings(tmp_path))


def test_means_are_weighted_and_peaks_are_peaks():
    accelerator = trainer.Accelerator(cpu=True)
    parts = [
        {"kl": (1.0, 3), "ratio_max": (0.1, 3), "none": (0.0, 0)},
        {"kl": (2.0, 1), "ratio_max": (0.4, 1), "none": (0.0, 0)},
    ]
    assert parallel.weighted_means(accelerator, parts) == {"kl": 1.25, "ratio_max": 0.4}
