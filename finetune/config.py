"""Settings of a training run: dataclasses, read from YAML, with `--key value` on top."""

from dataclasses import dataclass, fields
from pathlib import Path

import yaml


class ConfigError(ValueError):
    """A setting that does not exist or has the wrong form; the message names it."""


@dataclass
class SFTConfig:
    """Stage 1, supervised: statements teach the head poses, words teach the reader statements, LoRA ties them."""

    poses: str = "../shared/data/mocap/poses.npz"
    """Pose file of the project (made by `python -m finetune data`): poses, clip, ... ; every tenth clip is held out."""
    renders: str = "runs/renders"
    """Folder for rendered photos with BlazePose landmarks (train/ and val/); made on first use."""
    run_dir: str = "runs/stage1"
    """Checkpoints and logs; a run that was stopped goes on from here."""
    output_dir: str = "assets/policy"
    """Where the finished policy is written."""
    backbone: str = "smollm2-135m"
    """Language model: the embedded default, a folder, or a hub id."""
    device: str = "cpu"
    """Torch device: cpu or cuda."""
    seed: int = 0

    num_families: int = 40_000
    """Poses from parametric families."""
    num_recombined: int = 36_000
    """Poses with the upper body of one and the legs of another."""
    num_named: int = 40
    """Poses of each named pose of the lexicon."""
    num_captions: int = 60_000
    """Captions whose features the reader learns from."""
    num_renders: int = 3_000
    """Rendered training photos."""
    num_simulated: int = 120_000
    """Training poses with simulated landmarks."""

    components: int = 16
    """Gaussians in the mixture of the pose head."""
    lora_rank: int = 8
    head_steps: int = 10_000
    reader_steps: int = 12_000
    lifter_steps: int = 6_000
    talker_steps: int = 240
    """Optimiser steps of the four parts."""
    head_batch: int = 384
    reader_batch: int = 64
    lifter_batch: int = 256
    talker_batch: int = 24
    head_learning_rate: float = 1e-3
    reader_learning_rate: float = 1e-3
    lifter_learning_rate: float = 1e-3
    lora_learning_rate: float = 1e-3
    save_seconds: float = 60.0
    """Time between checkpoints."""

    def __post_init__(self):
        for field in fields(self):
            value = getattr(self, field.name)
            if field.type in (int, float) and value < 0:
                raise ConfigError(f"{field.name} must not be negative, but it is {value}.")


def load(cls, path=None, overrides: list[str] = ()):
    """A config of class `cls` from a YAML file and `--key value` pairs.

    Raises:
        ConfigError: an unknown key, a missing value, or a value of the wrong type.
    """
    values = {}
    if path is not None:
        if not Path(path).is_file():
            raise ConfigError(f"There is no config file {path}; the shipped ones are in finetune/configs/.")
        values = yaml.safe_load(Path(path).read_text()) or {}
    overrides = list(overrides)
    while overrides:
        key = overrides.pop(0)
        if not key.startswith("--") or not overrides:
            raise ConfigError(f"Settings are given as --key value; {key!r} does not fit.")
        values[key[2:]] = yaml.safe_load(overrides.pop(0))
    types = {field.name: field.type for field in fields(cls)}
    for key, value in values.items():
        if key not in types:
            raise ConfigError(f"There is no setting {key!r}; there are {', '.join(types)}.")
        try:
            values[key] = types[key](value)
        except (TypeError, ValueError):
            raise ConfigError(f"{key} must be of type {types[key].__name__}, but it is {value!r}.") from None
    return cls(**values)
