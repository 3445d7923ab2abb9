"""The tab "Photo to poses": a photo in, the pose of every person found in it out."""

from pathlib import Path

import gradio as gr
from PIL import Image, ImageDraw, ImageFont

from ..photo import PhotoError, load_photo
from ..render import PEOPLE_COLORS
from .panel import QUEUE, Answer, Panel, discard, guarded, notice
from .results import draw_people


class PhotoTab:
    """Builds the tab inside the current gr.Blocks; `root` is the folder for answers' files."""

    def __init__(self, policy, renderer, root: Path, tab: gr.Tab):
        self.policy, self.renderer, self.root = policy, renderer, root
        with gr.Row():
            with gr.Column(scale=4, min_width=300):
                self.photo = gr.Image(
                    label="Photo", type="filepath", image_mode=None, sources=["upload", "clipboard"], height=320,
                    elem_id="photo", buttons=[],
                )  # fmt: skip
                # Gradio would open the file before us and answer a broken one with an error of its own.
                self.photo.preprocess = lambda payload: payload and payload.path
                self.go = gr.Button("Find people", variant="primary", elem_id="find")
                gr.Markdown(
                    "One or several people, best with the whole body in view. Photos stay on the server that runs "
                    "this page and are deleted after an hour.",
                    elem_classes="hint",
                )
            with gr.Column(scale=8, min_width=300):
                self.notice = notice()
                self.overlay = gr.Image(
                    label="People found (click one)", interactive=False, format="png", height=460, elem_id="overlay",
                    buttons=["fullscreen"],
                )  # fmt: skip
                self.person = gr.Radio(label="Person", type="index", visible=False, elem_id="person")
                self.panel = Panel(policy.body)
        self.state = gr.State(None, time_to_live=3600, delete_callback=discard)
        self._events()

    def _events(self) -> None:
        shown = [self.notice, self.overlay, self.person, self.state, *self.panel.components]
        gr.on(
            [self.go.click, self.photo.upload], self.find, [self.photo, self.state], shown,
            api_name="image_to_pose", **QUEUE,
        )  # fmt: skip
        one = [self.notice, *self.panel.components]
        self.person.input(self.select, [self.person, self.state], one, api_name="select_person", **QUEUE)
        self.overlay.select(self.click, [self.state], [*one, self.person], api_name="click_person", **QUEUE)

    @guarded
    def find(self, path, old, progress=gr.Progress()):
        if not path:
            raise PhotoError("There is no photo yet; choose one, drop it here or paste it.")
        progress(0, "Looking for people")
        photo = load_photo(path)
        people = self.policy.image_to_pose(photo)
        progress(0.7, "Drawing")
        samples = [person.samples[0] for person in people]
        answer = Answer.new(self.root, "people", samples, boxes=[person.box for person in people])
        picture = picture_of(photo, people, self.renderer)
        answer.pictures.append(str(answer.folder / "people.png"))
        picture.save(answer.pictures[0])
        answer.boxes = [[v * picture.width / photo.width for v in box] for box in answer.boxes]
        discard(old)
        names = [f"Person {i + 1}" for i in range(len(people))]
        person = gr.Radio(names, value=names[0], visible=len(names) > 1)
        return {self.overlay: answer.pictures[0], self.person: person, self.state: answer, **self.panel.show(answer, 0)}

    @guarded
    def select(self, index, answer):
        return self.panel.show(answer, index)

    @guarded
    def click(self, answer, event: gr.SelectData):
        """Select the smallest box under the click; a click beside all boxes changes nothing."""
        x, y = event.index
        hit = [i for i, (x0, y0, x1, y1) in enumerate(answer.boxes) if x0 <= x <= x1 and y0 <= y <= y1]
        if not hit:
            return {}
        index = hit[-1]  # people come largest first
        return {self.person: f"Person {index + 1}", **self.panel.show(answer, index)}


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
