"""The page's parts that need no browser: body shape, answers' files, error sentences, staged folders."""

import json
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from posegen.body import embedded_body
from posegen.photo import load_photo
from posegen.policy import PoseSample, PromptError, Understood
from posegen.pose import Pose
from posegen.render import Renderer
from posegen.ui import results
from posegen.ui.panel import Answer, discard, guarded, statements_html
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
    answer = Answer.new(tmp_path, "squat", [sample(), sample(0.5)])
    picture = answer.folder / "squat-1.png"
    Image.new("RGB", (8, 8)).save(picture)
    answer.pictures.append(str(picture))
    assert [f.name for f in answer.folder.iterdir()] == ["squat-1.png"]
    assert Pose.load(answer.file(1, "npz", body)).axis_angle[16, 2] == pytest.approx(0.5, abs=1e-5)
    assert Path(answer.file(0, "glb", body)).read_bytes()[:4] == b"glTF"
    with zipfile.ZipFile(answer.archive(body)) as archive:
        assert sorted(archive.namelist()) == ["squat-1.npz", "squat-1.png", "squat-2.npz"]
    discard(answer)
    assert not answer.folder.exists()


def test_the_first_answer_outlives_its_visitors(tmp_path):
    answer = Answer.new(tmp_path, "first", [sample()], shared=True)
    discard(answer)
    discard(None)
    assert answer.folder.exists()


def test_statements_are_ticked_and_escaped():
    said = [Understood("arms <up>", 0.9, True), Understood("knees bent", 0.8, False)]
    shown = statements_html(sample(statements=said))
    assert "✓ arms &lt;up&gt;" in shown and "✗ knees bent" in shown and 'class="no"' in shown
    assert "free guess" in statements_html(sample())


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
