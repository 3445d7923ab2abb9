"""The app's API, as scripts use it, and what it must not give away."""

import json
import re
import shutil
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import numpy as np
import pytest
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError
from PIL import Image

from posegen.pose import Pose
from posegen.ui.photo import EXAMPLES
from posegen.ui.results import PICTURE_SIZE

pytestmark = pytest.mark.slow
ROOT = Path(__file__).resolve().parents[2]
ENDPOINTS = ["/text_to_pose", "/image_to_pose", "/edit", "/describe"]


@pytest.fixture(scope="module")
def client(server):
    return Client(server, verbose=False)


def test_words_become_poses(client):
    answer, picture = client.predict("a person kneels, arms crossed", samples=2, seed=3, api_name="/text_to_pose")
    first, second = answer["samples"]
    assert first["text"].startswith("<POSE>") and any("kneel" in s["phrase"] for s in first["statements"])
    assert np.shape(first["pose"]) == (24, 3) and first["pose"] != second["pose"]
    assert Pose.load(first["files"]["pose"]).axis_angle == pytest.approx(np.array(first["pose"]), abs=1e-4)
    assert Path(first["files"]["model"]).read_bytes()[:4] == b"glTF"
    assert Image.open(picture).size == (PICTURE_SIZE, PICTURE_SIZE)
    again, _ = client.predict("a person kneels, arms crossed", samples=2, seed=3, api_name="/text_to_pose")
    assert again["samples"][1]["pose"] == second["pose"]


def test_a_photo_becomes_people(client):
    answer, overlay = client.predict(handle_file(EXAMPLES[0]), api_name="/image_to_pose")
    assert len(answer["people"]) == 3 and answer["size"] == list(Image.open(EXAMPLES[0]).size)
    for person in answer["people"]:
        x0, y0, x1, y1 = person["box"]
        assert 0 <= x0 < x1 <= answer["size"][0] and 0 <= y0 < y1 <= answer["size"][1]
    assert Image.open(overlay).size == Image.open(EXAMPLES[0]).size


def test_a_pose_is_told_in_words(client):
    kneeling, _ = client.predict("kneeling", temperature=0, api_name="/text_to_pose")
    assert "kneeling" in client.predict(kneeling["samples"][0]["pose"], api_name="/describe")


def test_a_pose_is_edited(client):
    standing = [[0.0, 0.0, 0.0]] * 24
    answer, _ = client.predict(standing, "bend the left knee", api_name="/edit")
    assert np.linalg.norm(answer["pose"][4]) > 0.5 and np.linalg.norm(answer["pose"][5]) < 0.2  # left knee, right knee
    assert Pose.load(answer["files"]["pose"]).axis_angle == pytest.approx(np.array(answer["pose"]), abs=1e-4)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (dict(prompt="arm " * 5000), "5000 words"),
        (dict(prompt="arms up", samples=99), "samples must be a whole number from 1 to 8"),
        (dict(prompt="arms up", samples=1.5), "samples must be a whole number from 1 to 8"),
        (dict(prompt="arms up", temperature="hot"), "temperature must be a number from 0 to 1.5"),
        (dict(prompt="arms up", seed=-1), "seed must be a whole number from 0"),
        (dict(pose=[[1], [2, 3]]), "24 lists of 3 numbers"),
        (dict(pose=[[0.0, 0.0]]), "24 x 3 axis-angle numbers"),
        (dict(instruction="asdf qwerty", pose=[[0.0, 0.0, 0.0]] * 24), "raise the left arm"),
        (dict(photo=handle_file(ROOT / "README.md")), "not a picture"),
        (dict(photo={"path": str(ROOT / "assets" / "examples" / "lunge.jpg")}), "upload a file first"),
    ],
)
def test_bad_arguments_get_a_sentence_and_leave_the_server_alive(client, arguments, words):
    names = {"prompt": "/text_to_pose", "pose": "/describe", "instruction": "/edit", "photo": "/image_to_pose"}
    with pytest.raises(AppError, match=words):
        client.predict(**arguments, api_name=names[next(iter(arguments))])
    assert "standing" in client.predict([[0.0, 0.0, 0.0]] * 24, api_name="/describe")


def test_only_the_api_is_described(client):
    assert [*client.view_api(return_format="dict")["named_endpoints"]] == ENDPOINTS


@pytest.mark.parametrize("path", ["docs/API.md"])
def test_the_examples_in_the_docs_work(server, tmp_path, path):
    """The Python and the curl example, word for word, against this server."""
    shutil.copy(EXAMPLES[0], tmp_path / "photo.jpg")
    text = (ROOT / path).read_text().replace("http://127.0.0.1:7860", server.rstrip("/"))
    for language, command in (("python", [sys.executable, "-"]), ("sh", ["bash", "-eu", "-o", "pipefail"])):
        for example in re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL):
            run = subprocess.run(command, input=example, cwd=tmp_path, capture_output=True, text=True, timeout=300)
            assert run.returncode == 0, f"{example}\n{run.stdout}{run.stderr}"
            assert "<POSE>" in run.stdout or "is " in run.stdout


@pytest.mark.parametrize("path", ["/etc/passwd", "app.py", "assets/policy/config.json"])
def test_no_other_file_is_served(server, path):
    with pytest.raises(urllib.error.HTTPError) as error:
        urllib.request.urlopen(f"{server}gradio_api/file={path}")
    assert error.value.code in (403, 404)


def test_a_photo_outside_the_upload_folder_is_refused(server, tmp_path):
    shutil.copy(EXAMPLES[0], tmp_path / "private.jpg")  # by hand, since gradio_client would upload it first
    data = {"data": [{"path": str(tmp_path / "private.jpg"), "meta": {"_type": "gradio.FileData"}}]}
    address, header = f"{server}gradio_api/call/image_to_pose", {"Content-Type": "application/json"}
    with urllib.request.urlopen(urllib.request.Request(address, json.dumps(data).encode(), header)) as answer:
        event = json.load(answer)["event_id"]
    with urllib.request.urlopen(f"{address}/{event}") as stream:
        assert "event: error" in stream.read().decode()
