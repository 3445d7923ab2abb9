"""The app's API, as scripts use it, and what it must not give away."""

import json
import shutil
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from gradio_client import Client, handle_file

from posegen.ui.photo import EXAMPLES

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def client(server):
    return Client(server, verbose=False)


def ask(client, prompt, samples=2):
    return client.predict(prompt, samples, 0.7, 0, 170, 0, 25, 8, api_name="/text_to_pose")


def test_words_by_api(client):
    notice, gallery, glb, reply, *_ = ask(client, "a person kneels")
    assert len(gallery["value"] if isinstance(gallery, dict) else gallery) == 2
    assert Path(glb).read_bytes()[:4] == b"glTF" and reply.startswith("<POSE>")


def test_bad_words_by_api_leave_the_server_alive(client):
    assert "5000 words" in str(ask(client, "arm " * 5000)[0])
    assert "<POSE>" in ask(client, "both arms up")[3]


def test_photo_by_api(client):
    _, overlay, *_ = client.predict(handle_file(EXAMPLES[0]), api_name="/image_to_pose")
    assert overlay


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
