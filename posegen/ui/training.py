"""Fine-tuning runs of this page: `python -m finetune hygrpo` in a process of its own, one at a time.

A run is a folder runs/NAME: config.yaml (its settings), metrics.jsonl (its figures), log.txt (what it said), last.pt
(where it goes on), policy/ (its result). Nothing here imports finetune.
"""

import json
import math
import os
import re
import signal
import subprocess
import sys
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from .policies import ROOT, RUNS

CONFIGS = ROOT / "finetune" / "configs"
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,39}")
STOPPED = 130  # what `python -m finetune` ends with after Ctrl-C
#: The child's standard input is a pipe from the page: when that closes, because of "Stop" or because the page died in
#: whatever way, the child acts as on Ctrl-C. It saves and ends. (A page started by `&` has SIGINT ignored: set it.)
CHILD = """
import _thread, os, runpy, signal, threading
signal.signal(signal.SIGINT, signal.default_int_handler)
threading.Thread(target=lambda: (os.read(0, 1), _thread.interrupt_main()), daemon=True).start()
runpy.run_module("finetune", run_name="__main__", alter_sys=True)
"""


class TuneError(ValueError):
    """A fine-tuning run that cannot be started; the message says what to change."""


def allowed(host: str | None, share: bool) -> bool:
    """Whether a page may offer fine-tuning: where POSEGEN_FINETUNE=1 says so, or only this machine reaches the page."""
    if not CONFIGS.is_dir():
        return False
    public = share or "SPACE_ID" in os.environ or host not in (None, "127.0.0.1", "localhost", "::1")
    return os.environ.get("POSEGEN_FINETUNE") == "1" or not public


@dataclass
class Progress:
    """Where a run stands.

    Attributes:
        state: going, finished, stopped or failed.
        sentence: the same for people.
        steps: those that were made, each a dict of metrics.jsonl. evaluations: likewise.
    """

    state: str
    sentence: str
    steps: list[dict] = field(default_factory=list)
    evaluations: list[dict] = field(default_factory=list)


class Training:
    """The runs in a folder, and the one process that may be going.

    Attributes:
        name: of the run that this page started last; "" before the first.
    """

    def __init__(self, runs: Path = RUNS):
        self.runs, self.name, self.process = runs, "", None
        self._lock = threading.Lock()

    @property
    def going(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def names(self) -> list[str]:
        """Runs made by a page, the newest first."""
        made = sorted(self.runs.glob("*/config.yaml"), key=lambda file: -file.stat().st_mtime)
        return [file.parent.name for file in made if NAME.fullmatch(file.parent.name)]

    def settings(self, name: str) -> dict:
        """The settings of one of `names()`; TuneError if there is no such run."""
        if name not in self.names():
            raise TuneError(f"There is no run {name!r} of this page; refresh the list and choose another.")
        return yaml.safe_load((self.runs / name / "config.yaml").read_text())

    def start(self, name: str, settings: dict, prompts: str = "") -> None:
        """Begin a new run.

        Args:
            settings: those of finetune.config.HyGRPOConfig without run_dir and output_dir.
            prompts: JSON lines to practise instead of the settings' prompts.

        Raises:
            TuneError: the name is not one or is taken, or another run is going.
        """
        if not NAME.fullmatch(name):
            raise TuneError("Name the run with 1 to 40 letters, digits, - and _, the first a letter or a digit.")
        folder = self.runs / name
        # One that ended before its first figure (there was no such photo folder) is no run yet.
        if folder.exists() and (not (folder / "config.yaml").is_file() or (folder / "metrics.jsonl").exists()):
            raise TuneError(f"There is something called {name} in runs already; choose another name, or resume it.")
        settings = settings | {"run_dir": str(folder), "output_dir": str(folder / "policy")}
        if prompts:
            settings["prompts"] = str(folder / "prompts.jsonl")
        self._launch(name, settings, prompts)

    def resume(self, name: str, max_steps: int) -> None:
        """Go on with a run from its last checkpoint, up to `max_steps` in all. Raises TuneError as `start` does."""
        settings = self.settings(name)
        done = last_step(read_metrics(self.runs / name))
        if (self.runs / name / "last.pt").is_file() and done >= max_steps:
            raise TuneError(f"{name} has made {done} steps; raise Steps above that to go on with it.")
        self._launch(name, settings | {"max_steps": int(max_steps)})

    def _launch(self, name: str, settings: dict, prompts: str = "") -> None:
        with self._lock:
            if self.going:
                raise TuneError(f"The run {self.name} is going; stop it or wait for it, one runs at a time.")
            folder = self.runs / name
            folder.mkdir(parents=True, exist_ok=True)
            config = folder / "config.yaml"
            config.write_text(yaml.safe_dump(settings, sort_keys=False))
            if prompts:
                (folder / "prompts.jsonl").write_text(prompts, encoding="utf-8")
            command = [sys.executable, "-c", CHILD, "hygrpo", "--config", str(config)]
            with open(folder / "log.txt", "wb") as log:
                self.process = subprocess.Popen(
                    command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=log,
                    start_new_session=True,  # so that a Ctrl-C for the page does not reach it twice
                )  # fmt: skip
            self.name = name
            with suppress(OSError, AttributeError):  # the page's visitors come first
                os.setpriority(os.PRIO_PROCESS, self.process.pid, 5)

    def stop(self) -> None:
        """Let the run that is going save and end, which takes a few seconds; it can be resumed."""
        if self.going:
            self.process.stdin.close()

    def progress(self, name: str) -> Progress:
        """Where a run stands, from its files and, if this page started it, from how its process ended."""
        settings, rows = self.settings(name), read_metrics(self.runs / name)
        steps = list({row["step"]: row for row in rows if "reward" in row}.values())  # a resumed run repeats some
        evaluations = list({row["step"]: row for row in rows if "eval/held" in row}.values())
        done, wanted = last_step(rows), settings["max_steps"]
        mine = name == self.name and self.process is not None
        code = self.process.poll() if mine else None
        if mine and code is None:
            state = "going"
            sentence = "Stopping: it saves what it has." if self.process.stdin.closed else pace(rows, settings)
        elif done >= wanted and not code:
            state, sentence = "finished", f"Finished: {wanted} steps."
        elif not mine or code == STOPPED:
            state, sentence = "stopped", f"Stopped at step {done} of {wanted}; Resume goes on from there."
        else:
            state, sentence = "failed", how_it_failed(code, done, self.runs / name / "log.txt")
        return Progress(state, sentence, steps, evaluations)


def read_metrics(folder: Path) -> list[dict]:
    """The lines of metrics.jsonl; a line that is just being written is left out."""
    rows = []
    with suppress(FileNotFoundError):
        for line in (folder / "metrics.jsonl").read_text().splitlines():
            with suppress(json.JSONDecodeError):
                rows.append(json.loads(line))
    return rows


def last_step(rows: list[dict]) -> int:
    return rows[-1]["step"] if rows else 0


def pace(rows: list[dict], settings: dict) -> str:
    """What a run that is going says of itself: its step, its measured pace, what is left, the memory it took."""
    times = [sum(v for k, v in row.items() if k.startswith("time/")) for row in rows if "reward" in row][-60:]
    memory = [row[MEMORY] for row in rows if MEMORY in row]
    if not times:
        tried = f" A step fits: it took {memory[-1]:.1f} GB." if memory else ""
        return f"Starting: the policy is loaded, one step is tried, the start is measured.{tried}"
    done, each = last_step(rows), sum(times) / len(times)
    left = (settings["max_steps"] - done) * each + evaluations_of(settings, done) * EVALUATION_SECONDS
    took = f" It took {memory[-1]:.1f} GB at most." if memory else ""
    return f"Step {done} of {settings['max_steps']}, {each:.1f} s a step, {minutes(left)} to go.{took}"


def how_it_failed(code: int, step: int, log: Path) -> str:
    """One sentence of how a process ended: its own last line, or which signal killed it."""
    if code < 0:
        return (
            f"The run was killed by {signal.Signals(-code).name} at step {step}, as happens where memory runs out; "
            "Resume goes on from its last checkpoint."
        )
    lines = re.split(r"[\r\n]+", log.read_text(errors="replace"))
    said = [line.strip() for line in lines if line.strip() and not BAR.search(line)]
    return said[-1] if said else f"The run ended without a word (code {code}); start it again."


# ---- what a run will take

MEMORY = "preflight/peak_memory_gb"
BAR = re.compile(r"\d%\|")  # tqdm's
#: Measured on two CPU cores with nothing else going on: seconds to load, of an evaluation, of a step of poses, more of
#: one with words; gigabytes without and with words.
LOAD_SECONDS, EVALUATION_SECONDS, STEP_SECONDS, WORDS_SECONDS = 10, 12, 0.3, 16
MEMORY_GB = 1.3, 2.6


def evaluations_of(settings: dict, done: int = 0) -> int:
    """Evaluations that a run makes after `done` steps, the one at its end included."""
    return math.ceil(settings["max_steps"] / settings["eval_steps"]) - done // settings["eval_steps"]


def estimate(settings: dict) -> str:
    """What these settings will take, before anything is measured."""
    import psutil

    steps, worded = settings["max_steps"], settings["text_weight"] > 0
    seconds = LOAD_SECONDS + (1 + evaluations_of(settings)) * EVALUATION_SECONDS + steps * STEP_SECONDS
    seconds += worded * math.ceil(steps / settings["text_every"]) * WORDS_SECONDS
    free = psutil.virtual_memory().available / 1e9
    text = f"About {MEMORY_GB[worded]} GB of memory ({free:.1f} GB are free) and {minutes(seconds)} on two CPU cores."
    if MEMORY_GB[worded] > free:
        text += " That does not fit; close something first, or train poses only."
    return text + " One step is tried before the first, and its memory measured."


def minutes(seconds: float) -> str:
    return "less than a minute" if seconds < 45 else f"about {max(1, round(seconds / 60))} min"
