"""The tab "Compare": two policies answer the same prompt with the same random numbers, side by side."""

import html
from pathlib import Path

import gradio as gr

from .panel import QUEUE, Answer, discard, guarded, notice
from .policies import ROOT, Policies
from .results import AZIMUTH, ELEVATION, PICTURE_SIZE, slug
from .training import read_metrics
from .words import SEED, TEMPERATURE, example_prompts

MAX_SAMPLES = 4
SIDES = ("A", "B")
FIRST = ("assets/stage1", "assets/policy")  # before and after reinforcement
HINT = (
    "Both answer the same prompt with the same seed. A policy loads in a few seconds when it is first chosen. "
    "One prompt shows what differs, not which is better: for that, see the figures below."
)
#: For this tab and "Fine-tune": pictures in pairs, tables of figures.
CSS = """
.pairs .grid-wrap { height: auto !important; min-height: 0 !important; max-height: none !important; }
.pairs .grid-container { grid-template-rows: none !important; }
.pairs .caption-label { max-width: calc(100% - 12px); font-size: 0.78rem; white-space: normal; }
.figures { overflow-x: auto; }
.figures table { font-size: 0.9rem; border-collapse: collapse; }
.figures td, .figures th { padding: 3px 10px !important; text-align: left; vertical-align: top;
                           border: 1px solid var(--border-color-primary) !important; }
#figures td, #figures th { padding: 3px 6px !important; overflow-wrap: normal !important;
                           word-break: normal !important; }
.figures th[scope=row] { font-weight: 400; width: 30%; }
.figures caption { text-align: left; padding: 4px 0; color: var(--body-text-color-subdued); }
.figures li { margin-left: 1rem; }
@media (max-width: 640px) {
  .pairs .grid-container { grid-template-columns: repeat(2, minmax(0, 1fr)) !important; }
}
@media (max-width: 640px) {
  .figures { max-width: calc(100vw - 64px); }  /* tables scroll instead of widening the page */
  .figures table { font-size: 0.82rem; }
  .figures th, .figures td { padding: 4px 6px !important; }
  #figures th, #figures td { white-space: nowrap; }
  .figures ol { padding-left: 1.1rem; }
}
.figures code { white-space: pre-wrap; overflow-wrap: anywhere; }
"""


class CompareTab:
    """Builds the tab inside `tab`, the current gr.Tab; `root` is the folder for pictures."""

    def __init__(self, policies: Policies, renderer, root: Path, tab):
        self.policies, self.renderer, self.root = policies, renderer, root
        choices = policies.choices()
        with gr.Row(elem_classes="two"):
            with gr.Column(scale=4, min_width=300, elem_classes="ask"):
                self.names = [
                    gr.Dropdown(choices, value=name, label=f"Policy {side}", elem_id=f"policy-{side.lower()}")
                    for side, name in zip(SIDES, FIRST, strict=True)
                ]
                self.refresh = gr.Button("Refresh the list", size="sm", elem_id="refresh-policies")
                self.prompt = gr.Textbox(
                    example_prompts()[0], label="Prompt for both", lines=1, max_lines=5, elem_id="compare-prompt"
                )
                with gr.Group(elem_classes="settings"):
                    self.count = gr.Slider(1, MAX_SAMPLES, 4, step=1, label="Samples of each")
                    self.temperature = gr.Slider(0, 1.5, TEMPERATURE, step=0.05, label="Temperature for both")
                    self.seed = gr.Number(SEED, precision=0, minimum=0, maximum=2**31 - 1, label="Seed for both")
                self.go = gr.Button("Compare", variant="primary", elem_id="compare")
                gr.Markdown(HINT, elem_classes="hint")
            with gr.Column(scale=8, min_width=300, elem_classes="shown"):
                self.notice = notice()
                with gr.Row():
                    self.titles, self.galleries = zip(*[self._side(side) for side in SIDES], strict=True)
                self.held = gr.HTML(elem_id="held", elem_classes="figures")
        self.figures = gr.Markdown(figures(policies, FIRST), elem_id="figures", elem_classes="figures")
        self.state = gr.State(None, time_to_live=3600, delete_callback=discard)
        self._events(tab)

    def _side(self, side: str) -> tuple[gr.Markdown, gr.Gallery]:
        with gr.Column(min_width=260):
            return gr.Markdown(f"### {side}"), gr.Gallery(
                show_label=False, columns=2, object_fit="contain", allow_preview=False, interactive=False, buttons=[],
                elem_id=f"gallery-{side.lower()}", elem_classes="pairs",
            )  # fmt: skip

    def _events(self, tab) -> None:
        ask = [*self.names, self.prompt, self.count, self.temperature, self.seed]
        compare = {"fn": self.compare, "inputs": [*ask, self.state], "show_progress_on": list(self.galleries), **QUEUE}
        compare["outputs"] = [self.notice, *self.titles, *self.galleries, self.held, self.figures, self.state]
        gr.on([self.go.click, self.prompt.submit], api_name="compare", **compare)
        self.refresh.click(self.lists, None, self.names, api_visibility="private")
        # Nothing is computed for a tab that nobody opens; who opens it first sees an example.
        opened = tab.select(self.lists, None, self.names, api_visibility="private")
        opened.then(self.example, api_visibility="private", **{k: v for k, v in compare.items() if k != "fn"})

    def lists(self):
        """The policies that may be chosen now."""
        return [gr.update(choices=self.policies.choices()) for _ in self.names]

    @guarded
    def compare(
        self, name_a, name_b, prompt, count, temperature, seed, old, progress=gr.Progress()  # noqa: B008 (how Gradio finds it)
    ):  # fmt: skip
        """Pictures and figures of what two policies of the list answer to one prompt with one seed."""
        names, samples = (name_a, name_b), []
        for i, name in enumerate(names):
            progress((i, 3), f"{name} answers")
            policy = self.policies.load(name)
            samples.append(policy.text_to_pose(prompt, int(count), float(temperature), int(seed or 0)))
        progress((2, 3), "Drawing")
        answer = Answer.new(self.root, slug(prompt), [*samples[0], *samples[1]])
        shown = []
        for side, mine in zip(SIDES, samples, strict=True):
            stem = f"{answer.stem}-{side}"
            shown.append([(draw(s.pose, self.renderer, answer, f"{stem}{i}"), told(s)) for i, s in enumerate(mine, 1)])
        discard(old)
        titles = (f"### {side}: {name}" for side, name in zip(SIDES, names, strict=True))
        return {
            **dict(zip(self.titles, titles, strict=True)),
            **dict(zip(self.galleries, shown, strict=True)),
            self.held: held_table(names, samples, int(seed or 0)),
            self.figures: figures(self.policies, names),
            self.state: answer,
        }

    def example(self, *inputs):
        return self.compare(*inputs) if inputs[-1] is None else {self.notice: gr.skip()}


def draw(pose, renderer, answer: Answer, stem: str) -> str:
    """Path of a new picture of a pose among an answer's."""
    path = answer.folder / f"{stem}.png"
    renderer.still(pose, PICTURE_SIZE, AZIMUTH, ELEVATION).save(path)
    answer.pictures.append(str(path))
    return str(path)


def told(sample) -> str:
    """The caption of a picture: how many of the statements read in the prompt hold."""
    count = len(sample.statements)
    return f"{sum(s.holds for s in sample.statements)} of {count} held" if count else "nothing was read"


def held_table(names, samples, seed: int) -> str:
    """HTML: how many of each policy's samples show each statement read in the prompt, and their replies."""
    counts = [counts_of(mine) for mine in samples]
    phrases = list(dict.fromkeys([*counts[0], *counts[1]]))
    rows = [(phrase, [c.get(phrase) for c in counts]) for phrase in phrases]
    rows.append(("all", [tuple(map(sum, zip(*c.values(), strict=True))) if c else None for c in counts]))
    body = "".join(
        f"<tr><th scope=row>{html.escape(phrase)}</th>"
        + "".join(f"<td>{'not read' if c is None else f'{c[0]} of {c[1]}'}</td>" for c in cells) + "</tr>"
        for phrase, cells in rows
    )  # fmt: skip
    head = "".join(f"<th scope=col>{side}: {html.escape(n)}</th>" for side, n in zip(SIDES, names, strict=True))
    said = [[html.escape(sample.text.removeprefix("<POSE> ")) for sample in mine] for mine in samples]
    replies = "".join(f"<td><ol>{''.join(f'<li>{text}</li>' for text in mine)}</ol></td>" for mine in said)
    return (
        f"<table><caption>Samples that show what was read in the prompt (seed {seed})</caption>"
        f"<thead><tr><td></td>{head}</tr></thead><tbody>{body}"
        f"<tr><th scope=row>replies</th>{replies}</tr></tbody></table>"
    )


def counts_of(samples) -> dict[str, tuple[int, int]]:
    """phrase -> (samples that show it, samples); all samples of a prompt were read alike."""
    return {s.phrase: (sum(x.statements[i].holds for x in samples), len(samples))
            for i, s in enumerate(samples[0].statements)}  # fmt: skip


# ---- figures that were measured before


def figures(policies: Policies, names) -> str:
    """Markdown: what evaluations say of the policies chosen, and of the shipped ones."""
    parts = ["### Figures", shipped_figures()]
    for name in dict.fromkeys(names):
        folder = policies.folder(name)
        if folder.parent.parent == policies.runs:
            parts.append(run_figures(name, folder.parent))
    if len(set(names)) < 2:
        return "\n\n".join(filter(None, parts))
    command = f"python -m finetune evaluate --policy {','.join(names)} --report runs/comparison.json"
    parts.append(f"A full comparison of these two, in a terminal (about half an hour): `{command}`")
    return "\n\n".join(filter(None, parts))


def shipped_figures() -> str:
    """The rows of docs/ABLATIONS.md on the shipped policies: before and after reinforcement."""
    path = ROOT / "docs" / "ABLATIONS.md"
    section = path.read_text(encoding="utf-8").partition("## Three seeds")[2] if path.is_file() else ""
    table = [line for line in section.partition("\n\n| everyday")[0].splitlines() if line.startswith("|")]
    rows = [line for line in table[2:] if line.startswith(("| stage 1 ", "| shipped "))]
    if len(rows) != 2:
        return ""
    rows = [rows[0].replace("stage 1", "assets/stage1"), rows[1].replace("shipped", "assets/policy")]
    note = (
        "500 prompts at temperature 1: per cent of statements held (by the head alone, and guided, as here), "
        "mm by which samples differ, recall by a judge, distance to training poses, replies well formed and true, and "
        "their clauses that say something true and new. "
        "In brackets the 95 % interval of the difference (docs/ABLATIONS.md)."
    )
    return "\n".join([note, "", *table[:2], *rows])


def run_figures(name: str, folder: Path) -> str:
    """A run's report.md if it was evaluated into its folder, else the evaluations of its training."""
    if (folder / "report.md").is_file():
        return f"**{name}** (report.md)\n\n" + (folder / "report.md").read_text(encoding="utf-8")
    rows = {row["step"]: row for row in read_metrics(folder) if "eval/held" in row}
    if not rows:
        return ""
    lines = [f"| {s} | {100 * r['eval/held']:.1f} | {r['eval/diversity_mm']:.0f} |" for s, r in rows.items()]
    head = ["| step | statements held, % | samples differ, mm |", "|---|---|---|"]
    return "\n".join([f"**{name}** while it was trained, on 500 prompts that it never practised:", "", *head, *lines])
