"""The tab "Photo": a photo in, the pose of every person found in it out, and what else each might be."""

from dataclasses import dataclass, field, replace
from pathlib import Path

import gradio as gr
import torch
from PIL import Image, ImageDraw, ImageFont

from ..camera import Shot
from ..hypotheses import COUNT, hypotheses, in_words, labels
from ..photo import PhotoError, load_photo
from ..policy import Person, PoseSample
from ..render import PEOPLE_COLORS
from .panel import QUEUE, Answer, Panel, discard, guarded, notice, sentence

FOLDER = Path(__file__).parents[2] / "assets" / "examples"
EXAMPLES = [str(FOLDER / name) for name in ("three_people.jpg", "lunge.jpg")]
HINT = (
    "One or several people, best with the whole body in view: a file, the clipboard or your camera. A photo stays on "
    "the machine that runs this page and is deleted after about an hour."
)
SIDE, ABOVE, OBLIQUE = (90, 0), (0, 89), (55, 25)  # azimuth and elevation: of the two views, and of alternatives
VIEW_SIZE, READING_SIZE = 360, 256  # pixels
PHOTO = "photo.jpg"  # in the answer's folder
READINGS = (
    "<h3>Where depth is open</h3><p>{} All four cover the person in the photo; seen here from the side. "
    "Click one to use it.</p>"
)


CSS = (
    """
.views { gap: 10px !important; }
.views img { object-fit: contain; }
.readings .grid-wrap { height: auto !important; min-height: 0 !important; max-height: none !important; padding: 0;
                       overflow: visible !important; }
.readings .grid-container { grid-template-rows: none !important; padding: 0 !important; }
.readings .thumbnail-item.selected { outline: 3px solid var(--color-accent); outline-offset: -1px; }
.readings .caption-label { max-width: 96%; white-space: normal; line-height: 1.25; }
.open h3 { margin: 0 0 0.2rem; font-size: 0.9rem; font-weight: 600; color: var(--block-title-text-color); }
.open p { margin: 0; font-size: 0.9rem; color: var(--body-text-color-subdued); }
#person label::before { content: ""; width: 0.9em; height: 0.9em; border-radius: 3px; margin-right: 2px; }
"""
    + "".join(
        f"#person label:nth-of-type({len(PEOPLE_COLORS)}n+{i + 1})::before "
        f"{{ background: rgb({' '.join(f'{100 * v:.0f}%' for v in color)}); }}\n"
        for i, color in enumerate(PEOPLE_COLORS)
    )
    + """
@media (max-width: 640px) {
  .views { flex-direction: row !important; flex-wrap: nowrap !important; }
  .views > * { flex: 1 1 0 !important; min-width: 0 !important; }
  .views > *, .views .image-container { height: auto !important; }
  .readings .grid-container { grid-template-columns: repeat(2, minmax(0, 1fr)) !important; }
}
"""
)


@dataclass
class PhotoAnswer(Answer):
    """The people of one photo; `samples` holds the reading of each that is shown.

    Attributes:
        source: the file that the photo came in.
        people: as they were found.
        size: (width, height) of the photo, which lies in the folder as photo.jpg.
        readings: person -> what else the person may be, most likely first; filled when somebody asks.
        chosen: person -> which of the readings is shown; 0 unless somebody chose.
    """

    source: str = ""
    people: list[Person] = field(default_factory=list)
    size: tuple[int, int] = (0, 0)
    readings: dict[int, list[PoseSample]] = field(default_factory=dict)
    chosen: dict[int, int] = field(default_factory=dict)

    def shot(self, index: int, renderer) -> Shot:
        """The photo's camera."""
        return Shot(self.samples[index].camera, self.size)


class PhotoTab:
    """Builds the tab inside the current gr.Blocks; `root` is the folder for answers' files."""

    def __init__(self, policy, renderer, root: Path):
        self.policy, self.renderer, self.root = policy, renderer, root
        first = self._found(load_photo(EXAMPLES[0]), EXAMPLES[0], shared=True)
        with gr.Row(elem_classes="two"):
            with gr.Column(scale=4, min_width=300, elem_classes="ask"):
                self._inputs()
            with gr.Column(scale=8, min_width=300, elem_classes="shown"):
                self.notice = notice()
                self._pictures(first)
                self.panel = Panel(policy.body, first, azimuth=0)
        self.state = gr.State(first, time_to_live=3600, delete_callback=discard)
        self.panel.listen(self.state, self.notice)
        self._events()

    def _inputs(self) -> None:
        self.photo = gr.Image(
            EXAMPLES[0], label="Photo", type="filepath", image_mode=None, sources=["upload", "clipboard", "webcam"],
            height=320, elem_id="photo", buttons=[], alt_text="The photo that people are looked for in",
            webcam_options=gr.WebcamOptions(mirror=False),  # a mirrored picture would swap left and right
        )  # fmt: skip
        # Gradio would open the file before us and answer a broken one with an error of its own.
        self.photo.preprocess = lambda payload: payload and payload.path
        self.go = gr.Button("Find people", variant="primary", elem_id="find")
        with gr.Column(elem_classes="examples"):
            self.examples = gr.Examples(EXAMPLES, [self.photo], label="Examples", api_name="example_photo")
        gr.Markdown(HINT, elem_classes="hint")

    def _pictures(self, first: PhotoAnswer) -> None:
        overlay, side, above = self._views(first)
        picture = {"interactive": False, "buttons": ["fullscreen"]}
        with gr.Row():
            self.overlay = gr.Image(
                overlay, label="People found (click one)", format="jpeg", height=460, scale=3, min_width=300,
                elem_id="overlay", alt_text="The photo with numbered bodies drawn over its people", **picture,
            )  # fmt: skip
            with gr.Column(scale=1, min_width=140, elem_classes="views"):
                self.side, self.above = (
                    gr.Image(value, label=label, height=225, min_width=120, alt_text=text, elem_id=name, **picture)
                    for value, label, text, name in (
                        (side, "From the side", "The chosen person's body from the picture's right", "side"),
                        (above, "From above", "The chosen person's body from above", "above"),
                    )
                )
        self.person = gr.Radio(**names(first), label="Person", type="index", elem_id="person")
        pictures, words = self._alternatives(first)
        self.words = gr.HTML(words, elem_classes="open")
        self.readings = gr.Gallery(
            pictures, selected_index=0, show_label=False, columns=COUNT, object_fit="contain", allow_preview=False,
            elem_classes="readings", elem_id="readings", interactive=False, buttons=[],
        )  # fmt: skip

    def _events(self) -> None:
        self.views = views = [self.overlay, self.side, self.above]
        others = [self.notice, self.person, self.words, self.readings, *self.panel.components]
        find = {"inputs": [self.photo, self.state], "show_progress_on": self.overlay, **QUEUE}
        find["outputs"] = [self.notice, *views, self.state, *others[1:]]
        self.go.click(self.find, api_name="image_to_pose", **find)
        # A change comes from a file, an example, the clipboard and the camera alike, with or without a None before it.
        self.photo.change(self.changed, trigger_mode="always_last", api_name=False, **find)
        one = {"outputs": [*views, *others], "show_progress_on": self.panel.model, **QUEUE}
        self.person.input(self.select, [self.person, self.state], api_name="select_person", **one)
        self.overlay.select(self.click, [self.state], api_name="click_person", **one)
        chosen = [self.notice, *views, self.state, *self.panel.components]
        choose = {"inputs": [self.state], "outputs": chosen, "show_progress_on": self.panel.model}
        self.readings.select(self.choose, api_name="choose_reading", **choose, **QUEUE)

    @guarded
    def find(self, path, old, progress=gr.Progress()):  # noqa: B008 (how Gradio finds it)
        if not path:
            raise PhotoError("There is no photo yet; choose one, drop it here, paste it or take one with your camera.")
        if path == old.source:  # one upload is sometimes more than one change
            return {}
        progress(0, "Looking for people")
        answer = self._found(load_photo(path), path)
        progress(0.7, "Drawing")
        shown = {self.state: answer, **self._shown(answer)}
        discard(old)
        return shown

    def changed(self, path, old, progress=gr.Progress()):  # noqa: B008
        """Find people as soon as there is another photo; a photo that was taken away changes nothing."""
        return self.find(path, old, progress) if path else {self.notice: sentence("")}

    @guarded
    def select(self, index, answer):
        answer.selected = index
        return self._shown(answer)

    @guarded
    def click(self, answer, event: gr.SelectData):
        """Select the smallest box under the click; a click beside all boxes changes nothing."""
        x, y = event.index
        hit = [i for i, (x0, y0, x1, y1) in enumerate(answer.boxes) if x0 <= x <= x1 and y0 <= y <= y1]
        if not hit:
            return {}
        answer.selected = hit[-1]  # people come largest first
        return self._shown(answer)

    @guarded
    def choose(self, old, event: gr.SelectData):
        """Show another reading of the selected person: on the photo, in 3D and in the files."""
        person = old.selected
        reading = self._readings(old)[event.index]
        text = self.policy.tell(torch.from_numpy(reading.pose.rotations)[None])[0]
        samples = [*old.samples]
        samples[person] = replace(reading, text=text)
        with Image.open(old.folder / PHOTO) as photo:
            answer = self._drawn(photo.convert("RGB"), old.people, samples, old.source)
        answer.selected, answer.readings, answer.chosen = person, old.readings, {**old.chosen, person: event.index}
        shown = {self.state: answer, **dict(zip(self.views, self._views(answer), strict=True))}
        shown |= self.panel.show(answer)
        discard(old)
        return shown

    def _found(self, photo: Image.Image, source: str, shared=False) -> PhotoAnswer:
        people = self.policy.image_to_pose(photo)
        return self._drawn(photo, people, [person.samples[0] for person in people], source, shared)

    def _drawn(
        self, photo: Image.Image, people: list[Person], samples: list[PoseSample], source, shared=False
    ) -> PhotoAnswer:
        """An answer with these readings of the people drawn over the photo."""
        picture = self.renderer.overlay(photo, [(sample.pose, sample.camera) for sample in samples])
        scale = picture.width / photo.width
        boxes = [[v * scale for v in person.box] for person in people]
        answer = PhotoAnswer.new(
            self.root, "people", samples, boxes=boxes, shared=shared, source=source, people=people, size=photo.size
        )  # fmt: skip
        answer.pictures.append(str(answer.folder / "people.png"))
        picture.save(answer.pictures[0])
        photo.save(answer.folder / PHOTO, quality=95)
        return answer

    def _readings(self, answer: PhotoAnswer) -> list[PoseSample]:
        """What else the selected person may be."""
        i = answer.selected
        if i not in answer.readings:
            answer.readings[i] = hypotheses(self.policy, answer.people[i], answer.size)
        return answer.readings[i]

    def _shown(self, answer: PhotoAnswer) -> dict:
        """Updates that show the answer's selected person."""
        pictures, words = self._alternatives(answer)
        gallery = gr.update(value=pictures, selected_index=answer.chosen.get(answer.selected, 0))
        shown = dict(zip(self.views, self._views(answer), strict=True))
        shown |= {self.person: gr.update(**names(answer)), self.readings: gallery, self.words: words}
        return shown | self.panel.show(answer)

    def _views(self, answer: PhotoAnswer) -> list[Image.Image]:
        """The photo with bodies and boxes, and the selected body from the side and from above."""
        pose, color = answer.samples[answer.selected].pose, color_of(answer.selected)
        turned = [self.renderer.still(pose, VIEW_SIZE, *view, color) for view in (SIDE, ABOVE)]
        return [with_boxes(answer), *turned]

    def _alternatives(self, answer: PhotoAnswer) -> tuple[list, str]:
        """Pictures with labels of what else the selected person may be, and the words above them."""
        readings, color = self._readings(answer), color_of(answer.selected)
        stills = [self.renderer.still(reading.pose, READING_SIZE, *OBLIQUE, color) for reading in readings]
        return list(zip(stills, labels(readings), strict=True)), READINGS.format(in_words(readings))


def color_of(person: int) -> tuple[float, float, float]:
    """sRGB of a person's body as `Renderer.overlay` draws it, and of box and choice."""
    return PEOPLE_COLORS[person % len(PEOPLE_COLORS)]


def names(answer: PhotoAnswer) -> dict:
    """The person selector's choices, hidden when there is only one person."""
    choices = [f"Person {i + 1}" for i in range(len(answer.samples))]
    return {"choices": choices, "value": choices[answer.selected], "visible": len(choices) > 1}


def with_boxes(answer: PhotoAnswer) -> Image.Image:
    """The answer's picture with a numbered box around everyone, the selected one's drawn thick."""
    with Image.open(answer.pictures[0]) as file:
        picture = file.convert("RGB")
    pen = ImageDraw.Draw(picture)
    line, size = max(2, picture.width // 400), max(14, picture.width // 40)
    font = ImageFont.load_default(size)
    for i, (x0, y0, x1, y1) in enumerate(answer.boxes):
        color = tuple(round(255 * v) for v in color_of(i))
        pen.rectangle((x0, y0, x1, y1), outline=color, width=line * (3 if i == answer.selected else 1))
        label = f" {i + 1} "
        pen.rectangle((x0, y0, x0 + pen.textlength(label, font), y0 + size * 1.3), fill=color)
        pen.text((x0, y0), label, "black", font)
    return picture
