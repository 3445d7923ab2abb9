"""What tabs share: an answer's files on the server, the panel that shows one of its poses, and error sentences."""

import functools
import html
import shutil
import tempfile
import traceback
from dataclasses import dataclass, field
from pathlib import Path

import gradio as gr

from ..camera import Shot
from ..export import FORMATS, Figure
from ..render import Renderer
from .results import AZIMUTH, ELEVATION, PICTURE_SIZE, sentence_of, write_zip
from .why import why_html

#: One request at a time computes; a few more may wait.
QUEUE = {"concurrency_id": "policy", "concurrency_limit": 1}
TRANSPARENT = (0.0, 0.0, 0.0, 0.0)
VIEW = (80, 2.8)  # where the viewer's camera stands: degrees from above, metres

#: What can be downloaded of a pose: label and suffix. "png" is its picture on the page, "zip" all the others.
CHOICES = [
    ("Picture: PNG", "png"),
    *((form.label, suffix) for suffix, form in FORMATS.items()),
    ("All of these: ZIP", "zip"),
]
SINGLE = [suffix for _, suffix in CHOICES if suffix != "zip"]
#: Lets the browser save a file that the server has just written.
SAVE = """file => {
  if (!file) return;
  const link = Object.assign(document.createElement("a"), {href: file.url, download: file.orig_name});
  document.body.append(link);
  link.click();
  link.remove();
}"""


class AnswerError(ValueError):
    """An answer that is no more; the message says what to do."""


@dataclass
class Answer:
    """The poses of one request and the folder that holds their files until the next request."""

    folder: Path
    stem: str
    samples: list
    pictures: list = field(default_factory=list)
    boxes: list = field(default_factory=list)
    selected: int = 0
    view: tuple[float, float] = (AZIMUTH, ELEVATION)  # of the pictures' camera, degrees
    shared: bool = False  # the answer that every visitor sees first
    asked: dict = field(default_factory=dict)  # what a link says to get it again

    @classmethod
    def new(cls, root: Path, stem: str, samples: list, **more) -> "Answer":
        return cls(Path(tempfile.mkdtemp(dir=root)), stem, samples, **more)

    def name(self, index: int) -> str:
        return f"{self.stem}-{index + 1}"

    def shot(self, index: int, renderer: Renderer) -> Shot:
        """The camera of a pose's picture."""
        return renderer.shot(self.samples[index].pose, PICTURE_SIZE, *self.view)

    def file(self, index: int, suffix: str, renderer: Renderer) -> str:
        """Path of one pose in a format of CHOICES, written when it is first asked for."""
        if suffix == "png":
            return self.pictures[min(index, len(self.pictures) - 1)]  # people in a photo share theirs
        path = self._path(f"{self.name(index)}.{suffix}")
        if not path.exists():
            if suffix == "zip":
                write_zip(path, [self.file(index, each, renderer) for each in SINGLE])
            else:
                FORMATS[suffix].write(Figure(self.samples[index].pose, renderer, self.shot(index, renderer)), path)
        return str(path)

    def archive(self, suffix: str, renderer: Renderer) -> str:
        """Path of a zip with every pose in a format of CHOICES."""
        path = self._path(f"{self.stem}.zip" if suffix == "zip" else f"{self.stem}-{suffix}.zip")
        if not path.exists():
            suffixes = SINGLE if suffix == "zip" else [suffix]
            files = [self.file(i, each, renderer) for i in range(len(self.samples)) for each in suffixes]
            write_zip(path, dict.fromkeys(files))  # a picture that is shared goes in once
        return str(path)

    def _path(self, name: str) -> Path:
        if not self.folder.is_dir():
            raise AnswerError("The files of these poses have been deleted; make the poses again.")
        return self.folder / name

    def discard(self) -> None:
        if not self.shared:
            shutil.rmtree(self.folder, ignore_errors=True)


def discard(answer: Answer | None) -> None:
    """Remove an answer's files; for gr.State, which calls it when a visitor has gone."""
    if answer is not None:
        answer.discard()


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


class Panel:
    """The 3D viewer, reply and downloads of one selected pose; built inside the current gr.Blocks.

    Args:
        body: the policy's BodyModel.
        first: the answer to start with.
        azimuth: degrees from the front to the body's left from where the viewer first sees it.
    """

    def __init__(self, body, first: Answer, azimuth: float):
        self.renderer = Renderer(body)
        values = self._values(first)
        with gr.Row():
            with gr.Column(scale=5, min_width=300):
                self.model = gr.Model3D(
                    values[0], label="3D: drag to turn, scroll to zoom", height=460, clear_color=TRANSPARENT,
                    camera_position=(90 - azimuth, *VIEW),
                    elem_classes="viewer", interactive=False,
                )  # fmt: skip
                with gr.Column(elem_classes="downloads"):
                    self.format = gr.Dropdown(CHOICES, value="glb", label="Download as", filterable=False)
                    with gr.Row():
                        self.one = gr.Button("Download", size="sm", min_width=110, elem_classes="download-one")
                        self.all = gr.Button("All: ZIP", size="sm", min_width=110, elem_classes="download-all")
                self.written = gr.DownloadButton(visible=False)
            with gr.Column(scale=4, min_width=280):
                self.reply = gr.Textbox(
                    values[1], label="Reply", lines=2, max_lines=8, interactive=False, elem_classes="reply"
                )
                self.understood = gr.HTML(values[2], elem_classes="understood")

    def listen(self, state: gr.State, notice: gr.HTML) -> None:
        """Make the downloads give files of the answer in `state`; what goes wrong is said in `notice`."""
        self.notice = notice
        for button, write, name in ((self.one, self.write_one, "download"), (self.all, self.write_all, "download_all")):
            nothing = button.click(None, None, self.written, js="() => null", api_name=False)
            written = nothing.then(
                write,
                [self.format, state],
                [notice, self.written],
                show_progress_on=self.format,
                api_name=name,
                **QUEUE,
            )
            written.then(None, self.written, None, js=SAVE, api_name=False)

    @guarded
    def write_one(self, suffix, answer):
        return {self.written: answer.file(answer.selected, suffix, self.renderer)}

    @guarded
    def write_all(self, suffix, answer):
        return {self.written: answer.archive(suffix, self.renderer)}

    @property
    def components(self) -> list:
        return [self.model, self.reply, self.understood]

    def _values(self, answer: Answer) -> list:
        sample = answer.samples[answer.selected]
        return [answer.file(answer.selected, "glb", self.renderer), sample.text, why_html(sample)]

    def show(self, answer: Answer) -> dict:
        """Updates that show the answer's selected pose."""
        return dict(zip(self.components, self._values(answer), strict=True))
