"""Hostile uploads: each is refused with a sentence, the server lives, and nothing is written outside its folder.

The app runs in a process of its own, from an empty folder, with an empty HOME and a temporary folder of its own, so
that whatever it leaves behind is seen. Requests are raw HTTP: clients that behave would not send most of these.
"""

import http.client
import io
import json
import os
import pickle
import socket
import struct
import subprocess
import sys
import time
import uuid
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import numpy as np
import pytest
from PIL import Image

from posegen.pose import Pose, PoseError
from posegen.ui.photo import EXAMPLES
from posegen.weights import cache_path

ROOT = Path(__file__).resolve().parents[1]
START_SECONDS = 240
PHOTO = Path(EXAMPLES[1]).read_bytes()
SCRIPT = b"<html><body><script>alert(1)</script></body></html>"
TAB, API = "page_image_to_pose", "image_to_pose"


@dataclass
class Server:
    """A running app that listens on 127.0.0.1, and the folder in which its HOME, TMPDIR and working folder lie."""

    port: int
    folder: Path
    app: subprocess.Popen

    def request(self, method: str, path: str, body=None, headers=()) -> tuple[int, dict, bytes]:
        """Status, headers in lower case, and body; the path is sent as it is, dots and all."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
        try:
            connection.request(method, path, body, dict(headers))
            answer = connection.getresponse()
            return answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read()
        finally:
            connection.close()

    def upload(self, name: str, content: bytes) -> tuple[int, bytes]:
        border = uuid.uuid4().hex
        head = f'--{border}\r\nContent-Disposition: form-data; name="files"; filename="{name}"\r\n\r\n'
        body = head.encode() + content + f"\r\n--{border}--\r\n".encode()
        status, _, said = self.request(
            "POST", "/gradio_api/upload", body, {"Content-Type": f"multipart/form-data; boundary={border}"}
        )
        return status, said

    def ask(self, function: str, *data) -> str:
        """The events with which the server answers."""
        status, _, body = self.request(
            "POST", f"/gradio_api/call/{function}", json.dumps({"data": data}), {"Content-Type": "application/json"}
        )
        assert status == 200, body
        return self.request("GET", f"/gradio_api/call/{function}/{json.loads(body)['event_id']}")[2].decode()

    def ask_about(self, path: str) -> list[str]:
        """What the photo tab and the API answer to a picture that lies at a path of the server."""
        file = {"path": path, "meta": {"_type": "gradio.FileData"}}
        return [self.ask(TAB, file, None), self.ask(API, file)]

    def written(self) -> set[str]:
        """Everything that lies in the app's HOME, working folder and temporary folder, but for its own folder there."""
        found = {path for path in self.folder.rglob("*")}
        own = [path for path in (self.folder / "tmp").glob("posegen-*") if path.is_dir()]
        return {str(path) for path in found if not any(path.is_relative_to(folder) for folder in own)}

    def must_be_well(self) -> None:
        """It still answers a normal request as it should."""
        path = json.loads(self.upload("well.jpg", PHOTO)[1])[0]
        answer = self.ask(API, {"path": path, "meta": {"_type": "gradio.FileData"}})
        assert "event: complete" in answer and "<POSE>" in answer and self.app.poll() is None, answer


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("hostile")
    for name in ("home", "tmp", "cwd"):
        (folder / name).mkdir()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    here = {"HOME": str(folder / "home"), "TMPDIR": str(folder / "tmp"), "POSEGEN_CACHE": str(cache_path())}
    log = tmp_path_factory.mktemp("log") / "log.txt"
    with log.open("w") as out:
        command = [sys.executable, ROOT / "app.py", "--port", str(port)]
        app = subprocess.Popen(command, cwd=folder / "cwd", env=os.environ | here, stdout=out, stderr=out)
    running, end = Server(port, folder, app), time.time() + START_SECONDS
    try:
        while True:
            try:
                running.request("GET", "/")
                break
            except OSError:
                assert app.poll() is None and time.time() < end, f"the app does not start:\n{log.read_text()}"
                time.sleep(0.5)
        running.must_be_well()  # what a normal request leaves (caches of libraries, say) is no attacker's doing
        yield running
    finally:
        app.terminate()
        app.wait(60)
    assert not list((folder / "tmp").glob("posegen-*")), "its own folder goes with it"


@pytest.fixture
def unharmed(server):
    """The server, which must be well afterwards and must have written nothing where it should not."""
    before = server.written()
    yield server
    server.must_be_well()
    assert server.written() == before


def png_bomb(side: int) -> bytes:
    """A black-and-white PNG of side x side pixels, whole and correct, in some kilobytes."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    packer = zlib.compressobj(9)
    row = bytes(1 + side // 8)
    data = b"".join(packer.compress(row * 100) for _ in range(side // 100)) + packer.flush()
    head = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def gif_zip() -> bytes:
    """A zip that begins like a GIF."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("evil.html", SCRIPT)
    return b"GIF89a" + buffer.getvalue()


REFUSED = {
    "bomb.png": (lambda: png_bomb(40_000), "reduce it below 64"),
    "svg.svg": (
        lambda: b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>',
        "JPEG, PNG or WebP",
    ),
    "svg.jpg": (lambda: b'<svg xmlns="http://www.w3.org/2000/svg" width="99999999" height="9"/>', "JPEG, PNG or WebP"),
    "html.jpg": (lambda: SCRIPT + PHOTO, "JPEG, PNG or WebP"),
    "pdf.jpg": (lambda: b"%PDF-1.7\n" + PHOTO, "JPEG, PNG or WebP"),
    "script.eps": (lambda: b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 99 99\n(%pipe%id) run\n", "JPEG, PNG or WebP"),
    "zip.gif": (gif_zip, "JPEG, PNG or WebP"),
    "pickle.jpg": (lambda: pickle.dumps({"photo": 1}), "JPEG, PNG or WebP"),
    "nothing.jpg": (lambda: b"", "JPEG, PNG or WebP"),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", REFUSED)
def test_a_hostile_picture_is_refused_with_a_sentence(unharmed, name):
    make, words = REFUSED[name]
    content = make()
    assert len(content) < 2**20
    status, said = unharmed.upload(name, content)
    assert status == 200
    for answer in unharmed.ask_about(json.loads(said)[0]):
        assert words in answer and "server failed" not in answer and "<POSE>" not in answer


@pytest.mark.slow
def test_two_hundred_megabytes_are_refused_and_not_kept(unharmed):
    status, said = unharmed.upload("big.jpg", PHOTO + bytes(200 * 2**20))
    assert status == 413 and b"maximum allowed size" in said
    assert all(path.stat().st_size < 2**25 for path in unharmed.folder.rglob("*") if path.is_file())


@pytest.mark.slow
def test_a_polyglot_is_a_picture_and_nothing_else(unharmed):
    """A JPEG with a page and a zip behind it has people in it: they are found, and the rest goes nowhere."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("evil.html", SCRIPT)
    script = SCRIPT + b"<!-- this one -->"  # other tests upload the plain one
    status, said = unharmed.upload("both.html", PHOTO + script + buffer.getvalue())
    path = json.loads(said)[0]
    assert all("complete" in answer and "POSE" in answer for answer in unharmed.ask_about(path))
    status, headers, _ = unharmed.request("GET", f"/gradio_api/file={quote(path)}")
    assert status in (403, 404) or headers["content-disposition"].startswith("attachment"), "no browser shows it"
    holding = [p for p in unharmed.folder.rglob("*") if p.is_file() and script in p.read_bytes()]
    assert {p.name for p in holding} == {"both.html"}, "only the upload itself"


NAMES = (
    "../../../../../../escaped.jpg", "..%2f..%2f..%2fescaped.jpg", r"..\..\..\escaped.jpg", "/escaped.jpg",
    "....//....//escaped.jpg", "a/../../../../escaped.jpg", "~/escaped.jpg", ".bashrc", "x" * 400 + ".jpg",
)  # fmt: skip


@pytest.mark.slow
def test_a_path_in_the_file_name_leads_nowhere(unharmed):
    root = (unharmed.folder / "tmp").resolve()
    for name in NAMES:
        status, said = unharmed.upload(name, PHOTO)
        if status != 200:
            assert 400 <= status < 500, f"{name} gave {status}"
            continue
        path = Path(json.loads(said)[0])
        parts = path.relative_to(root).parts
        assert path.resolve() == path and parts[0].startswith("posegen-") and "cache" in parts, name
        assert path.read_bytes() == PHOTO


@pytest.mark.slow
def test_pictures_are_read_only_from_where_uploads_lie(unharmed):
    """Not from other folders, and not from the machine's own network."""
    private = unharmed.folder / "home" / "private.jpg"
    private.write_bytes(PHOTO)
    try:
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            listener.listen()
            listener.settimeout(1)
            inside = f"http://127.0.0.1:{listener.getsockname()[1]}/photo.jpg"
            for path in (
                str(private),
                f"{unharmed.folder}/tmp/../home/private.jpg",
                EXAMPLES[1],
                "/etc/passwd",
                inside,
            ):
                for answer in unharmed.ask_about(path):
                    assert "<POSE>" not in answer and "root:" not in answer
            with pytest.raises(TimeoutError):
                listener.accept()
    finally:
        private.unlink()


PATHS = (
    "/gradio_api/file=/etc/passwd", "/gradio_api/file=../../../../../../etc/passwd", "/file=/etc/passwd",
    "/gradio_api/file=%2Fetc%2Fpasswd", "/gradio_api/file=..%2f..%2f..%2f..%2fetc%2fpasswd",
    "/gradio_api/file=file:///etc/passwd", "/gradio_api/file=/proc/self/environ", "/gradio_api/file=app.py",
    "/gradio_api/file=CACHE/../../../../../../../../../etc/passwd", "/gradio_api/file=CACHE/..",
    "/gradio_api/file=ROOT/app.py", "/gradio_api/file=ROOT/assets/policy/config.json",
    "/assets/../../../../../../../../etc/passwd", "/static/../../../../../../../../etc/passwd",
    "/static/%2e%2e/%2e%2e/%2e%2e/%2e%2e/%2e%2e/%2e%2e/%2e%2e/etc/passwd", "/theme.css/../../../etc/passwd",
    "/gradio_api/file=http://127.0.0.1:1/", "/gradio_api/proxy=http://127.0.0.1:1/", "/../../../../etc/passwd",
    "/gradio_api/custom_component/../../../../etc/passwd/x/y", "/gradio_api/file=%00/etc/passwd",
)  # fmt: skip


@pytest.mark.slow
def test_no_other_file_is_served(unharmed):
    cache = Path(json.loads(unharmed.upload("here.jpg", PHOTO)[1])[0]).parent
    assert unharmed.request("GET", f"/gradio_api/file={cache}/here.jpg")[0] == 200  # so 403 says something
    for path in PATHS:
        path = path.replace("CACHE", str(cache)).replace("ROOT", str(ROOT))
        status, _, body = unharmed.request("GET", path)
        assert status in (400, 403, 404, 405, 422), f"{path} gave {status}"
        assert b"root:" not in body and b"import" not in body


# ---- pose files


def npz(**arrays) -> bytes:
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)
    return buffer.getvalue()


def with_member(head: bytes, data: bytes = b"", repeats: int = 1, name="poses.npy") -> bytes:
    """An npz with one member of these bytes, the second part repeated."""
    buffer = io.BytesIO()
    with (
        zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open(name, "w", force_zip64=True) as member,
    ):
        member.write(head)
        for _ in range(repeats):
            member.write(data)
    return buffer.getvalue()


def npy_head(shape) -> bytes:
    buffer = io.BytesIO()
    np.lib.format.write_array_header_1_0(buffer, {"descr": "<f4", "fortran_order": False, "shape": shape})
    return buffer.getvalue()


class Evil:
    def __reduce__(self):
        return (open, ("pickle-was-run", "w"))


ZEROS = np.zeros((1, 72), np.float32)
POSE_FILES = {
    "huge.npz": (lambda: with_member(npy_head((2**20 * 2, 72)), bytes(2**20), 576), "unpacks to 576 MiB"),
    "lying.npz": (lambda: with_member(npy_head((10**10, 72))), "poses"),
    "pickle.npz": (lambda: npz(poses=np.array([Evil()], object)), "array of numbers"),
    "pickled betas.npz": (lambda: npz(poses=ZEROS, betas=np.array([Evil()], object)), "array of numbers"),
    "plain pickle.npz": (lambda: pickle.dumps(Evil()), "array of numbers"),
    "nan.npz": (lambda: npz(poses=ZEROS * np.nan), "NaN"),
    "infinite place.npz": (lambda: npz(poses=ZEROS, trans=np.full((1, 3), np.inf)), "NaN or infinite"),
    "no frames.npz": (lambda: npz(poses=np.zeros((0, 72))), "npz"),
    "no place.npz": (lambda: npz(poses=ZEROS, trans=np.zeros((0, 3))), "npz"),
    "words.npz": (lambda: npz(poses=np.array([["x"] * 72])), "array of numbers"),
    "number.npz": (lambda: npz(poses=np.array(1.0)), "npz"),
    "no poses.npz": (lambda: npz(betas=np.zeros(10)), "poses"),
    "empty.npz": (lambda: b"", "npz"),
    "photo.npz": (lambda: PHOTO, "npz"),
    "empty zip.npz": (lambda: b"PK\5\6" + bytes(18), "npz"),
}


@pytest.mark.parametrize("name", POSE_FILES)
def test_a_hostile_pose_file_is_refused_with_a_sentence(tmp_path, monkeypatch, name):
    make, words = POSE_FILES[name]
    path = tmp_path / name
    path.write_bytes(make())
    assert path.stat().st_size < 2**21
    monkeypatch.chdir(tmp_path)
    with pytest.raises(PoseError, match=words):
        Pose.load(path)
    assert [p.name for p in tmp_path.iterdir()] == [name], "a pickle in it was run"


def test_a_good_pose_file_is_still_read(tmp_path):
    (tmp_path / "good.npz").write_bytes(npz(poses=np.full((3, 72), 0.1), trans=np.ones((1, 3))))
    pose = Pose.load(tmp_path / "good.npz", 2)
    np.testing.assert_allclose(pose.axis_angle, 0.1, atol=1e-6)
    np.testing.assert_array_equal(pose.trans, 1)


def test_the_bomb_is_a_real_picture():
    """So that it is refused for its size and not for being broken."""
    with Image.open(io.BytesIO(png_bomb(800))) as picture:
        picture.load()
        assert picture.size == (800, 800)
