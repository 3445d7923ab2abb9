"""What a host needs: a Hugging Face Space's files, a home that cannot be written, ZeroGPU, MCP."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from gradio_client import Client, handle_file
from running_app import running_app

from posegen import ui, weights
from posegen.policy import PosePolicy
from posegen.ui.zero_gpu import use_zero_gpu

ROOT = Path(__file__).resolve().parent.parent
COLORS = {"red", "yellow", "green", "blue", "indigo", "purple", "pink", "gray"}  # of a Space's card
NOBODY = 65534
FAKE_SPACES = """
calls = []

def GPU(function):
    def lent(*args):
        calls.append(args)
        return function(*args)
    return lent
"""


def test_the_front_matter_fits_a_space():
    about = yaml.safe_load((ROOT / "README.md").read_text().split("---\n")[1])
    pins = dict(re.findall(r"^([\w.-]+)==(\S+)$", (ROOT / "requirements.txt").read_text(), re.MULTILINE))
    assert about["sdk"] == "gradio" and about["sdk_version"] == pins["gradio"]
    assert about["python_version"] == "3.11" and (ROOT / about["app_file"]).is_file()
    assert {about["colorFrom"], about["colorTo"]} <= COLORS and len(about["emoji"]) == 1
    assert len(about["title"]) > 0 and len(about["short_description"]) <= 60 and about["license"] == "apache-2.0"


def test_packages_are_names_alone():
    """A Space hands the file to apt-get as it is, so that a comment would be taken for a package."""
    lines = (ROOT / "packages.txt").read_text().splitlines()
    assert {"libegl1", "libgl1", "libgles2"} <= {*lines}
    assert all(re.fullmatch(r"[a-z0-9][a-z0-9.+-]+", line) for line in lines)


def run_app_code(code: str, **environment) -> str:
    """What Python prints that imports app.py without starting it; variables given as None are unset."""
    environment = {name: value for name, value in {**os.environ, **environment}.items() if value is not None}
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    return run.stdout.strip()


def test_without_a_home_weights_go_to_a_folder_that_ends_with_the_app(tmp_path):
    (tmp_path / "home").write_text("a file, so nothing can be written below it, by root neither")
    (tmp_path / "tmp").mkdir()
    code = "import app, os; app.keep_temporary_files_together(); app.make_room_for_weights();"
    code += "from posegen.weights import cache_dir; print(cache_dir())"
    places = {"HOME": str(tmp_path / "home"), "TMPDIR": str(tmp_path / "tmp"), "POSEGEN_CACHE": None}
    word, folder = run_app_code(code, **places).splitlines()
    assert "set POSEGEN_CACHE" in word and folder in word and folder.startswith(f"{tmp_path}/tmp/posegen-")
    assert not [*(tmp_path / "tmp").iterdir()]
    (tmp_path / "fine").mkdir()
    assert run_app_code(code, **{**places, "HOME": str(tmp_path / "fine")}) == f"{tmp_path}/fine/.cache/posegen"


def test_zero_gpu_writes_the_words(policy, tmp_path, monkeypatch):
    before = policy.text_to_pose("kneeling", 2, seed=1)
    monkeypatch.delenv("SPACES_ZERO_GPU", raising=False)
    use_zero_gpu(policy)
    assert "answer" not in vars(policy)

    (tmp_path / "spaces.py").write_text(FAKE_SPACES)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("SPACES_ZERO_GPU", "true")
    loaded = []
    here = PosePolicy(policy.backbone, policy.reader, policy.head, policy.lifter, policy.tokens, policy.body)
    monkeypatch.setattr(PosePolicy, "from_pretrained", lambda path, device: loaded.append((path, device)) or here)
    try:
        use_zero_gpu(policy, "assets/policy")
        assert loaded == []  # not before a GPU is lent
        after = policy.text_to_pose("kneeling", 2, seed=1)
        policy.describe(after[0].pose)
    finally:
        vars(policy).pop("answer", None)
    import spaces

    assert loaded == [("assets/policy", "cuda")] and [len(scores) for _, scores in spaces.calls] == [2, 1]
    assert [s.text for s in after] == [s.text for s in before]
    sys.modules.pop("spaces")


def test_mcp_is_on_where_its_package_is(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(sys, "path", [])
    monkeypatch.delitem(sys.modules, "mcp", raising=False)
    assert not ui.has_mcp() and "gradio[mcp]" in capsys.readouterr().out
    (tmp_path / "mcp.py").touch()
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    assert ui.has_mcp() and not capsys.readouterr().out


@pytest.mark.slow
def test_a_stranger_with_an_empty_home_can_run_the_app(tmp_path):
    """Not root, a home that cannot be written, and weights in a folder that cannot be written either."""
    home, temporary, cache = tmp_path / "home", tmp_path / "tmp", weights.cache_path()
    home.mkdir(mode=0o555)
    temporary.mkdir()
    who = []
    if os.geteuid() == 0:
        if not shutil.which("setpriv"):
            pytest.skip("root cannot become somebody else without setpriv (util-linux)")
        os.chown(temporary, NOBODY, NOBODY)
        # It may read what root may: the interpreter and this checkout may lie in root's home.
        who = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
        who += ["--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search"]
    environment = {"PATH": os.environ["PATH"], "HOME": str(home), "TMPDIR": str(temporary)}
    environment |= {"POSEGEN_CACHE": str(cache), "OMP_NUM_THREADS": "1"}
    with running_app(tmp_path / "log.txt", who, environment) as address:
        client = Client(address, verbose=False, download_files=str(tmp_path))
        assert "<POSE>" in client.predict("kneeling", api_name="/text_to_pose")[0]["samples"][0]["text"]
        photo = handle_file(ROOT / "assets" / "examples" / "lunge.jpg")
        assert len(client.predict(photo, api_name="/image_to_pose")[0]["people"]) == 1
        assert [*temporary.iterdir()] and not [*home.iterdir()]
    assert not [*temporary.iterdir()] and not [*home.iterdir()]
