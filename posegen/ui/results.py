"""What a request leaves behind: npz, GLB, PNG and result.json in one folder. Used by the page and the command line."""

import json
import os
import re
import shutil
import tempfile
import zipfile
from contextlib import contextmanager
from pathlib import Path

AZIMUTH, ELEVATION = 25.0, 8.0  # degrees: where the camera of a picture stands unless told otherwise
PICTURE_SIZE = 448  # pixels; large enough for the page, small enough for four of them in a quarter of a second


def sentence_of(error: Exception) -> str | None:
    """What to tell the user of an error of the project's own or of the file system; None for a fault in the code."""
    if isinstance(error, OSError) and error.filename and error.strerror:
        return f"{error.filename} cannot be used ({error.strerror.lower()}); choose another place."
    if isinstance(error, OSError) or type(error).__module__.partition(".")[0] == "posegen":
        return " ".join(str(error).split())
    return None


def slug(prompt: str) -> str:
    """A file name of the prompt's first words: lower case ASCII letters, digits and hyphens, never empty."""
    words = re.findall(r"[a-z0-9]+", prompt.lower())
    return "-".join(words)[:40].rstrip("-") or "pose"


def write_sample(sample, renderer, folder: Path, stem: str, formats=(), photo_size=None) -> dict:
    """Write stem.npz, stem.glb and stem.png of one sample and return its entry for result.json.

    Args:
        formats: suffixes of export.FORMATS to be written, too.
        photo_size: (width, height) of the photo that the sample was seen in; pictures among `formats` are then taken
            with its camera.
    """
    from ..camera import Shot
    from ..export import FORMATS, Figure

    files = {"pose": f"{stem}.npz", "model": f"{stem}.glb", "picture": f"{stem}.png"}
    files |= {suffix: f"{stem}.{suffix}" for suffix in formats}
    renderer.still(sample.pose, PICTURE_SIZE, AZIMUTH, ELEVATION).save(folder / files["picture"])
    shot = (
        Shot(sample.camera, photo_size) if photo_size else renderer.shot(sample.pose, PICTURE_SIZE, AZIMUTH, ELEVATION)
    )
    for suffix in dict.fromkeys(("npz", "glb", *formats)):
        FORMATS[suffix].write(Figure(sample.pose, renderer, shot), folder / f"{stem}.{suffix}")
    return describe_sample(sample, files)


def describe_sample(sample, files: dict[str, str]) -> dict:
    """The entry of one sample in result.json: text, log_prob, name, statements, camera, files."""
    camera = sample.camera
    return {
        "text": sample.text,
        "log_prob": float(sample.log_prob),
        "name": sample.name,
        "statements": [
            {"phrase": s.phrase, "probability": round(float(s.probability), 4), "holds": bool(s.holds)}
            for s in sample.statements
        ],
        "camera": camera and {"focal": camera.focal, "translation": camera.translation.tolist()},
        "files": files,
    }


def draw_people(photo, people, renderer):
    """The photo (PIL, RGB) with each person's first sample drawn over it, at most 1600 pixels a side."""
    return renderer.overlay(photo, [(person.samples[0].pose, person.samples[0].camera) for person in people])


def write_json(folder: Path, result: dict) -> None:
    (folder / "result.json").write_text(json.dumps(result, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def write_zip(path: Path, files) -> None:
    """All `files` in one archive at `path`, without their folders."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for file in files:
            archive.write(file, Path(file).name)


@contextmanager
def staged(out: Path):
    """A temporary folder beside `out`; its files move into `out` only when the block ends without an error.

    So a request that fails leaves nothing half-written.
    """
    out.parent.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix=f".{out.name}-", dir=out.parent))
    try:
        yield folder
        out.mkdir(exist_ok=True)
        for file in sorted(folder.iterdir()):
            os.replace(file, out / file.name)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
