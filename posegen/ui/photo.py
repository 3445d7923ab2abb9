"""The tab "Photo to poses": a photo in, the pose of every person found in it out."""

from pathlib import Path

import gradio as gr
from PIL import Image, ImageDraw, ImageFont

from ..photo import PhotoError, load_photo
from ..render import PEOPLE_COLORS
from .panel import QUEUE, Answer, Panel, discard, guarded, notice
from .results import draw_people

FOLDER = Path(__file__).parents[2] / "assets" / "examples"
EXAMPLES = [str(FOLDER / name) for name in ("three_people.jpg", "lunge.jpg")]
HINT = (
    "One or several people, best with the whole body in view. A photo stays on the machine that runs this page "
    "and is deleted after about an hour."
)


class PhotoTab:
    """Builds the tab inside the current gr.Blocks; `root` is the folder for answers' files."""

    def __init__(self, policy, renderer, root: Path):
        self.policy, self.renderer, self.root = policy, renderer, root
        first = self._answer(EXAMPLES[0], shared=True)
        with gr.Row(elem_classes="two"):
            with gr.Column(scale=4, min_width=300, elem_classes="ask"):
                self.photo = gr.Image(
                    EXAMPLES[0], label="Photo", type="filepath", image_mode=None, sources=["upload", "clipboard"],
                    height=320, elem_id="photo", buttons=[],
                )  # fmt: skip
                # Gradio would open the file before us and answer a broken one with an error of its own.
                self.photo.preprocess = lambda payload: payload and payload.path
                self.go = gr.Button("Find people", variant="primary", elem_id="find")
                with gr.Column(elem_classes="examples"):
                    self.examples = gr.Examples(EXAMPLES, [self.photo], label="Examples", api_name="example_photo")
                gr.Markdown(HINT, elem_classes="hint")
            with gr.Column(scale=8, min_width=300, elem_classes="shown"):
                self.notice = notice()
                self.overlay = gr.Image(
                    first.pictures[0], label="People found (click one)", interactive=False, format="png", height=460,
                    elem_id="overlay", buttons=["fullscreen"],
                )  # fmt: skip
                self.person = gr.Radio(**names(first), label="Person", type="index", elem_id="person")
                self.panel = Panel(policy.body, first, azimuth=0)
        self.state = gr.State(first, time_to_live=3600, delete_callback=discard)
        self._events()

    def _events(self) -> None:
        find = {"fn": self.find, "inputs": [self.photo, self.state], "show_progress_on": self.overlay, **QUEUE}
        find["outputs"] = [self.notice, self.overlay, self.person, self.state, *self.panel.components]
        gr.on([self.go.click, self.photo.upload], api_name="image_to_pose", **find)
        self.examples.load_input_event.then(api_name=False, **find)
        one = {"outputs": [self.notice, self.person, *self.panel.components], "show_progress_on": self.panel.model}
        self.person.input(self.select, [self.person, self.state], api_name="select_person", **one, **QUEUE)
        self.overlay.select(self.click, [self.state], api_name="click_person", **one, **QUEUE)

    @guarded
    def find(self, path, old, progress=gr.Progress()):  # noqa: B008 (how Gradio finds it)
        if not path:
            raise PhotoError("There is no photo yet; choose one, drop it here or paste it.")
        answer = self._answer(path, progress)
        discard(old)
        person = gr.update(**names(answer))
        return {self.overlay: answer.pictures[0], self.person: person, self.state: answer, **self.panel.show(answer)}

    @guarded
    def select(self, index, answer):
        answer.selected = index
        return self.panel.show(answer)

    @guarded
    def click(self, answer, event: gr.SelectData):
        """Select the smallest box under the click; a click beside all boxes changes nothing."""
        x, y = event.index
        hit = [i for i, (x0, y0, x1, y1) in enumerate(answer.boxes) if x0 <= x <= x1 and y0 <= y <= y1]
        if not hit:
            return {}
        answer.selected = hit[-1]  # people come largest first
        return {self.person: gr.update(**names(answer)), **self.panel.show(answer)}

    def _answer(self, path, progress=None, shared=False) -> Answer:
        if progress:
            progress(0, "Looking for people")
        photo = load_photo(path)
        people = self.policy.image_to_pose(photo)
        if progress:
            progress(0.7, "Drawing")
        picture = picture_of(photo, people, self.renderer)
        scale = picture.width / photo.width
        boxes = [[v * scale for v in person.box] for person in people]
        answer = Answer.new(self.root, "people", [p.samples[0] for p in people], boxes=boxes, shared=shared)
        answer.pictures.append(str(answer.folder / "people.png"))
        picture.save(answer.pictures[0])
        return answer


def names(answer: Answer) -> dict:
    """The person selector's choices, hidden when there is only one person."""
    choices = [f"Person {i + 1}" for i in range(len(answer.samples))]
    return {"choices": choices, "value": choices[answer.selected], "visible": len(choices) > 1}


def picture_of(photo: Image.Image, people, renderer) -> Image.Image:
    """The photo with every person's body drawn over it and a numbered box around each."""
    picture = draw_people(photo, people, renderer)
    scale = picture.width / photo.width
    pen = ImageDraw.Draw(picture)
    line, size = max(2, picture.width // 350), max(14, picture.width // 40)
    font = ImageFont.load_default(size)
    for i, person in enumerate(people):
        x0, y0, x1, y1 = (v * scale for v in person.box)
        color = tuple(round(255 * v) for v in PEOPLE_COLORS[i % len(PEOPLE_COLORS)])  # as the body's
        pen.rectangle((x0, y0, x1, y1), outline=color, width=line)
        label = f" {i + 1} "
        pen.rectangle((x0, y0, x0 + pen.textlength(label, font), y0 + size * 1.3), fill=color)
        pen.text((x0, y0), label, "black", font)
    return picture
