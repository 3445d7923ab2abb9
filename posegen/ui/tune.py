"""The tab "Fine-tune": choose a task, data and rewards, let HyGRPO run, watch it, see what it changed."""

import functools
import html
import json
from pathlib import Path

import gradio as gr
import numpy as np
import pandas as pd
import torch
import yaml

from .. import captions, posecodes
from ..photo import load_photo
from ..pose import Pose, PoseError
from .compare import draw, run_figures, told
from .panel import QUEUE, Answer, discard, guarded, notice
from .photo import EXAMPLES
from .policies import ROOT, Policies
from .results import draw_people
from .training import CONFIGS, Training, TuneError, estimate
from .words import SEED, TEMPERATURE, example_prompts

TASKS = ("words", "photos")
POSES_ONLY, WITH_WORDS = "Poses only (fast)", "Poses and words (slow)"
SHIPPED, OWN = "Shipped prompts", "Poses of an npz"
#: What the rewards of the shipped configs ask for; finetune/rewards.py says it exactly, and how each can be cheated.
EXPLAINED = {
    "statements": "The pose plainly shows what the prompt asks for",
    "semantic": "A network finds that words and pose belong together",
    "plausible": "Joints stay within their limits, limbs out of the body and the floor",
    "variety": "Poses for one prompt or one photo differ",
    "reprojection": "The pose lies on the person in the photo",
    "spatial": "The pose is near the true one, where the data holds it (renders)",
    "format": "The reply is one well-formed sentence",
    "truth": "What the reply says, its pose shows",
    "clauses": "Every part of the reply says something that is true and new",
    "telling": "The reply tells much of the pose, and nothing false",
    "text_similarity": "The reply means what the rules say of its pose",
}
OF_REPLIES = ("format", "truth", "clauses", "telling", "text_similarity")
MAX_PROMPTS = 2000  # made of an npz
PARTS = 4  # in which a step with words goes through the networks: less than half the memory
LOOKED_AT = example_prompts()[:4]  # before and after
HINT = (
    "It runs beside the page, on this machine, and the page stays usable. Its files, the policy included, go to "
    "`runs/NAME`. What the rewards ask for exactly: `finetune/rewards.py`; the algorithm: `docs/HYGRPO.md`."
)


@functools.cache
def shipped_settings(task: str) -> dict:
    """The settings of finetune/configs for a task."""
    return yaml.safe_load((CONFIGS / f"{task}.yaml").read_text())


class TuneTab:
    """Builds the tab inside `tab`, the current gr.Tab; `root` is the folder for pictures."""

    def __init__(self, policies: Policies, training: Training, renderer, root: Path, tab):
        self.policies, self.training, self.renderer, self.root = policies, training, renderer, root
        with gr.Row(elem_classes="two"):
            with gr.Column(scale=4, min_width=300, elem_classes="ask"):
                self._what()
                self._rewards()
                self._start()
            with gr.Column(scale=8, min_width=300, elem_classes="shown"):
                self._progress()
        self.state = gr.State(None, time_to_live=3600, delete_callback=discard)
        self.timer = gr.Timer(2, active=False)
        self._events(tab)

    def _what(self) -> None:
        self.task = gr.Radio(
            [("Words to poses", "words"), ("Photos to poses", "photos")], value="words", label="Task", elem_id="task"
        )
        self.policy = gr.Dropdown(
            self.policies.choices(), value=shipped_settings("words")["policy"], label="Start from", elem_id="start-from"
        )
        self.part = gr.Radio([POSES_ONLY, WITH_WORDS], value=POSES_ONLY, label="What learns", elem_id="part")
        self.data = gr.Radio([SHIPPED, OWN], value=SHIPPED, label="Data", elem_id="data")
        self.npz = gr.File(
            label="Poses (npz: poses, Y up)", file_types=[".npz"], visible=False, height=120, elem_id="tune-npz"
        )
        self.photos = gr.Textbox(
            label="Folder of photos on this machine", placeholder="pictures of people, or renders with their truth",
            visible=False, elem_id="photos-folder",
        )  # fmt: skip
        self.steps = gr.Slider(1, 2000, 60, step=1, label="Steps", elem_id="steps")

    def _rewards(self) -> None:
        names = dict.fromkeys(name for task in TASKS for name in shipped_settings(task)["reward_weights"])
        with gr.Accordion("Reward weights", open=False, elem_id="rewards"):
            self.weights = {name: slider(name) for name in names}

    def _start(self) -> None:
        self.estimate = gr.HTML(self._estimated("words", POSES_ONLY, 60), elem_id="estimate", elem_classes="hint")
        self.name = gr.Textbox(self._free_name(), label="Name of the new run", max_lines=1, elem_id="run-name")
        self.go = gr.Button("Start", variant="primary", elem_id="start-run")
        gr.Markdown(HINT, elem_classes="hint")

    def _progress(self) -> None:
        self.notice = notice()
        with gr.Row(elem_classes="buttons"):
            self.run = gr.Dropdown(self.training.names(), value=None, label="Run", elem_id="run", scale=3)
            self.stop = gr.Button("Stop", elem_id="stop-run", min_width=90, interactive=False)
            self.resume = gr.Button("Resume", elem_id="resume-run", min_width=90, interactive=False)
        self.status = gr.HTML(elem_id="run-status", elem_classes="understood")
        with gr.Row():
            self.reward = gr.LinePlot(
                curve([], "reward"), "step", "reward", label="Reward", height=220, min_width=240, elem_id="reward-curve"
            )
            self.kl = gr.LinePlot(
                curve([], "pose/kl"), "step", "pose/kl", label="KL to the start (nats)", y_title="nats", height=220,
                min_width=240, elem_id="kl-curve",
            )  # fmt: skip
        self.figures = gr.Markdown(elem_id="run-figures", elem_classes="figures")
        self.look = gr.Button("Before and after", elem_id="before-after", interactive=False)
        self.shown = gr.Markdown(elem_id="pairs-title")
        self.pairs = gr.Gallery(
            show_label=False, columns=4, object_fit="contain",
            allow_preview=False, interactive=False, buttons=[], visible=False, elem_id="pairs", elem_classes="pairs",
        )  # fmt: skip

    def _events(self, tab) -> None:
        quiet = {"api_visibility": "private", "show_progress": "hidden"}
        shown = [self.run, self.stop, self.resume, self.status, self.reward, self.kl, self.figures, self.look]
        shown.append(self.timer)
        chosen = [self.task, self.part, self.data]
        offered = [self.part, self.data, self.npz, self.photos, *self.weights.values()]
        gr.on([c.input for c in chosen], self.offer, chosen, offered, **quiet)
        about = [self.task, self.part, self.steps]
        gr.on([c.change for c in about], self._estimated, about, self.estimate, **quiet)
        inputs = [self.name, *chosen, self.policy, self.npz, self.photos, self.steps, *self.weights.values()]
        self.go.click(self.start, inputs, [self.notice, self.name, *shown], **quiet)
        self.resume.click(self.go_on, [self.run, self.steps], [self.notice, *shown], **quiet)
        self.stop.click(self.halt, self.run, [self.notice, *shown], **quiet)
        self.timer.tick(self.show, self.run, shown, **quiet)
        self.run.input(self.choose, self.run, [self.notice, self.steps, *shown], **quiet)
        tab.select(self.opened, self.run, [self.policy, *shown], **quiet)
        look = {"inputs": [self.run, self.state], "outputs": [self.notice, self.shown, self.pairs, self.state]}
        self.look.click(self.before_and_after, api_visibility="private", **look, **QUEUE)

    # ---- what to run

    def offer(self, task, part, data):
        """What the choices leave to choose: photos have no words to learn, and data of their own."""
        words, weights = task == "words", shipped_settings(task)["reward_weights"]
        hidden = OF_REPLIES if part == POSES_ONLY or not words else ()
        sliders = {
            weight: gr.update(visible=name in weights and name not in hidden, value=weights.get(name, 0))
            for name, weight in self.weights.items()
        }
        return {
            self.part: gr.update(visible=words),
            self.data: gr.update(visible=words),
            self.npz: gr.update(visible=words and data == OWN),
            self.photos: gr.update(visible=not words),
            **sliders,
        }

    def _estimated(self, task, part, steps) -> str:
        settings = shipped_settings(task) | run_settings(task, part, int(steps))
        more = " Finding the people takes about a second a photo." if task == "photos" else ""
        return f"<p>{html.escape(estimate(settings) + more)}</p>"

    def _free_name(self) -> str:
        count = 1
        while (self.training.runs / f"mine-{count}").exists():
            count += 1
        return f"mine-{count}"

    @guarded
    def start(self, name, task, part, data, policy, npz, photos, steps, *weights):
        settings = shipped_settings(task) | run_settings(task, part, int(steps))
        settings["policy"] = str(self.policies.folder(policy))
        asked = settings["reward_weights"]
        given = zip(self.weights, weights, strict=True)
        settings["reward_weights"] = {name: float(weight) for name, weight in given if name in asked}
        prompts = ""
        if task == "photos":
            settings["photos"] = str(photo_folder(photos))
        elif data == OWN:
            prompts = prompts_of(npz)
        self.training.start(name.strip(), settings, prompts)
        return {self.name: self._free_name(), **self.show(name.strip())}

    # ---- the run

    def show(self, name):
        """Updates that show where a run stands."""
        names = self.training.names()
        going = self.training.going
        updates = {self.run: gr.update(choices=names, value=name), self.timer: gr.Timer(active=going)}
        if name not in names:
            return updates
        progress, mine = self.training.progress(name), going and name == self.training.name
        written = (self.training.runs / name / "policy" / "config.json").is_file()
        return updates | {
            self.stop: gr.update(interactive=mine),
            self.resume: gr.update(interactive=not going),
            self.look: gr.update(interactive=written and not mine),
            self.status: status_html(name, progress),
            self.reward: curve(progress.steps, "reward"),
            self.kl: curve(progress.steps, "pose/kl"),
            self.figures: run_figures(f"runs/{name}", self.training.runs / name),
        }

    def opened(self, name):
        """The tab was opened: the lists may be old, and a run may be going that another page started."""
        shown = name or (self.training.name if self.training.going else next(iter(self.training.names()), None))
        return {self.policy: gr.update(choices=self.policies.choices()), **self.show(shown)}

    @guarded
    def choose(self, name):
        return {self.steps: self.training.settings(name)["max_steps"], **self.show(name)}

    @guarded
    def halt(self, name):
        self.training.stop()
        return self.show(name)

    @guarded
    def go_on(self, name, steps):
        self.training.resume(name, int(steps))
        return self.show(name)

    # ---- what it changed

    @guarded
    def before_and_after(self, name, old, progress=gr.Progress()):  # noqa: B008 (how Gradio finds it)
        """Pictures of the same prompts, or the same photo, with the policy that a run began from and its own."""
        settings, answer = self.training.settings(name), Answer.new(self.root, "tuned", [])
        after = self.policies.load(f"runs/{name}")
        before = self.policies.load(self.policies.name_of(settings["policy"]))
        sides, pairs, photo = (("before", before), ("after", after)), [], None
        if settings["tasks"].get("photos"):
            photo = load_photo(EXAMPLES[0])
            for when, policy in sides:
                path = answer.folder / f"{when}.png"
                draw_people(photo, policy.image_to_pose(photo), self.renderer).save(path)
                pairs.append((str(path), when))
        for i, prompt in enumerate([] if photo else LOOKED_AT):
            progress((i, len(LOOKED_AT)), "Drawing")
            for when, policy in sides:
                sample = policy.text_to_pose(prompt, 1, TEMPERATURE, SEED, reply=False)[0]
                path = draw(sample.pose, self.renderer, answer, f"{i}-{when}")
                pairs.append((path, f"{when}: {told(sample)}"))
        discard(old)
        what = "the likeliest poses of a photo" if photo else f"seed {SEED}: *{'*, *'.join(LOOKED_AT)}*"
        gallery = gr.update(value=pairs, columns=2 if photo else 4, visible=True)
        return {self.shown: f"{name}, {what}", self.pairs: gallery, self.state: answer}


def slider(reward: str) -> gr.Slider:
    weights = shipped_settings("words")["reward_weights"]
    shown = reward in weights and reward not in OF_REPLIES
    return gr.Slider(0, 3, weights.get(reward, 0), step=0.05, label=reward, info=EXPLAINED.get(reward), visible=shown)


def run_settings(task: str, part: str, steps: int) -> dict:
    """What the tab's choices set; the rest stays as the shipped config of the task has it."""
    settings = {"max_steps": steps, "eval_steps": max(25, steps // 6)}
    if task == "words":
        worded = part == WITH_WORDS
        settings |= {"text_weight": float(worded), "gradient_accumulation_steps": PARTS if worded else 1}
    return settings


def status_html(name: str, progress) -> str:
    """What is said of a run: its state, and where its policy is."""
    alert = ' role="alert"' if progress.state == "failed" else ""
    text = f'<h3>{html.escape(name)}</h3><p{alert} data-state="{progress.state}">{html.escape(progress.sentence)}</p>'
    kept = [row["step"] for row in progress.evaluations if row.get("eval/written")]
    if kept and progress.state != "going":
        text += (
            f"<p>Its policy is that of step {kept[-1]}, the best of its evaluations"
            f"{' (nothing it learned was better than the start)' if kept[-1] == 0 else ''}. It is in the list of the "
            f"tab Compare; <code>python app.py --policy runs/{html.escape(name)}/policy</code> serves it.</p>"
        )
    return text


def curve(steps: list[dict], key: str, points=300) -> pd.DataFrame:
    """Columns step and `key`, of at most `points` rows, each the mean of as many steps."""
    rows = [(row["step"], row[key]) for row in steps if key in row]
    size = -(-len(rows) // points) or 1
    parts = [np.mean(rows[i : i + size], axis=0) for i in range(0, len(rows), size)]
    return pd.DataFrame(np.reshape(parts, (-1, 2)), columns=["step", key])


def photo_folder(text: str) -> Path:
    """The folder that a user named, from the repository if it is relative. Raises TuneError."""
    folder = ROOT / Path((text or "").strip()).expanduser()
    if not (text or "").strip() or not folder.is_dir():
        raise TuneError("There is no such folder on this machine; give the path of a folder of photos of people.")
    return folder


def prompts_of(npz: str | None) -> str:
    """JSON lines, a prompt and its statements, that describe up to MAX_PROMPTS frames of an AMASS-style npz.

    Raises:
        TuneError, PoseError: there is no file, it cannot be read, or its poses show nothing that has a word.
    """
    if not npz:
        raise TuneError("There is no npz yet; choose one, or practise the shipped prompts.")
    Pose.load(npz)  # it says what is wrong with a file
    with np.load(npz, allow_pickle=False) as data:
        frames = np.asarray(data["poses"], np.float32)
    frames = frames.reshape(1, -1) if frames.ndim == 1 else frames.reshape(len(frames), -1)
    chosen = np.unique(np.linspace(0, len(frames) - 1, MAX_PROMPTS).round().astype(int))
    bodies = np.zeros((len(chosen), 72), np.float32)
    keep = 72 if frames.shape[1] == 72 else 66  # as Pose.load reads them
    bodies[:, :keep] = frames[chosen, :keep]
    if not np.isfinite(bodies).all():
        raise PoseError("This npz holds NaN or infinite numbers; fix its poses before using it.")
    rotations = torch.from_numpy(np.stack([Pose.from_axis_angle(body).rotations for body in bodies]))
    rng = np.random.default_rng(SEED)
    told = [captions.write(row, rng) for row in posecodes.scores(rotations).numpy()]
    lines = {c.text: [posecodes.NAMES[i] for i in c.statements] for c in told if len(c.statements)}
    if not lines:
        raise TuneError("Nothing that has a word is seen in these poses; are they in radians, SMPL order, Y up?")
    return "".join(json.dumps({"prompt": k, "statements": v}) + "\n" for k, v in lines.items())
