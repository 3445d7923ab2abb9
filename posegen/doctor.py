"""What this machine has and lacks: python -m posegen doctor.

Imports only the standard library, so that it can say what is wrong where packages are missing; what may crash
the interpreter (OpenGL, bitsandbytes) runs in processes of its own.
"""

import importlib.metadata
import os
import re
import shutil
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MIN_PYTHON = (3, 11)
MIN_FREE_GB = 1.0
PROBE_SECONDS = 120
BROWSERS = ("chromium", "chromium-browser", "google-chrome")

GL_PROBE = """
import os
os.environ.setdefault("PYOPENGL_PLATFORM", "egl")
import pyrender
from OpenGL import GL
renderer = pyrender.OffscreenRenderer(64, 64)
scene = pyrender.Scene()
scene.add(pyrender.PerspectiveCamera(yfov=1.0))
renderer.render(scene)
renderer._platform.make_current()
print(GL.glGetString(GL.GL_RENDERER).decode())
"""
NF4_PROBE = """
import torch
from bitsandbytes.functional import dequantize_4bit, quantize_4bit
weight = torch.randn(64, 64)
error = (dequantize_4bit(*quantize_4bit(weight, quant_type="nf4")) - weight).abs().mean() / weight.abs().mean()
assert error < 0.2, f"NF4 loses {error:.0%} of a weight"
print(torch.cuda.get_device_name() if torch.cuda.is_available() else "")
"""


@dataclass
class Check:
    """One line of the diagnosis.

    Attributes:
        name: what was looked at.
        ok: True, False, or None for something missing that the demo does not need.
        detail: what was found.
        fix: how to mend it, empty where nothing is wrong.
    """

    name: str
    ok: bool | None
    detail: str
    fix: str = ""


def diagnose() -> list[Check]:
    """Look at everything the demo needs, and at what only tests or training use."""
    probes = {"gl": _start(GL_PROBE), "nf4": _start(NF4_PROBE)}  # side by side: both take seconds
    checks = [
        _python(),
        _packages("requirements.txt", required=True),
        _packages("requirements-dev.txt", required=False),
    ]
    checks += [*_outside_weights(), _body(), _policy(), _cache()]
    checks += [_gl(probes["gl"]), *_four_bit(probes["nf4"]), _browser()]
    return checks


def main() -> int:
    """Diagnose and report; 0 if nothing that the demo needs is missing."""
    return report(diagnose())


def report(checks: list[Check]) -> int:
    """Print a diagnosis as a table; 0 if nothing that the demo needs is missing."""
    plain = (sys.stdout.encoding or "").lower().replace("-", "") != "utf8"
    marks = {True: "ok", False: "NO", None: "--"} if plain else {True: "✓", False: "✗", None: "–"}
    width = max(len(check.name) for check in checks)
    for check in checks:
        print(f"{marks[check.ok]} {check.name:<{width}}  {check.detail}")
        if check.fix and not check.ok:
            print(f"  {'':<{width}}  -> {check.fix}")
    broken = [check.name for check in checks if check.ok is False]
    print(f"\nTo mend: {', '.join(broken)}." if broken else "\nEverything the demo needs is here.")
    return 1 if broken else 0


def _python() -> Check:
    found = f"{sys.version_info.major}.{sys.version_info.minor}.{sys.version_info.micro}"
    needed = ".".join(map(str, MIN_PYTHON))
    return Check(
        "Python", sys.version_info >= MIN_PYTHON, found, f"install Python {needed} or newer and make .venv with it"
    )


def _packages(file: str, required: bool) -> Check:
    """Installed versions against the pinned ones; a build's suffix such as "+cpu" does not count."""
    name = "Packages" if required else "Test tools"
    pins = re.findall(r"^([\w.-]+)==(\S+)", (ROOT / file).read_text(), re.MULTILINE)
    wrong = []
    for package, pinned in pins:
        try:
            installed = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            wrong.append(f"{package} is missing")
            continue
        if installed.partition("+")[0] != pinned:
            wrong.append(f"{package} {installed} instead of {pinned}")
    if not wrong:
        return Check(name, True, f"{len(pins)} as pinned in {file}")
    return Check(name, False if required else None, "; ".join(wrong), f"{sys.executable} -m pip install -r {file}")


def _outside_weights() -> list[Check]:
    try:
        from posegen import weights
    except ImportError as error:
        return [Check("Outside weights", False, f"not looked at: {error}", "mend the packages first")]
    return [
        Check(row["title"], row["present"], row["path"] if row["present"] else "not fetched yet", row["fix"])
        for row in weights.status()
    ]


def _body() -> Check:
    file = ROOT / "assets" / "body" / "SMPL_NEUTRAL.npz"
    fix = "git checkout -- assets/body"
    try:
        with zipfile.ZipFile(file) as archive:
            damaged = archive.testzip()
    except (OSError, zipfile.BadZipFile) as error:
        return Check("Body", False, f"{file.name} cannot be read ({type(error).__name__})", fix)
    return Check("Body", damaged is None, f"damaged in {damaged}" if damaged else str(file.relative_to(ROOT)), fix)


def _policy() -> Check:
    folder = ROOT / "assets" / "policy"
    files = sorted(folder.rglob("*.safetensors"))
    empty = [file.name for file in files if file.stat().st_size < 1000]  # a Git LFS pointer, or cut off
    fix = "git checkout -- assets/policy, or train one with python -m finetune sft"
    if not files or empty:
        return Check("Policy", False, f"{', '.join(empty)} is empty" if empty else "no weights in assets/policy", fix)
    megabytes = sum(file.stat().st_size for file in files) / 1e6
    return Check("Policy", True, f"{', '.join(file.name for file in files)} ({megabytes:.1f} MB)")


def _cache() -> Check:
    try:
        from posegen import weights

        folder = weights.cache_dir()
    except Exception as error:  # not writable, or the packages are missing
        return Check("Cache folder", False, str(error), "set POSEGEN_CACHE to a folder that can be written")
    free = shutil.disk_usage(folder).free / 1e9
    fix = f"free {MIN_FREE_GB:g} GB there, or set POSEGEN_CACHE to a larger disk"
    return Check("Cache folder", free >= MIN_FREE_GB, f"{folder}, {free:.1f} GB free", fix)


def _gl(probe: subprocess.Popen) -> Check:
    ok, said = _finish(probe)
    names = " ".join((ROOT / "packages.txt").read_text().split())
    return Check("OpenGL (EGL)", ok, said, f"sudo apt-get install -y {names}")


def _four_bit(probe: subprocess.Popen) -> list[Check]:
    ok, said = _finish(probe)
    fix = f"{sys.executable} -m pip install --force-reinstall -r requirements.txt"
    gpu = Check("GPU", True if ok and said else None, said if ok and said else "none; the demo runs on the CPU")
    return [Check("4-bit weights", ok, "bitsandbytes NF4 works" if ok else said, fix), gpu]


def _browser() -> Check:
    path = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    return Check(
        "Chromium",
        True if path else None,
        path or "none; only the browser tests use it",
        "sudo apt-get install -y chromium",
    )


def _start(code: str) -> subprocess.Popen:
    environment = {**os.environ, "PYTHONWARNINGS": "ignore"}
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "stdin": subprocess.DEVNULL}
    return subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, env=environment, text=True, **pipes)


def _finish(probe: subprocess.Popen) -> tuple[bool, str]:
    """Whether the probe succeeded, and the last line it said."""
    try:
        out, errors = probe.communicate(timeout=PROBE_SECONDS)
    except subprocess.TimeoutExpired:
        probe.kill()
        probe.communicate()
        return False, f"no answer within {PROBE_SECONDS} s"
    if probe.returncode < 0:
        return False, f"crashed with signal {-probe.returncode}"
    lines = (out if probe.returncode == 0 else errors).strip().splitlines()
    return probe.returncode == 0, lines[-1][:160] if lines else ""
