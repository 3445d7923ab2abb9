"""The page's parts that need no browser: body shape, answers' files, error sentences, staged folders."""

import json
import re
import subprocess
import sys
import zipfile
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import parse_qsl, urlsplit

import numpy as np
import pytest
from PIL import Image

from posegen.body import embedded_body
from posegen.photo import load_photo
from posegen.policy import PoseSample, PromptError, Understood
from posegen.pose import Pose
from posegen.render import Renderer
from posegen.ui import link, results, why
from posegen.ui.panel import SINGLE, Answer, AnswerError, discard, guarded
from posegen.ui.photo import EXAMPLES
from posegen.ui.shape import BodyShape, _size
from posegen.ui.words import example_prompts


@pytest.fixture(scope="module")
def body():
    return embedded_body()


def sample(turn=0.0, statements=()):
    axis_angle = np.zeros((24, 3), np.float32)
    axis_angle[16, 2] = turn
    return PoseSample(Pose.from_axis_angle(axis_angle), "<POSE> a pose", -1.5, list(statements))


def test_importing_the_package_loads_nothing_heavy():
    code = "import sys, posegen.ui, posegen.ui.results, posegen.__main__; print({'gradio', 'torch'} & {*sys.modules})"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "set()"


@pytest.mark.parametrize("height", [155, 170, 185])
def test_height_and_build_do_what_they_say(body, height):
    shape = BodyShape(body)
    slim, average, heavy = (_size(body.rest(shape.betas(height, build))[0], body.faces) for build in (-3, 0, 3))
    assert all(abs(100 * size[0] - height) < 0.5 for size in (slim, average, heavy))
    assert slim[1] < 0.85 * average[1] and heavy[1] > 1.15 * average[1]


def test_average_shape_is_zero_betas(body):
    shape = BodyShape(body)
    assert not shape.betas().any() and not shape.betas(shape.heights[1], 0).any()


def test_answer_writes_files_once_asked_and_removes_them(body, tmp_path):
    renderer = Renderer(body)
    answer = Answer.new(tmp_path, "squat", [sample(), sample(0.5)])
    for i in (1, 2):
        Image.new("RGB", (8, 8)).save(answer.folder / f"squat-{i}.png")
        answer.pictures.append(str(answer.folder / f"squat-{i}.png"))
    assert sorted(f.name for f in answer.folder.iterdir()) == ["squat-1.png", "squat-2.png"]
    assert Pose.load(answer.file(1, "npz", renderer)).axis_angle[16, 2] == pytest.approx(0.5, abs=1e-5)
    assert answer.file(1, "png", renderer) == answer.pictures[1]
    written = Path(answer.file(0, "glb", renderer)).stat().st_mtime_ns
    with zipfile.ZipFile(answer.archive("glb", renderer)) as archive:
        assert sorted(archive.namelist()) == ["squat-1.glb", "squat-2.glb"]
    assert Path(answer.file(0, "glb", renderer)).stat().st_mtime_ns == written
    for path, poses in ((answer.file(0, "zip", renderer), 1), (answer.archive("zip", renderer), 2)):
        with zipfile.ZipFile(path) as archive:
            assert sorted(archive.namelist()) == [f"squat-{i + 1}.{s}" for i in range(poses) for s in sorted(SINGLE)]
    discard(answer)
    assert not answer.folder.exists()
    with pytest.raises(AnswerError, match="make the poses again"):
        answer.file(0, "bvh", renderer)


def test_files_are_of_the_pictures_camera(body, tmp_path):
    renderer, posed = Renderer(body), sample(0.5)
    for view in ((25, 8), (-90, 40)):
        answer = Answer.new(tmp_path, "a", [posed], view=view)
        alpha = np.asarray(Image.open(answer.file(0, "cutout.png", renderer)))[..., 3]
        expected = renderer.still(posed.pose, results.PICTURE_SIZE, *view, transparent=True)
        assert (alpha == np.asarray(expected)[..., 3]).mean() > 0.9999


def test_the_first_answer_outlives_its_visitors(tmp_path):
    answer = Answer.new(tmp_path, "first", [sample()], shared=True)
    discard(answer)
    discard(None)
    assert answer.folder.exists()


def test_statements_are_ticked_and_escaped():
    said = [Understood("arms <up>", 0.9, True), Understood("knees bent", 0.8, False)]
    shown = re.sub("<span.*?>|</span>", "", why.why_html(sample(statements=said)))
    assert "✓shown: arms &lt;up&gt;" in shown and "✗not shown: knees bent" in shown and 'class="no"' in shown
    assert "free guess" in why.why_html(sample()) and "<table>" not in why.why_html(sample())


def test_why_names_rewards_and_what_is_most_and_least_open():
    judged = sample()
    judged.rewards = {"semantic": 0.75, "my_own": 0.5}
    judged.spread = np.full(24, 10.0)
    judged.spread[[16, 5, 18, 19, 9]] = 31.4, 25, 2, 1, 1.5  # shoulder, knee, elbows, upper back
    shown = why.why_html(judged)
    assert ">Fits the words as a whole<" in shown and ">0.75<" in shown and ">my_own<" in shown
    assert "Most: shoulders ±31°, knees ±25°," in shown and "Least: upper back ±2°, elbows ±2°," in shown


def test_colours_follow_the_spread_and_hands_follow_wrists():
    spread = np.zeros(24)
    spread[20], spread[1] = 90, 15
    colors = why.spread_colors(spread)
    assert colors[20] == pytest.approx(why.SCALE[-1]) and colors[1] == pytest.approx(why.SCALE[1])
    assert np.array_equal(colors[22], colors[20]) and colors[23] == pytest.approx(why.SCALE[0])
    grey = np.array(why.SCALE) @ (0.2126, 0.7152, 0.0722)
    assert (np.diff(grey) < -0.1).all()  # to be told apart without colour


SLIDERS = {
    "samples": SimpleNamespace(minimum=1, maximum=8, step=1),
    "temperature": SimpleNamespace(minimum=0, maximum=1.5, step=0.05),
    "seed": SimpleNamespace(minimum=0, maximum=2**31 - 1, precision=0),
}


def test_a_link_brings_back_what_was_asked():
    asked = {"prompt": "arms up & 50% <bent> ☃", "samples": 3, "temperature": 0.35, "seed": 123456789}
    address = link.write("https://host/path/?old=1#top", asked)
    assert address.startswith("https://host/path/?prompt=") and "old" not in address
    query = dict(parse_qsl(urlsplit(address).query))
    assert link.read(query | {"__theme": "dark"}, SLIDERS) == asked
    assert link.read({}, SLIDERS) == {}


@pytest.mark.parametrize(
    ("name", "text"), [("samples", "9"), ("samples", "2.5"), ("samples", "<b>"), ("temperature", "nan"), ("seed", "-1")]
)
def test_a_link_out_of_bounds_is_refused(name, text):
    with pytest.raises(link.LinkError, match=f"The link's {name} must be .* but it is '{text}'"):
        link.read({"prompt": "x", name: text}, SLIDERS)


def test_guarded_says_the_projects_sentence_and_hides_faults(capsys):
    class Tab:
        notice = "notice"

        @guarded
        def handle(self, error):
            if error:
                raise error
            return {"answer": 1}

    def shown(error):
        update = Tab().handle(error)
        return update["notice"]["visible"], update["notice"]["value"], update.get("answer")

    assert shown(PromptError("Write <more>."))[1:] == ('<p role="alert">Write &lt;more&gt;.</p>', None)
    assert "secret" not in shown(KeyError("secret"))[1]
    assert "secret" in capsys.readouterr().err
    assert shown(None)[0] is False and shown(None)[2] == 1


def test_staged_moves_all_or_nothing(tmp_path):
    out = tmp_path / "a" / "out"
    with pytest.raises(RuntimeError), results.staged(out) as folder:
        (folder / "half").write_text("x")
        raise RuntimeError
    assert not out.exists() and not list(out.parent.iterdir())
    for text in ("first", "second"):
        with results.staged(out) as folder:
            (folder / "file").write_text(text)
    assert (out / "file").read_text() == "second" and [p.name for p in out.parent.iterdir()] == ["out"]


def test_write_sample_writes_what_it_lists(body, tmp_path):
    entry = results.write_sample(sample(statements=[Understood("x", 0.91234, True)]), Renderer(body), tmp_path, "000")
    assert sorted(entry["files"].values()) == ["000.glb", "000.npz", "000.png"]
    assert all((tmp_path / name).stat().st_size > 500 for name in entry["files"].values())
    assert json.loads(json.dumps(entry))["statements"] == [{"phrase": "x", "probability": 0.9123, "holds": True}]


def test_examples_are_there_and_readable():
    prompts = example_prompts()
    assert len(prompts) >= 6 and all(0 < len(p) <= 60 for p in prompts)  # longer ones are cut on the page
    assert len(EXAMPLES) == 2 and all(min(load_photo(path).size) >= 600 for path in EXAMPLES)


@pytest.mark.parametrize(("prompt", "name"), [("A deep squat!", "a-deep-squat"), ("???", "pose"), ("x " * 40, "x-x-x")])
def test_slug(prompt, name):
    assert results.slug(prompt).startswith(name) and len(results.slug(prompt)) <= 40
