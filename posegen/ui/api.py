"""The API: plain functions beside the page, for gradio_client, curl and MCP. docs/API.md shows how to call them.

They share nothing with the tabs' state: who calls them needs neither a session nor the page's sliders.
"""

import functools
import shutil
import tempfile
import traceback
from contextlib import contextmanager
from pathlib import Path

import gradio as gr
import numpy as np
from gradio.utils import get_upload_folder

from ..photo import PhotoError, load_photo
from ..pose import Pose, PoseError
from .panel import QUEUE
from .results import draw_people, sentence_of, write_sample

MAX_SAMPLES = 8
MAX_SEED = 2**31 - 1
MAX_TEMPERATURE = 1.5


class ApiError(ValueError):
    """An argument that cannot be used; the message says which and what it may be."""


def add_api(page: gr.Blocks, policy, renderer) -> None:
    """Make the functions of `Api` the API of a page; call it inside the page, after its tabs.

    The tabs' events are named page_... and left out of the API's description and of MCP: they belong to a visitor's
    session and change with the page.
    """
    for event in page.fns.values():
        event.api_name, event.api_visibility = f"page_{event.api_name}", "undocumented"
    api = Api(policy, renderer)
    for function in (api.text_to_pose, api.image_to_pose, api.edit, api.describe):
        gr.api(function, **QUEUE)


def spoken(function):
    """A function of the API that turns an error into a sentence for the caller.

    Of a fault in the code the caller learns only that the server failed; its traceback goes to the server's log.
    """

    @functools.wraps(function)
    def call(*args, **kwargs):
        try:
            return function(*args, **kwargs)
        except Exception as error:
            known = sentence_of(error)
            if not known:
                traceback.print_exc()
            sentence = known or "The server failed on this request; try again or try another input."
            raise gr.Error(sentence, print_exception=False) from None

    return call


class Api:
    """What the API offers. The docstrings are what callers and language models with tools read."""

    def __init__(self, policy, renderer):
        self.policy, self.renderer = policy, renderer

    @spoken
    def text_to_pose(
        self, prompt: str, samples: int = 1, temperature: float = 0.7, seed: int = 0
    ) -> tuple[dict, gr.FileData]:
        """Make 3D human poses from a description in English.

        Args:
            prompt: What the person does or where the limbs are, at most 100 words, e.g. "kneeling, both arms raised".
            samples: How many different poses to draw, 1 to 8.
            temperature: 0 gives the likeliest pose, 1 the learnt variety, at most 1.5.
            seed: The same seed gives the same poses.

        Returns:
            of each pose a sentence, what was understood of the prompt and whether the pose shows it
            its 24 joint rotations as axis-angle in radians (SMPL order) and its files (npz, glb, png)
            and a picture of the first pose
        """
        count = number("samples", samples, int, 1, MAX_SAMPLES)
        temperature = number("temperature", temperature, float, 0, MAX_TEMPERATURE)
        seed = number("seed", seed, int, 0, MAX_SEED)
        drawn = self.policy.text_to_pose(str(prompt), count, temperature, seed)
        with answer_folder() as folder:
            entries = [self._entry(sample, folder, f"pose-{i + 1}") for i, sample in enumerate(drawn)]
        asked = {"prompt": prompt, "temperature": temperature, "seed": seed}
        return {**asked, "samples": entries}, entries[0]["files"]["picture"]

    @spoken
    def image_to_pose(self, photo: gr.FileData) -> tuple[dict, gr.FileData]:
        """Find everyone in a photo and give each person's 3D pose.

        Args:
            photo: A picture of one or several people, best with the whole body in view.

        Returns:
            of each person, the largest first, a box in pixels, a sentence about the pose, and the camera
            24 joint rotations as axis-angle in radians (SMPL order, camera's frame) and files (npz, glb, png)
            and the photo with the bodies drawn over it
        """
        picture = load_photo(uploaded(photo))
        found = self.policy.image_to_pose(picture)
        with answer_folder() as folder:
            people = []
            for i, person in enumerate(found):
                entry = self._entry(person.samples[0], folder, f"person-{i + 1}")
                people.append({"box": [round(float(v), 1) for v in person.box], **entry})
            overlay = folder / "overlay.png"
            draw_people(picture, found, self.renderer).save(overlay)
        return {"size": list(picture.size), "people": people}, served(overlay)

    @spoken
    def edit(self, pose: list[list[float]], instruction: str) -> tuple[dict, gr.FileData]:
        """Change a 3D human pose as an instruction in English says.

        Args:
            pose: 24 joint rotations as axis-angle in radians, SMPL order: 24 lists of 3 numbers, as text_to_pose gives.
            instruction: What to change, e.g. "raise the left arm a bit and bend the knees"; sides are the person's own.

        Returns:
            of the new pose a sentence, what was understood and whether the pose shows it
            its 24 joint rotations as axis-angle in radians (SMPL order) and its files (npz, glb, png)
            and a picture of it
        """
        (sample,) = self.policy.edit(read_pose(pose), str(instruction))
        with answer_folder() as folder:
            entry = self._entry(sample, folder, "pose")
        return {"instruction": instruction, **entry}, entry["files"]["picture"]

    @spoken
    def describe(self, pose: list[list[float]]) -> str:
        """Say in one English sentence what a 3D human pose shows.

        Args:
            pose: 24 joint rotations as axis-angle in radians, SMPL order: 24 lists of 3 numbers, as text_to_pose gives.

        Returns:
            the sentence
        """
        return self.policy.describe(read_pose(pose))

    def _entry(self, sample, folder: Path, stem: str) -> dict:
        """One sample's entry of result.json with its pose, and with files that the caller can fetch."""
        entry = write_sample(sample, self.renderer, folder, stem)
        files = {kind: served(folder / name) for kind, name in entry["files"].items()}
        return {**entry, "pose": sample.pose.axis_angle.astype(float).round(5).tolist(), "files": files}


@contextmanager
def answer_folder():
    """A folder of its own in Gradio's cache, whose files the page deletes after an hour; none is left by a failure."""
    root = Path(get_upload_folder())
    root.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(dir=root))
    try:
        yield folder
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def read_pose(numbers) -> Pose:
    """A pose from what a caller gave as one."""
    try:
        numbers = np.asarray(numbers, np.float32)
    except (TypeError, ValueError):
        raise PoseError("The pose must be 24 lists of 3 numbers (axis-angle in radians, SMPL order).") from None
    return Pose.from_axis_angle(numbers)


def served(path: Path) -> dict:
    """A file as Gradio's protocol names it; the caller gets an address to fetch it from."""
    return gr.FileData(path=str(path), orig_name=path.name).model_dump()


def uploaded(file) -> Path:
    """The file that a caller has uploaded; no other file of the server is read."""
    path = Path(str(file["path"] if isinstance(file, dict) and file.get("path") else "")).resolve()
    if not path.is_relative_to(Path(get_upload_folder()).resolve()) or not path.is_file():
        raise PhotoError("There is no photo; upload a file first, as docs/API.md shows.")
    return path


def number(name: str, value, kind, low, high):
    """An argument as `kind` between low and high; JSON may bring anything."""
    if (
        isinstance(value, bool)
        or not isinstance(value, int | float)
        or not low <= value <= high
        or kind(value) != value
    ):
        what = "a whole number" if kind is int else "a number"
        raise ApiError(f"{name} must be {what} from {low} to {high}, but it is {value!r:.40}.")
    return kind(value)
