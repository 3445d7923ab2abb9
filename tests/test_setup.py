"""The set-up: requirements, Makefile, the installer's sentences, and the doctor."""

import ast
import importlib.metadata
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from posegen import doctor

ROOT = Path(__file__).resolve().parent.parent
BUILD_TIME = {"anny"}  # only the script that once built the body uses it
ON_A_SPACE = {"spaces"}  # comes with ZeroGPU


def pins(file):
    lines = [line for line in (ROOT / file).read_text().splitlines() if line and not line.startswith("#")]
    return dict(line.split("==") for line in lines)


def test_requirements_are_exact():
    for file in ("requirements.txt", "requirements-dev.txt"):
        assert all(re.fullmatch(r"[\d.]+", version) for version in pins(file).values())
    assert pins("requirements.txt")["torch"] == "2.13.0"  # any other form of this line takes gigabytes


def test_every_import_is_required():
    ours = {"posegen", "finetune", "app"}
    names = set()
    for file in [ROOT / "app.py", *(ROOT / "posegen").rglob("*.py"), *(ROOT / "finetune").rglob("*.py")]:
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Import):
                names |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and not node.level:
                names.add(node.module.partition(".")[0])
    names -= set(sys.stdlib_module_names) | ours | BUILD_TIME | ON_A_SPACE
    distributions = importlib.metadata.packages_distributions()
    required = {name.lower() for name in pins("requirements.txt")}
    assert "numpy" in names
    missing = {name for name in names if not {d.lower() for d in distributions.get(name, [])} & required}
    # PyOpenGL's one right version is pinned by pyrender itself
    assert missing - {"OpenGL"} == set()


def make(folder, *arguments):
    return subprocess.run(["make", "-C", str(folder), *arguments], capture_output=True, text=True)


@pytest.mark.skipif(not shutil.which("make"), reason="make is not here")
def test_make_without_a_fitting_python_says_so(tmp_path):
    shutil.copy(ROOT / "Makefile", tmp_path)
    run = make(tmp_path, "PYTHON=", "demo")
    assert run.returncode and "Python 3.11 or newer is needed" in run.stderr
    assert not (tmp_path / ".venv").exists()


@pytest.mark.skipif(not shutil.which("make"), reason="make is not here")
def test_make_reinstalls_only_when_requirements_change(tmp_path):
    for name in ("Makefile", "requirements.txt", "requirements-dev.txt"):
        shutil.copy(ROOT / name, tmp_path)
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    for name in ("bin/python", ".installed", ".installed-dev"):
        (tmp_path / ".venv" / name).touch()
    goal = ".venv/.installed-dev"
    assert make(tmp_path, "-q", goal).returncode == 0
    for changed in ("requirements.txt", "requirements-dev.txt"):
        later = os.stat(tmp_path / ".venv" / ".installed-dev").st_mtime + 10
        os.utime(tmp_path / changed, (later, later))
        assert make(tmp_path, "-q", goal).returncode == 1
        os.utime(tmp_path / changed, (0, 0))


def apt_install(bin_folder, *packages):
    return subprocess.run(
        ["/bin/sh", str(ROOT / ".ci" / "apt-install"), *packages],
        env={"PATH": str(bin_folder)}, capture_output=True, text=True,
    )  # fmt: skip


def command(bin_folder, name, script):
    (bin_folder / name).write_text(f"#!/bin/sh\n{script}\n")
    (bin_folder / name).chmod(0o755)


def test_apt_install_names_the_line_to_run(tmp_path):
    run = apt_install(tmp_path, "libegl1", "libgl1")
    assert run.returncode == 1 and run.stderr.startswith("Install what your system calls libegl1 libgl1")
    command(tmp_path, "apt-get", "exit 0")
    command(tmp_path, "id", "echo 1000")
    run = apt_install(tmp_path, "libegl1")  # no sudo
    assert run.returncode == 1 and "`sudo apt-get install -y libegl1`" in run.stderr and run.stderr.count("\n") == 1
    command(tmp_path, "id", "echo 0")
    assert apt_install(tmp_path, "libegl1").returncode == 0
    command(tmp_path, "tail", 'exec /usr/bin/tail "$@"')
    command(tmp_path, "apt-get", "echo E: no such package >&2; exit 100")
    run = apt_install(tmp_path, "libegl1")
    assert run.returncode == 1 and run.stderr == "apt-get could not install libegl1: E: no such package\n"


def test_doctor_finds_this_machine_well(capsys):
    checks = {check.name: check for check in doctor.diagnose()}
    code = doctor.report(list(checks.values()))
    table = capsys.readouterr().out
    needed = [check for name, check in checks.items() if name != "Policy"]
    assert [check for check in needed if check.ok is False] == []
    assert checks["Packages"].ok and checks["OpenGL (EGL)"].ok and checks["4-bit weights"].ok
    assert all(name in table for name in checks)
    assert code == (0 if checks["Policy"].ok else 1)


def test_doctor_says_what_is_missing_and_how_to_mend_it(tmp_path, monkeypatch, capsys):
    (tmp_path / "requirements.txt").write_text("numpy==0.1\nno-such-package==1.0\n")
    (tmp_path / "requirements-dev.txt").write_text("pytest==0.1\n")
    (tmp_path / "packages.txt").write_text("libegl1\nlibgl1\n")
    (tmp_path / "assets" / "policy").mkdir(parents=True)
    (tmp_path / "assets" / "policy" / "head.safetensors").write_text("version https://git-lfs")
    (tmp_path / "assets" / "body").mkdir()
    whole = (ROOT / "assets" / "body" / "SMPL_NEUTRAL.npz").read_bytes()
    (tmp_path / "assets" / "body" / "SMPL_NEUTRAL.npz").write_bytes(whole[:-5000])
    monkeypatch.setattr(doctor, "ROOT", tmp_path)
    monkeypatch.setenv("POSEGEN_CACHE", str(tmp_path / "packages.txt" / "cache"))
    monkeypatch.setenv("__EGL_VENDOR_LIBRARY_FILENAMES", str(tmp_path / "none.json"))  # EGL without any driver
    checks = {check.name: check for check in doctor.diagnose()}
    assert doctor.report(list(checks.values())) == 1
    lines = capsys.readouterr().out
    assert "numpy" in lines and "instead of 0.1; no-such-package is missing" in lines
    for name in ("Packages", "Policy", "Body", "Cache folder", "OpenGL (EGL)", "SmolLM2-135M-Instruct"):
        assert checks[name].ok is False and checks[name].fix and checks[name].fix in lines, name
    assert checks["Test tools"].ok is None  # the demo runs without them
    assert "apt-get install -y libegl1 libgl1" in checks["OpenGL (EGL)"].fix


def test_a_crashing_probe_is_reported():
    assert doctor._finish(doctor._start("import os; os.abort()")) == (False, "crashed with signal 6")
    assert doctor._finish(doctor._start("raise SystemExit('no driver')")) == (False, "no driver")
