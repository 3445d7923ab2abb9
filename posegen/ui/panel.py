"""What both tabs share: an answer's files on the server, the panel that shows one of its poses, and error sentences."""

import functools
import html
import shutil
import tempfile
import traceback
from dataclasses import dataclass, field
from pathlib import Path

import gradio as gr

from ..export.glb import write_glb
from .results import sentence_of, write_zip

#: One request at a time computes; a few more may wait.
QUEUE = {"concurrency_id": "policy", "concurrency_limit": 1}
TRANSPARENT = (0.0, 0.0, 0.0, 0.0)
VIEW = (80, 2.8)  # where the viewer's camera stands: degrees from above, metres


@dataclass
class Answer:
    """The poses of one request and the folder that holds their files until the next request."""

    folder: Path
    stem: str
    samples: list
    pictures: list = field(default_factory=list)
    boxes: list = field(default_factory=list)
    selected: int = 0
    shared: bool = False  # the answer that every visitor sees first

    @classmethod
    def new(cls, root: Path, stem: str, samples: list, **more) -> "Answer":
        return cls(Path(tempfile.mkdtemp(dir=root)), stem, samples, **more)

    def name(self, index: int) -> str:
        return f"{self.stem}-{index + 1}"

    def file(self, index: int, suffix: str, body) -> str:
        """Path of one pose's "npz" or "glb", written when it is first asked for."""
        path = self.folder / f"{self.name(index)}.{suffix}"
        if not path.exists():
            pose = self.samples[index].pose
            pose.save(path) if suffix == "npz" else write_glb(pose, body, path)
        return str(path)

    def archive(self, body) -> str:
        """Path of a zip with every pose's npz and every picture."""
        path = self.folder / f"{self.stem}.zip"
        if not path.exists():
            write_zip(path, [*(self.file(i, "npz", body) for i in range(len(self.samples))), *self.pictures])
        return str(path)

    def discard(self) -> None:
        if not self.shared:
            shutil.rmtree(self.folder, ignore_errors=True)


def discard(answer: Answer | None) -> None:
    """Remove an answer's files; for gr.State, which calls it when a visitor has gone."""
    if answer is not None:
        answer.discard()


class Panel:
    """The 3D viewer, reply and downloads of one selected pose; built inside the current gr.Blocks.

    Args:
        body: the policy's BodyModel.
        first: the answer to start with.
        azimuth: degrees from the front to the body's left from where the viewer first sees it.
    """

    def __init__(self, body, first: Answer, azimuth: float):
        self.body = body
        values = self._values(first)
        with gr.Row():
            with gr.Column(scale=5, min_width=300):
                self.model = gr.Model3D(
                    values[0], label="3D: drag to turn, scroll to zoom", height=460, clear_color=TRANSPARENT,
                    camera_position=(90 - azimuth, *VIEW),
                    elem_classes="viewer", interactive=False,
                )  # fmt: skip
            with gr.Column(scale=4, min_width=280):
                self.reply = gr.Textbox(
                    values[1], label="Reply", lines=2, max_lines=8, interactive=False, elem_classes="reply"
                )
                self.understood = gr.HTML(values[2], elem_classes="understood")
                with gr.Row(elem_classes="downloads"):
                    self.png, self.glb, self.npz, self.zip = (
                        gr.DownloadButton(label, value, size="sm", elem_classes=f"download-{label[-3:].lower()}")
                        for label, value in zip(("PNG", "GLB", "NPZ", "All: ZIP"), values[3:], strict=True)
                    )

    @property
    def components(self) -> list:
        return [self.model, self.reply, self.understood, self.png, self.glb, self.npz, self.zip]

    def _values(self, answer: Answer) -> list:
        index = answer.selected
        sample, glb = answer.samples[index], answer.file(index, "glb", self.body)
        picture, npz = answer.pictures[min(index, len(answer.pictures) - 1)], answer.file(index, "npz", self.body)
        return [glb, sample.text, statements_html(sample), picture, glb, npz, answer.archive(self.body)]

    def show(self, answer: Answer) -> dict:
        """Updates that show the answer's selected pose."""
        return dict(zip(self.components, self._values(answer), strict=True))


def statements_html(sample) -> str:
    """What was read out of the prompt, each with whether this pose shows it; empty for photos."""
    if sample.camera is not None:
        return ""
    if not sample.statements:
        return (
            "<h3>Understood</h3><p>Nothing in this prompt was read as being about a pose, so this is a free guess. "
            "Say in English where the arms, legs, torso or head are.</p>"
        )
    items = "".join(
        f'<li class="{"yes" if s.holds else "no"}" title="read with probability {s.probability:.2f}">'
        f"{'✓' if s.holds else '✗'} {html.escape(s.phrase)}</li>"
        for s in sample.statements
    )
    name = f"<p>As a pose with a name: <b>{html.escape(sample.name)}</b></p>" if sample.name else ""
    return f"<h3>Understood, and whether this pose shows it</h3>{name}<ul>{items}</ul>"


def notice() -> gr.HTML:
    """The place where a sentence about bad input appears."""
    return gr.HTML(visible=False, elem_classes="notice")


def sentence(text: str):
    """An update that shows `text` in the notice, or hides the notice when there is no text."""
    return gr.update(value=f'<p role="alert">{html.escape(text)}</p>' if text else "", visible=bool(text))


def guarded(handler):
    """An event handler of a tab that turns an error into a sentence in the tab's notice and leaves all else as it was.

    Of a fault in the code the user learns only that the server failed; its traceback goes to the server's log.
    """

    @functools.wraps(handler)
    def handle(tab, *args, **kwargs):
        try:
            return {tab.notice: sentence(""), **handler(tab, *args, **kwargs)}
        except Exception as error:
            known = sentence_of(error)
            if not known:
                traceback.print_exc()
            return {tab.notice: sentence(known or "The server failed on this request; try again or try another input.")}

    return handle
