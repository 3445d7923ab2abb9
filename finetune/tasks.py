"""What HyGRPO practises on: words (prompts with the statements they ask for) and photos (landmarks of people).

A task deals out batches: prompts, columns for the rewards, and a function from the trained heads to the distributions
of the prompts' poses.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np
import roma
import torch

from finetune.config import ConfigError
from finetune.data import photos
from finetune.photo_evaluation import readings_of
from posegen import posecodes
from posegen.photo import PhotoError, find_people, landmark_features, load_photo
from posegen.policy import DESCRIBE, PromptError, check_prompt
from posegen.sight import around

PICTURES = {".jpg", ".jpeg", ".png", ".webp"}


@dataclass
class Batch:
    """P prompts.

    Attributes:
        prompts: what the poses are to fit, as rewards are told.
        asked: what the language model is told: the prompt, or the request to describe whatever the pose is.
        columns: what rewards may ask for, each a list of P entries.
        distribution: f(heads, chart) -> PoseDistribution of P rows, in `chart` (None: the heads' own); heads has the
            modules `head` and `lifter`.
        vague: the same for less than the prompts say, which is not practised and shall stay as it was; or None.
        pictures: for a model that sees, P functions that open the pictures that the prompts are about; else empty.
    """

    prompts: list[str]
    asked: list[str]
    columns: dict[str, list]
    distribution: Callable
    vague: Callable | None = None
    pictures: list[Callable] = field(default_factory=list)


class Words:
    """Prompts from a JSON-lines file: {"prompt": "...", "statements": ["left_arm_up", ...]} each.

    What the reader makes of a prompt is fixed: the head learns to obey it, and rewards ask for what was really meant.
    Of every second one the language model is told only to describe the pose, as it is for photos and edits.
    """

    def __init__(self, path, policy):
        self.prompts, self.statements = read_prompts(path)
        self.policy = policy

    def __len__(self):
        return len(self.prompts)

    def longest(self, count: int) -> list[int]:
        """Indices of the longest prompts."""
        return sorted(range(len(self)), key=lambda i: -len(self.prompts[i]))[:count]

    def batch(self, index: list[int]) -> Batch:
        prompts = [self.prompts[i] for i in index]
        given = (self.policy.read(prompts).probabilities > 0.5).float()
        few = thinned(given, sum(index))
        return Batch(
            prompts, [DESCRIBE if i % 2 else prompt for i, prompt in enumerate(prompts)],
            {"statements": [self.statements[i] for i in index]}, lambda heads, chart: heads["head"](given),
            lambda heads: heads["head"](few),
        )  # fmt: skip


def thinned(given: torch.Tensor, seed: int) -> torch.Tensor:
    """One to three of the statements of each row (P, S), as many rows as vague prompts would have."""
    order = torch.rand(given.shape, generator=torch.Generator().manual_seed(seed)) * given
    count = torch.randint(1, 4, (len(given), 1), generator=torch.Generator().manual_seed(seed))
    return (order.argsort(1, descending=True).argsort(1) < count).float() * given


def read_prompts(path) -> tuple[list[str], list[tuple[int, ...]]]:
    """Prompts and the indices of their statements.

    Raises:
        ConfigError: there is no such file, or a line of it is broken; the message names the line.
    """
    path = Path(path)
    if not path.is_file():
        raise ConfigError(f"There is no prompt file {path}; the shipped ones are in assets/prompts.")
    prompts, statements = [], []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
            prompts.append(check_prompt(row["prompt"]))
            statements.append(tuple(posecodes.INDEX[name] for name in row["statements"]))
        except PromptError as error:
            raise ConfigError(f"{path.name}, line {number}: {error}") from None
        except (ValueError, KeyError, TypeError, AttributeError):
            raise ConfigError(
                f'{path.name}, line {number} is not {{"prompt": "...", "statements": ["name of a statement", ...]}}.'
            ) from None
    if not prompts:
        raise ConfigError(f"The prompt file {path.name} is empty.")
    return prompts, statements


class Photos:
    """Landmarks of people in photos: of a folder of pictures, or of renders whose true poses are known.

    sees: the pictures are shown to the language model, too.
    """

    def __init__(self, folder, sees: bool = False):
        folder, self.sees = Path(folder), sees
        self.rows = photos.load_renders(folder) if list(folder.glob("*.npz")) else read_pictures(folder)
        if sees and "picture" not in self.rows:
            raise ConfigError(
                f"The renders in {folder} were made without their pictures, which this model looks at; make them again "
                "with `python -m finetune.data.photos` in another folder, or give --text_weight 0."
            )
        self.readings = readings_of(self.rows)
        self.features = torch.from_numpy(landmark_features(*self.readings))
        every = list(range(len(self.features)))
        self.evaluated = every[::10]  # kept from training
        self.trained = [i for i in every if i % 10] or every

    def __len__(self):
        return len(self.trained)

    def longest(self, count: int) -> list[int]:
        """Indices of as many people; all ask the same."""
        return [i % len(self) for i in range(count)]

    def batch(self, index: list[int]) -> Batch:
        return self.of([self.trained[i] for i in index])

    def held_out(self) -> Batch:
        """Every tenth person."""
        return self.of(self.evaluated)

    def of(self, index: list[int]) -> Batch:
        features = self.features[index]
        landmarks, _, visibility, frame = (np.asarray(part)[index] for part in self.readings)
        columns = {"landmarks_2d": list(landmarks), "visibility": list(visibility), "frame": list(frame)}
        if "axis_angle" in self.rows:
            columns["target"] = list(roma.rotvec_to_rotmat(torch.from_numpy(self.rows["axis_angle"][index])))
        device = lambda heads: heads["lifter"].mean.device  # noqa: E731
        return Batch(
            *[[DESCRIBE] * len(index)] * 2, columns,
            lambda heads, chart: heads["lifter"](features.to(device(heads)), chart),
            pictures=[partial(open_picture, self.rows["picture"][i], self.rows["box"][i]) for i in index if self.sees],
        )  # fmt: skip


def open_picture(file: str, box):
    """The part of a picture around a person (PIL)."""
    return around(load_photo(file), box)


def read_pictures(folder: Path) -> dict[str, np.ndarray]:
    """Landmarks of everybody in the pictures of a folder, as `photos.load_renders` gives them, but without truth.

    Raises:
        ConfigError: there is no such folder, or nobody is found in its pictures.
    """
    files = sorted(p for p in folder.rglob("*") if p.suffix.lower() in PICTURES) if folder.is_dir() else []
    found, seen = [], []
    for file in files:
        try:
            photo = load_photo(file)
        except PhotoError:
            continue
        found += [(person, photo.size) for person in find_people(photo)]
        seen += [str(file)] * (len(found) - len(seen))
    if not found:
        raise ConfigError(
            f"Nobody was found in the {len(files)} pictures of {folder}; give a folder of photos of people."
        )
    return {
        "landmarks_2d": np.stack([d.landmarks_2d for d, _ in found]),
        "landmarks_world": np.stack([d.landmarks_world for d, _ in found]),
        "visibility": np.stack([d.visibility for d, _ in found]),
        "frame": np.array([size for _, size in found]),
        "picture": np.array(seen),
        "box": np.stack([d.box for d, _ in found]),
    }
