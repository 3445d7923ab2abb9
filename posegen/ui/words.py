"""The tab "Words": a prompt in, the best of several sampled poses out, with the reasons why."""

import random
from pathlib import Path

import gradio as gr
from gradio.context import Context

from ..render import save_animation
from . import link
from .panel import QUEUE, Answer, Panel, discard, guarded, notice
from .results import AZIMUTH, ELEVATION, PICTURE_SIZE, slug
from .shape import BodyShape
from .why import legend_html, spread_colors

EXAMPLES = Path(__file__).resolve().parents[2] / "assets" / "examples" / "prompts.txt"
MAX_SAMPLES, MAX_DRAWN = 8, 16
SAMPLES, TEMPERATURE, SEED = 4, 0.7, 0  # what the page starts with


def example_prompts() -> list[str]:
    return EXAMPLES.read_text(encoding="utf-8").split("\n")[:-1]


class WordsTab:
    """Builds the tab inside the current gr.Blocks; `root` is the folder for answers' files.

    Args:
        judge: rewards that rank and explain the poses (PosePolicy.text_to_pose); without one, only statements count.
    """

    def __init__(self, policy, renderer, root: Path, judge=None):
        self.policy, self.renderer, self.root, self.judge = policy, renderer, root, judge
        self.shape = BodyShape(policy.body)
        prompt = example_prompts()[0]
        first = self._first_answer(prompt)
        self.first_asked = first.asked
        with gr.Row(elem_classes="two"):
            with gr.Column(scale=4, min_width=300, elem_classes="ask"):
                self._inputs(prompt)
            with gr.Column(scale=8, min_width=300, elem_classes="shown"):
                self.notice = notice()
                self.gallery = gr.Gallery(
                    captioned(first), selected_index=0, label="Poses, best first", show_label=False, columns=4,
                    object_fit="contain", allow_preview=False, elem_classes="poses", interactive=False, buttons=[],
                )  # fmt: skip
                with gr.Row(elem_classes="tools"):
                    self.open = gr.Checkbox(label="Colour what the words leave open", elem_id="open", min_width=240)
                    self.turn = gr.Button("Turntable", size="sm", elem_id="turn", scale=0, min_width=130)
                self.legend = gr.HTML(elem_classes="understood", padding=False)
                self.turning = gr.Image(
                    label="Turntable (GIF)", alt_text="The selected pose, turning once around", visible=False,
                    interactive=False, height=340, buttons=["download"], elem_id="turning",
                )  # fmt: skip
                self.panel = Panel(policy.body, first, AZIMUTH)
                self._reproduce(first)
        self.state = gr.State(first, time_to_live=3600, delete_callback=discard)
        self.panel.listen(self.state, self.notice)
        self._events()

    def _inputs(self, first: str) -> None:
        self.prompt = gr.Textbox(
            label="Describe a pose", value=first, lines=1, max_lines=5, elem_id="prompt",
            placeholder="a deep squat with both arms stretched forward",
        )  # fmt: skip
        with gr.Row(elem_classes="buttons"):
            self.go = gr.Button("Generate", variant="primary", elem_id="generate", scale=3, min_width=120)
            self.harder = gr.Button("Try harder", elem_id="harder", scale=2, min_width=100)
            self.dice = gr.Button("New seed", elem_id="dice", scale=2, min_width=100)
        with gr.Column(elem_classes="examples"):
            prompts = [[prompt] for prompt in example_prompts()]
            self.examples = gr.Examples(prompts, [self.prompt], label="Examples", api_name="example")
        with gr.Group(elem_classes="settings"):
            self.count = gr.Slider(1, MAX_SAMPLES, SAMPLES, step=1, label="Samples", info="poses to show")
            self.best_of = gr.Slider(
                1, MAX_DRAWN, SAMPLES, step=1, label="Best of", info="poses to draw; the best are shown",
                elem_id="best_of",
            )  # fmt: skip
            self.temperature = gr.Slider(0, 1.5, TEMPERATURE, step=0.05, label="Temperature", info="0: likeliest pose")
            self.seed = gr.Number(SEED, precision=0, minimum=0, maximum=2**31 - 1, label="Seed")
        with gr.Accordion("Body and camera", open=False, elem_classes="settings"):
            low, average, high = self.shape.heights
            self.height = gr.Slider(low, high, average, step=1, label="Height (cm)")
            self.build = gr.Slider(-3, 3, 0, step=0.25, label="Build, from slim to heavy")
            self.azimuth = gr.Slider(-180, 180, AZIMUTH, step=5, label="Camera around (degrees)")
            self.elevation = gr.Slider(-10, 80, ELEVATION, step=2, label="Camera above (degrees)")
        self.drawing = {
            "samples": self.count, "best_of": self.best_of, "temperature": self.temperature, "seed": self.seed,
        }  # fmt: skip
        self.looks = {
            "height": self.height, "build": self.build, "azimuth": self.azimuth, "elevation": self.elevation,
        }  # fmt: skip

    def _reproduce(self, first: Answer) -> None:
        """Seed and link of what is shown, to be copied; the link is whole once the page knows its own address."""
        with gr.Row(elem_classes="again"):
            self.shown_seed = gr.Textbox(
                str(first.asked["seed"]), label="Seed shown", interactive=False, buttons=["copy"], max_lines=1,
                scale=1, min_width=150, elem_id="shown_seed",
            )  # fmt: skip
            self.link = gr.Textbox(
                link.write("", first.asked), label="Link that gives these poses again", interactive=False,
                buttons=["copy"], max_lines=1, scale=4, min_width=200, elem_id="link",
            )  # fmt: skip

    def _first_answer(self, prompt: str) -> Answer:
        """A real answer for the first paint: the visitor sees no empty canvas, and everything is warm."""
        asked = {"prompt": prompt, "samples": SAMPLES, "best_of": SAMPLES, "temperature": TEMPERATURE, "seed": SEED}
        answer = self._ask(asked, self.shape.betas())
        answer.shared = True
        self._draw(answer)
        return answer

    def _events(self) -> None:
        ask, look = [self.prompt, *self.drawing.values()], [*self.looks.values(), self.open]
        seen = [self.notice, self.turning, *self.panel.components]
        shown = [*seen, self.gallery, self.legend, self.state, self.shown_seed, self.link]
        generate = {"fn": self.generate, "inputs": [*ask, *look, self.state], "outputs": shown}
        generate |= {"show_progress_on": self.gallery, **QUEUE}
        gr.on([self.go.click, self.prompt.submit], api_name="text_to_pose", **generate)
        self.examples.load_input_event.then(api_name=False, **generate)
        dice = self.dice.click(lambda: random.randrange(10**6), None, self.seed, api_name="new_seed")
        dice.then(api_name=False, **generate)
        harder = self.harder.click(lambda: MAX_DRAWN, None, self.best_of, api_name="try_harder")
        harder.then(api_name=False, **generate)
        select = {"inputs": [self.state], "outputs": seen, "show_progress_on": self.panel.model}
        self.gallery.select(self.select, api_name="select", **select, **QUEUE)
        again = {"inputs": [*look, self.state], "outputs": shown, "show_progress_on": self.gallery}
        changes = [*(slider.release for slider in self.looks.values()), self.open.input]
        gr.on(changes, self.look, api_name="look", **again, **QUEUE)
        spin = {"inputs": [self.open, self.state], "outputs": [self.notice, self.turning]}
        self.turn.click(self.spin, api_name="turntable", show_progress_on=self.turn, **spin, **QUEUE)
        # A link: what it asks goes into the inputs; `arrived` changes only where there is one, and the poses are made.
        self.arrived = gr.Textbox(label="Link opened", visible="hidden")
        Context.root_block.load(
            self.arrive, None, [self.notice, self.link, self.arrived, *ask, *self.looks.values()], queue=False,
            api_name="open_link", show_progress="hidden",
        )  # fmt: skip
        self.arrived.change(api_name=False, **generate)

    @guarded
    def generate(
        self,
        prompt,
        samples,
        best_of,
        temperature,
        seed,
        height,
        build,
        azimuth,
        elevation,
        coloured,
        old,
        request: gr.Request,
        progress=gr.Progress(),  # noqa: B008 (how Gradio finds it)
    ):
        progress(0, "Reading the words")
        asked = {"prompt": prompt, "samples": int(samples), "best_of": max(int(best_of), int(samples))}
        asked |= {"temperature": float(temperature), "seed": int(seed or 0)}
        answer = self._ask(asked, self.shape.betas(height, build))
        answer.view = (azimuth, elevation)
        self._draw(answer, coloured, progress)
        discard(old)
        return self._shown(answer, [height, build, azimuth, elevation], coloured, request)

    @guarded
    def look(self, height, build, azimuth, elevation, coloured, old, request: gr.Request):
        """The same poses on another body, from another side or in other colours."""
        for sample in old.samples:
            sample.pose.betas = self.shape.betas(height, build)
        answer = Answer.new(
            self.root, old.stem, old.samples, selected=old.selected, asked=old.asked, view=(azimuth, elevation)
        )
        self._draw(answer, coloured)
        discard(old)
        return self._shown(answer, [height, build, azimuth, elevation], coloured, request)

    @guarded
    def select(self, answer, event: gr.SelectData):
        answer.selected = event.index
        return {self.turning: gr.update(visible=False), **self.panel.show(answer)}

    @guarded
    def spin(self, coloured, answer):
        """One turn of the selected pose as a GIF."""
        sample = answer.samples[answer.selected]
        frames = self.renderer.turntable(sample.pose, size=320, joint_colors=colors_of(sample, coloured))
        path = answer.folder / f"{answer.name(answer.selected)}-turntable.gif"
        save_animation(frames, path)
        return {self.turning: gr.update(value=str(path), visible=True)}

    @guarded
    def arrive(self, request: gr.Request):
        """What a visitor's address asks for; an address without a prompt asks for nothing."""
        asked = link.read(request.query_params, self.drawing | self.looks)
        if "prompt" not in asked:
            return {self.link: link.write(address(request), self.first_asked)}
        inputs = {"prompt": self.prompt} | self.drawing | self.looks
        return {inputs[name]: value for name, value in asked.items()} | {self.arrived: str(asked)}

    def _ask(self, asked: dict, betas) -> Answer:
        samples = self.policy.text_to_pose(
            asked["prompt"], asked["samples"], asked["temperature"], asked["seed"], betas, best_of=asked["best_of"],
            judge=self.judge,
        )  # fmt: skip
        return Answer.new(self.root, slug(asked["prompt"]), samples, asked=asked)

    def _draw(self, answer: Answer, coloured=False, progress=None) -> None:
        for i, sample in enumerate(answer.samples):
            if progress:
                progress((i + 1, len(answer.samples) + 1), "Drawing")
            path = answer.folder / f"{answer.name(i)}.png"
            colors = colors_of(sample, coloured)
            self.renderer.still(sample.pose, PICTURE_SIZE, *answer.view, joint_colors=colors).save(path)
            answer.pictures.append(str(path))

    def _shown(self, answer: Answer, looks: list, coloured: bool, request: gr.Request) -> dict:
        changed = {
            name: value
            for (name, slider), value in zip(self.looks.items(), looks, strict=True)
            if value != slider.value
        }
        return {
            self.gallery: gr.update(value=captioned(answer), selected_index=answer.selected),
            self.legend: legend_html() if coloured else "",
            self.turning: gr.update(visible=False),
            self.state: answer,
            self.shown_seed: str(answer.asked["seed"]),
            self.link: link.write(address(request), answer.asked | changed),
            **self.panel.show(answer),
        }


def captioned(answer: Answer) -> list[tuple[str, str]]:
    """Pictures with what ranked them: statements shown and the mean reward; a screen reader says it too."""
    return [(path, caption(sample)) for path, sample in zip(answer.pictures, answer.samples, strict=True)]


def caption(sample) -> str:
    held = f"{sum(s.holds for s in sample.statements)}/{len(sample.statements)} shown" if sample.statements else ""
    mean = f"{sum(sample.rewards.values()) / len(sample.rewards):.2f}" if sample.rewards else ""
    return " · ".join(filter(None, (held, mean))) or "free guess"


def colors_of(sample, coloured: bool):
    return spread_colors(sample.spread) if coloured else None


def address(request: gr.Request) -> str:
    """The page's own address as its visitor knows it, also behind a proxy; "" for scripts."""
    referer = request.headers.get("referer", "")
    return referer if referer.startswith(("http://", "https://")) else ""
