"""The tab "Words to poses": a prompt in, several sampled poses out."""

import random
from pathlib import Path

import gradio as gr

from .panel import QUEUE, Answer, Panel, discard, guarded, notice
from .results import AZIMUTH, ELEVATION, PICTURE_SIZE, slug
from .shape import BodyShape

EXAMPLES = Path(__file__).resolve().parents[2] / "assets" / "examples" / "prompts.txt"
MAX_SAMPLES = 8
SAMPLES, TEMPERATURE, SEED = 4, 0.7, 0  # what the page starts with


def example_prompts() -> list[str]:
    return EXAMPLES.read_text(encoding="utf-8").split("\n")[:-1]


class WordsTab:
    """Builds the tab inside the current gr.Blocks; `root` is the folder for answers' files."""

    def __init__(self, policy, renderer, root: Path):
        self.policy, self.renderer, self.root = policy, renderer, root
        self.shape = BodyShape(policy.body)
        prompt = example_prompts()[0]
        first = self._first_answer(prompt)
        with gr.Row(elem_classes="two"):
            with gr.Column(scale=4, min_width=300, elem_classes="ask"):
                self._inputs(prompt)
            with gr.Column(scale=8, min_width=300, elem_classes="shown"):
                self.notice = notice()
                self.gallery = gr.Gallery(
                    first.pictures, selected_index=0, show_label=False, columns=4, object_fit="contain",
                    allow_preview=False, elem_classes="poses", interactive=False, buttons=[],
                )  # fmt: skip
                self.panel = Panel(policy.body, first, AZIMUTH)
        self.state = gr.State(first, time_to_live=3600, delete_callback=discard)
        self._events()

    def _inputs(self, first: str) -> None:
        self.prompt = gr.Textbox(
            label="Describe a pose", value=first, lines=1, max_lines=5, elem_id="prompt",
            placeholder="a deep squat with both arms stretched forward",
        )  # fmt: skip
        with gr.Row(elem_classes="buttons"):
            self.go = gr.Button("Generate", variant="primary", elem_id="generate", scale=3, min_width=120)
            self.dice = gr.Button("New seed", elem_id="dice", scale=2, min_width=110)
        with gr.Column(elem_classes="examples"):
            prompts = [[prompt] for prompt in example_prompts()]
            self.examples = gr.Examples(prompts, [self.prompt], label="Examples", api_name="example")
        with gr.Group(elem_classes="settings"):
            self.count = gr.Slider(1, MAX_SAMPLES, SAMPLES, step=1, label="Samples")
            self.temperature = gr.Slider(0, 1.5, TEMPERATURE, step=0.05, label="Temperature", info="0: likeliest pose")
            self.seed = gr.Number(SEED, precision=0, minimum=0, maximum=2**31 - 1, label="Seed")
        with gr.Accordion("Body and camera", open=False, elem_classes="settings"):
            low, average, high = self.shape.heights
            self.height = gr.Slider(low, high, average, step=1, label="Height (cm)")
            self.build = gr.Slider(-3, 3, 0, step=0.25, label="Build, from slim to heavy")
            self.azimuth = gr.Slider(-180, 180, AZIMUTH, step=5, label="Camera around (degrees)")
            self.elevation = gr.Slider(-10, 80, ELEVATION, step=2, label="Camera above (degrees)")

    def _first_answer(self, prompt: str) -> Answer:
        """A real answer for the first paint: the visitor sees no empty canvas, and everything is warm."""
        samples = self.policy.text_to_pose(prompt, SAMPLES, TEMPERATURE, SEED, self.shape.betas())
        answer = Answer.new(self.root, slug(prompt), samples, shared=True)
        self._draw(answer, AZIMUTH, ELEVATION)
        return answer

    def _events(self) -> None:
        ask = [self.prompt, self.count, self.temperature, self.seed]
        look = [self.height, self.build, self.azimuth, self.elevation]
        shown = [self.notice, self.gallery, self.state, *self.panel.components]
        generate = {"fn": self.generate, "inputs": [*ask, *look, self.state], "outputs": shown}
        generate |= {"show_progress_on": self.gallery, **QUEUE}
        gr.on([self.go.click, self.prompt.submit], api_name="text_to_pose", **generate)
        self.examples.load_input_event.then(api_name=False, **generate)
        dice = self.dice.click(lambda: random.randrange(10**6), None, self.seed, api_name="new_seed")
        dice.then(api_name=False, **generate)
        one = [self.notice, *self.panel.components]
        select = {"inputs": [self.state], "outputs": one, "show_progress_on": self.panel.model}
        self.gallery.select(self.select, api_name="select", **select, **QUEUE)
        again = {"inputs": [*look, self.state], "outputs": shown, "show_progress_on": self.gallery}
        gr.on([slider.release for slider in look], self.look, api_name="look", **again, **QUEUE)

    @guarded
    def generate(
        self,
        prompt,
        count,
        temperature,
        seed,
        height,
        build,
        azimuth,
        elevation,
        old,
        progress=gr.Progress(),  # noqa: B008 (how Gradio finds it)
    ):
        progress(0, "Reading the words")
        betas = self.shape.betas(height, build)
        samples = self.policy.text_to_pose(prompt, int(count), float(temperature), int(seed or 0), betas)
        answer = Answer.new(self.root, slug(prompt), samples)
        self._draw(answer, azimuth, elevation, progress)
        discard(old)
        return self._shown(answer)

    @guarded
    def look(self, height, build, azimuth, elevation, old):
        """The same poses on another body or from another side."""
        for sample in old.samples:
            sample.pose.betas = self.shape.betas(height, build)
        answer = Answer.new(self.root, old.stem, old.samples, selected=old.selected)
        self._draw(answer, azimuth, elevation)
        discard(old)
        return self._shown(answer)

    @guarded
    def select(self, answer, event: gr.SelectData):
        answer.selected = event.index
        return self.panel.show(answer)

    def _draw(self, answer: Answer, azimuth, elevation, progress=None) -> None:
        for i, sample in enumerate(answer.samples):
            if progress:
                progress((i + 1, len(answer.samples) + 1), "Drawing")
            path = answer.folder / f"{answer.name(i)}.png"
            self.renderer.still(sample.pose, PICTURE_SIZE, azimuth, elevation).save(path)
            answer.pictures.append(str(path))

    def _shown(self, answer: Answer) -> dict:
        gallery = gr.update(value=answer.pictures, selected_index=answer.selected)
        return {self.gallery: gallery, self.state: answer, **self.panel.show(answer)}
