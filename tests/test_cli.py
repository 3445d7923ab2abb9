"""The command line: what it writes, and one sentence for what it cannot do."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import trimesh
from PIL import Image

from posegen import __main__ as cli
from posegen.export import FORMATS
from posegen.pose import Pose

ROOT = Path(__file__).resolve().parent.parent
PHOTO = ROOT / "assets" / "examples" / "three_people.jpg"


@pytest.fixture
def run(policy, monkeypatch, capsys):
    """Run a command in this process on the session's policy; gives exit code, stdout, stderr."""
    monkeypatch.setattr(cli, "load_policy", lambda args: policy)

    def call(*args):
        try:
            code = cli.main([str(a) for a in args])
        except SystemExit as end:
            code = end.code
        return code, *capsys.readouterr()

    return call


@pytest.fixture
def pose_file(tmp_path):
    Pose.from_axis_angle(np.zeros((24, 3))).save(tmp_path / "pose.npz")
    return tmp_path / "pose.npz"


def check_files(folder: Path, entry: dict) -> Pose:
    assert Image.open(folder / entry["files"]["picture"]).size == (448, 448)
    assert len(trimesh.load(folder / entry["files"]["model"]).geometry) == 1
    assert entry["text"].startswith("<POSE>") and np.isfinite(entry["log_prob"])
    return Pose.load(folder / entry["files"]["pose"])


def test_text_writes_every_sample(run, tmp_path):
    code, out, err = run("text", "both arms raised overhead", "--samples", 2, "--seed", 3, "--out", tmp_path / "o")
    assert code == 0 and str(tmp_path / "o") in out
    result = json.loads((tmp_path / "o" / "result.json").read_text())
    assert (result["prompt"], result["seed"], len(result["samples"])) == ("both arms raised overhead", 3, 2)
    poses = [check_files(tmp_path / "o", entry).axis_angle for entry in result["samples"]]
    assert np.abs(poses[0] - poses[1]).max() > 0.01
    assert len(list((tmp_path / "o").iterdir())) == 7


def test_same_seed_same_result(run, tmp_path):
    for name in "ab":
        assert run("text", "a person sits", "--seed", 5, "--out", tmp_path / name)[0] == 0
    assert (tmp_path / "a" / "result.json").read_text() == (tmp_path / "b" / "result.json").read_text()


def test_image_writes_every_person_and_an_overlay(run, tmp_path):
    code, out, _ = run("image", PHOTO, "--out", tmp_path / "o", "--samples", 2, "--temperature", 1)
    assert code == 0 and out.startswith("3 people")
    result = json.loads((tmp_path / "o" / "result.json").read_text())
    assert len(result["people"]) == 3
    for person in result["people"]:
        x0, y0, x1, y1 = person["box"]
        assert 0 <= x0 < x1 <= result["size"][0] and 0 <= y0 < y1 <= result["size"][1]
        for entry in person["samples"]:
            check_files(tmp_path / "o", entry)
            assert entry["camera"]["focal"] > 0
    assert Image.open(tmp_path / "o" / "overlay.png").size == tuple(result["size"])
    assert (tmp_path / "o" / "005.npz").exists()


def test_describe_says_something(run, pose_file):
    code, out, _ = run("describe", pose_file)
    assert code == 0 and len(out.split()) >= 3


def test_render_draws_picture_and_turntable(run, pose_file, tmp_path):
    code, *_ = run("render", pose_file, "--out", tmp_path / "x.png", "--turntable", tmp_path / "x.gif", "--size", 128)
    assert code == 0
    assert Image.open(tmp_path / "x.png").size == (128, 128) and Image.open(tmp_path / "x.gif").n_frames > 10


def test_export_writes_every_format_beside_the_pose_file_or_elsewhere(run, pose_file, tmp_path):
    assert tuple(FORMATS) == cli.FORMATS
    others = [name for name in cli.FORMATS if name != "npz"]
    assert run("export", pose_file, "--formats", ", ".join(others)) == (0, "", "")
    written = {path.name: path.stat().st_size for path in tmp_path.iterdir()}
    assert sorted(written) == sorted(f"pose.{name}" for name in cli.FORMATS) and min(written.values()) > 500
    code, _, err = run("export", pose_file, "--formats", "bvh,npz")
    assert code == 2 and "replace pose.npz itself" in err
    assert run("export", pose_file, "--formats", "bvh", "--out", tmp_path / "o")[0] == 0
    assert (tmp_path / "o" / "pose.bvh").read_text() == (tmp_path / "pose.bvh").read_text()


def test_more_formats_of_words_and_photos(run, tmp_path):
    assert run("text", "arms up", "--out", tmp_path / "w", "--formats", "bvh,openpose.json")[0] == 0
    entry = json.loads((tmp_path / "w" / "result.json").read_text())["samples"][0]
    check_files(tmp_path / "w", entry)
    assert (entry["files"]["bvh"], entry["files"]["openpose.json"]) == ("000.bvh", "000.openpose.json")
    assert (tmp_path / "w" / "000.bvh").read_text().startswith("HIERARCHY")
    assert run("image", PHOTO, "--out", tmp_path / "p", "--formats", "openpose.json")[0] == 0
    people = json.loads((tmp_path / "p" / "result.json").read_text())["people"]
    for person in people:
        document = json.loads((tmp_path / "p" / person["samples"][0]["files"]["openpose.json"]).read_text())
        assert (document["canvas_width"], document["canvas_height"]) == Image.open(PHOTO).size
        x, y, seen = np.reshape(document["people"][0]["pose_keypoints_2d"], (18, 3)).T
        x0, y0, x1, y1 = person["box"]
        assert (seen[0] and x0 < x[0] < x1) and y0 < y[0] < y1  # the nose is within the person's box


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["text", "  "], "few words"),
        (["text", "arm " * 5000], "5000 words"),
        (["text", "человек сидит на стуле"], "English"),
        (["text", "arms up", "--samples", "0"], "between 1 and"),
        (["text", "arms up", "--samples", "many"], "invalid"),
        (["text", "arms up", "--temperature", "-1"], "between 0 and"),
        (["image", "nowhere.jpg"], "nowhere.jpg"),
        (["image", ROOT / "README.md"], "README.md"),
        (["describe", "nowhere.npz"], "nowhere.npz"),
        (["render", PHOTO], "three_people.jpg"),
        (["export", "nowhere.npz", "--formats", "bvh"], "nowhere.npz"),
        (["export", PHOTO, "--formats", "bvh"], "three_people.jpg"),
        (["export", "x.npz", "--formats", "bvh,doc"], "doc is none of glb, bvh"),
        (["paint"], "invalid choice"),
    ],
)
def test_bad_input_is_one_sentence_and_leaves_nothing(run, tmp_path, args, words):
    if args[0] in ("text", "image", "render", "export"):
        args = [*args, "--out", tmp_path / "o"]
    code, out, err = run(*args)
    assert code == 2 and not out
    assert words in err and len(err.strip().splitlines()) == 1
    assert not list(tmp_path.iterdir())


def test_photo_without_people(run, tmp_path):
    Image.new("RGB", (300, 300), "green").save(tmp_path / "wall.png")
    code, _, err = run("image", tmp_path / "wall.png", "--out", tmp_path / "o")
    assert code == 2 and "erson" in err and [p.name for p in tmp_path.iterdir()] == ["wall.png"]


def test_out_that_is_a_file(run, tmp_path, pose_file):
    code, _, err = run("text", "arms up", "--out", pose_file)
    assert code == 2 and "pose.npz" in err and len(err.strip().splitlines()) == 1
    assert Pose.load(pose_file) and len(list(tmp_path.iterdir())) == 1


@pytest.mark.slow
@pytest.mark.parametrize(
    ("options", "words"), [(["--policy", "no/such/folder"], "policy folder"), (["--body", "none.npz"], "none.npz")]
)
def test_as_a_program_with_a_wrong_policy_or_body(tmp_path, options, words):
    command = [sys.executable, "-m", "posegen", "text", "arms up", "--out", tmp_path / "o", *options]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 2 and words in done.stderr and "Traceback" not in done.stderr
    assert not (tmp_path / "o").exists()


@pytest.mark.slow
def test_as_a_program(tmp_path):
    command = [sys.executable, "-m", "posegen", "text", "arms up", "--out", tmp_path / "o"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    check_files(tmp_path / "o", json.loads((tmp_path / "o" / "result.json").read_text())["samples"][0])
