"""The tab "Edit": a chat that changes a pose step by step, with undo."""

import shutil
from dataclasses import dataclass, field
from pathlib import Path

import gradio as gr
import torch

from .. import captions, posecodes
from ..policy import MAX_TOLD, PoseSample, Understood
from ..pose import Pose, PoseError
from ..pose_file import load_pose
from .panel import QUEUE, Answer, Panel, discard, guarded, notice
from .results import AZIMUTH, ELEVATION, PICTURE_SIZE, slug

FIRST = "standing with the arms hanging at the sides"
EXAMPLES = (
    "raise the left arm", "put the right hand on the hip", "bend the knees more", "turn the head left",
    "lean forward a bit", "step forward with the right foot", "kneel on the left knee",
)  # fmt: skip
HINT = (
    "Left and right are the person's own. Several changes at once are fine (raise both arms and look up), and so are "
    "a bit more, again, now the other arm."
)
MAX_STEPS = 40
CSS = """
.pair img { object-fit: contain; }
#chat button[aria-label*=lear] { display: none; }  /* undo and Start do that */
#chat .message { font-size: 0.95rem; }
@media (max-width: 640px) {
  .pair { flex-direction: row !important; flex-wrap: nowrap !important; }
  .pair > * { flex: 1 1 0 !important; min-width: 0 !important; height: auto !important; }
  .pair .image-container { height: auto !important; }
}
"""
ASKED = "What shall I change?"


@dataclass
class EditAnswer(Answer):
    """The poses of a chat, first to last, and what was said.

    Attributes:
        said: the instruction that led to each pose; "" for the first.
        told: what was answered to each.
    """

    said: list[str] = field(default_factory=list)
    told: list[str] = field(default_factory=list)

    @property
    def messages(self) -> list[dict]:
        """The chat, as gr.Chatbot shows it."""
        out = []
        for said, told in zip(self.said, self.told, strict=True):
            out += [{"role": "user", "content": said}] if said else []
            out += [{"role": "assistant", "content": told}]
        return out

    def upto(self, root: Path, count: int) -> "EditAnswer":
        """A copy of the first `count` steps, with files of its own."""
        copy = EditAnswer.new(root, self.stem, self.samples[:count], said=self.said[:count], told=self.told[:count])
        for picture in self.pictures[:count]:
            copy.pictures.append(shutil.copy(picture, copy.folder))
        copy.selected = count - 1
        return copy


class EditTab:
    """Builds the tab inside the current gr.Blocks; `root` is the folder for answers' files."""

    def __init__(self, policy, renderer, root: Path):
        self.policy, self.renderer, self.root = policy, renderer, root
        first = self._begin(self._sample(FIRST), slug(FIRST))
        first = self._step(first, EXAMPLES[0])
        first.shared = True
        first.samples[-1].text = f"<POSE> {policy.describe(first.samples[-1].pose)}"
        with gr.Row(elem_classes="two"):
            with gr.Column(scale=4, min_width=300, elem_classes="ask"):
                self._inputs(first)
            with gr.Column(scale=8, min_width=300, elem_classes="shown"):
                self.notice = notice()
                with gr.Row(elem_classes="pair"):
                    self.before, self.after = (
                        gr.Image(
                            path, label=label, interactive=False, format="png", height=340, min_width=150,
                            elem_id=label.lower(), buttons=[],
                        )
                        for label, path in zip(("Before", "After"), pair(first), strict=True)
                    )  # fmt: skip
                self.panel = Panel(policy.body, first, AZIMUTH)
        self.state = gr.State(first, time_to_live=3600, delete_callback=discard)
        self.panel.listen(self.state, self.notice)
        self._events()

    def _inputs(self, first: EditAnswer) -> None:
        with gr.Row(elem_classes="start"):
            self.prompt = gr.Textbox(label="Start from a pose", value=FIRST, lines=1, max_lines=3, elem_id="start",
                                     scale=4, min_width=200)  # fmt: skip
        with gr.Row(elem_classes="buttons"):
            self.begin = gr.Button("Start", elem_id="begin", min_width=90)
            self.file = gr.UploadButton("Upload NPZ or BVH", elem_id="upload", min_width=150)
        self.chat = gr.Chatbot(
            first.messages, label="Chat", height=280, elem_id="chat", buttons=[], autoscroll=True, layout="bubble"
        )
        self.instruction = gr.Textbox(
            label="Say what to change", lines=1, max_lines=4, elem_id="instruction",
            placeholder="raise the left arm a bit, then look at it",
        )  # fmt: skip
        with gr.Row(elem_classes="buttons"):
            self.go = gr.Button("Change", variant="primary", elem_id="change", scale=3, min_width=120)
            self.back = gr.Button("Undo", elem_id="undo", scale=2, min_width=90)
        with gr.Column(elem_classes="examples"):
            self.examples = gr.Examples(
                [[text] for text in EXAMPLES], [self.instruction], label="Examples", api_name="example_edit"
            )
        gr.Markdown(HINT, elem_classes="hint")

    def _events(self) -> None:
        shown = [self.notice, self.before, self.after, self.chat, self.instruction, self.state, *self.panel.components]
        common = {"outputs": shown, "show_progress_on": self.after, **QUEUE}
        change = {"fn": self.change, "inputs": [self.instruction, self.state], **common}
        events = [
            gr.on([self.go.click, self.instruction.submit], api_name="edit", **change),
            self.examples.load_input_event.then(api_name=False, **change),
            self.back.click(self.undo, [self.state], api_name="undo", **common),
            gr.on([self.begin.click, self.prompt.submit], self.start, [self.prompt, self.state],
                  api_name="start_edit", **common),
            self.file.upload(self.upload, [self.file, self.state], api_name="upload_pose", **common),
        ]  # fmt: skip
        for event in events:  # the words come after the picture, since they take longest
            event.then(
                self.describe, [self.state], [self.panel.reply, self.state],
                show_progress_on=self.panel.reply, api_name=False, **QUEUE,
            )  # fmt: skip

    @guarded
    def change(self, instruction, answer):
        after = self._step(answer, instruction)
        discard(answer)
        return {**self._shown(after), self.instruction: ""}

    @guarded
    def undo(self, answer):
        if len(answer.samples) < 2:
            raise PoseError("There is nothing to undo; this is the pose you started from.")
        before = answer.upto(self.root, len(answer.samples) - 1)
        discard(answer)
        return {**self._shown(before), self.instruction: answer.said[-1]}

    @guarded
    def start(self, prompt, old):
        answer = self._begin(self._sample(prompt), slug(prompt))
        discard(old)
        return self._shown(answer)

    @guarded
    def upload(self, path, old):
        if not path:
            raise PoseError("There is no file yet; choose an npz or BVH.")
        pose = load_pose(path)
        answer = self._begin(PoseSample(pose, "", 0.0, shows(pose)), slug(Path(path).stem))
        discard(old)
        return self._shown(answer)

    def describe(self, answer):
        """The language model's words about the pose, where it has not said any yet; the notice stays as it is."""
        sample = answer.samples[-1]
        if not sample.text:
            sample.text = f"<POSE> {self.policy.describe(sample.pose)}"
        return {self.panel.reply: sample.text, self.state: answer}

    def _sample(self, prompt: str) -> PoseSample:
        sample = self.policy.text_to_pose(prompt, temperature=0.0, reply=False)[0]
        return PoseSample(sample.pose, "", sample.log_prob, sample.statements, sample.name)

    def _begin(self, sample: PoseSample, stem: str) -> EditAnswer:
        answer = EditAnswer.new(self.root, stem, [sample], said=[""], told=[ASKED])
        self._draw(answer)
        return answer

    def _step(self, answer: EditAnswer, instruction: str) -> EditAnswer:
        """The answer with one more pose; it has files of its own."""
        if len(answer.samples) > MAX_STEPS:
            raise PoseError(f"These are {MAX_STEPS} changes; download the pose and start anew from its NPZ.")
        previous = answer.said[-1]
        sample = self.policy.edit(answer.samples[-1].pose, instruction, previous, reply=False)[0]
        after = answer.upto(self.root, len(answer.samples))
        after.samples.append(sample)
        after.said.append(" ".join(instruction.split()))
        after.told.append(reply(sample))
        self._draw(after)
        return after

    def _draw(self, answer: EditAnswer) -> None:
        """The picture of the last pose."""
        answer.selected = len(answer.samples) - 1
        path = answer.folder / f"{answer.name(answer.selected)}.png"
        self.renderer.still(answer.samples[-1].pose, PICTURE_SIZE, AZIMUTH, ELEVATION).save(path)
        answer.pictures.append(str(path))

    def _shown(self, answer: EditAnswer) -> dict:
        before, after = pair(answer)
        return {
            self.before: before, self.after: after, self.chat: answer.messages, self.state: answer,
            **self.panel.show(answer),
        }  # fmt: skip


def pair(answer: EditAnswer) -> tuple[str, str]:
    """The pictures before and after the last change; twice the same where nothing was changed yet."""
    return answer.pictures[max(len(answer.pictures) - 2, 0)], answer.pictures[-1]


def reply(sample: PoseSample) -> str:
    """What the chat answers to an instruction."""
    did, failed = ([s.phrase for s in sample.statements if s.holds is held] for held in (True, False))
    parts = [f"Done: {', '.join(did)}."] if did else []
    parts += [f"I could not get all the way: {', '.join(failed)}."] if failed else []
    return " ".join(parts)


def shows(pose: Pose) -> list[Understood]:
    """What a pose tells by itself, most telling first."""
    told = captions.telling(posecodes.scores(torch.from_numpy(pose.rotations)[None])[0].numpy())[:MAX_TOLD]
    return [Understood(captions.phrase(i), 1.0, True) for i in told]
