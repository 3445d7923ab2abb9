"""Settings of a training run: dataclasses, read from YAML, with `--key value` on top."""

from dataclasses import dataclass, field, fields
from pathlib import Path

import yaml

from finetune.hygrpo import Objective

OPTIMIZERS = ("adamw", "adamw_8bit", "paged_adamw_8bit")


class ConfigError(ValueError):
    """A setting that does not exist or has the wrong form; the message names it."""


def check_not_negative(settings) -> None:
    """ConfigError if a number among the fields of a dataclass is below 0."""
    for setting in fields(settings):
        value = getattr(settings, setting.name)
        if setting.type in (int, float) and value < 0:
            raise ConfigError(f"{setting.name} must not be negative, but it is {value}.")


@dataclass
class SFTConfig:
    """Stage 1, supervised: statements teach the head poses, words teach the reader statements, LoRA ties them."""

    section = "sft"

    poses: str = "../shared/data/mocap/poses.npz"
    """Pose file of the project (made by `python -m finetune data`): poses, clip, ... ; every tenth clip is held out."""
    renders: str = "runs/renders"
    """Folder for rendered photos with BlazePose landmarks (train/ and val/); made on first use."""
    run_dir: str = "runs/stage1"
    """Checkpoints and logs; a run that was stopped goes on from here."""
    output_dir: str = "runs/stage1/policy"
    """Where the finished policy is written."""
    backbone: str = "smollm2-135m"
    """Language model: the embedded default, a folder, or a hub id."""
    parts: str = ""
    """Policy folder whose reader, head and lifter are taken as they are, so that words alone are trained; none if
    empty."""
    dequantize: bool = True
    """Keep the language model's 4-bit rounding but hold its weights unpacked: faster, four times their memory."""
    gradient_checkpointing: bool = False
    """Compute the language model's MLPs again for the gradient instead of keeping what they computed."""
    attn_implementation: str = "sdpa"
    """Attention of the language model: sdpa, flash_attention_2 or eager."""
    device: str = "cpu"
    """Torch device: cpu or cuda."""
    seed: int = 0

    num_families: int = 40_000
    """Poses from parametric families."""
    num_recombined: int = 36_000
    """Poses with the upper body of one and the legs of another."""
    num_named: int = 30
    """Poses of each named pose of the lexicon."""
    num_renders: int = 3_000
    """Rendered training photos."""
    num_simulated: int = 120_000
    """Training poses with simulated landmarks."""

    components: int = 16
    """Gaussians in the mixture of the pose head."""
    lora_rank: int = 8
    head_steps: int = 10_000
    reader_steps: int = 8_000
    lifter_steps: int = 6_000
    talker_steps: int = 240
    """Optimiser steps of the four parts."""
    head_batch: int = 384
    reader_batch: int = 64
    lifter_batch: int = 256
    talker_batch: int = 24
    head_learning_rate: float = 1e-3
    reader_learning_rate: float = 1e-3
    encoder_learning_rate: float = 2e-4
    lifter_learning_rate: float = 1e-3
    lora_learning_rate: float = 1e-3
    save_seconds: float = 60.0
    """Time between checkpoints."""

    def __post_init__(self):
        check_not_negative(self)


@dataclass
class HyGRPOConfig(Objective):
    """Stage 2, reinforcement: group-relative policy optimisation of words and poses. See docs/HYGRPO.md."""

    section = "hygrpo"

    policy: str = "assets/policy"
    """Policy to start from; it is the reference, too."""
    run_dir: str = "runs/hygrpo"
    """Checkpoints and logs; a run that was stopped goes on from here."""
    output_dir: str = "runs/hygrpo/policy"
    """Where the last policy is written that evaluates within half a point of the best; the demo loads it."""
    device: str = "cpu"
    """Torch device: cpu or cuda."""
    dequantize: bool = True
    """Keep the language model's 4-bit rounding but hold its weights unpacked: faster, four times their memory."""
    gradient_checkpointing: bool = False
    """Compute the language model's MLPs again for the gradient instead of keeping what they computed."""
    attn_implementation: str = "sdpa"
    """Attention of the language model: sdpa, flash_attention_2 or eager."""
    optim: str = "adamw"
    """Optimizer: adamw, or bitsandbytes' adamw_8bit and paged_adamw_8bit, whose state takes a quarter."""
    seed: int = 0

    prompts: str = "assets/prompts/train.jsonl"
    """Prompts with the statements they ask for."""
    eval_prompts: str = "assets/prompts/validation.jsonl"
    """Prompts to evaluate on; never trained on."""
    photos: str = ""
    """Folder of pictures of people, or of renders with true poses (runs/renders/train)."""
    tasks: dict = field(default_factory=lambda: {"words": 1.0})
    """How often a step practises words and photos."""
    reward_weights: dict = field(
        default_factory=lambda: {"statements": 1.0, "semantic": 0.5, "plausible": 0.25, "format": 0.5, "truth": 1.0}
    )
    """Weight of each reward (finetune/rewards.py); 0 is not computed."""
    reward_file: str = ""
    """Python file with rewards of your own."""

    max_steps: int = 600
    prompts_per_step: int = 8
    """Prompts of a step; each gets num_generations answers."""
    num_generations: int = 4
    """Answers of a group."""
    poses_per_answer: int = 8
    """Poses of an answer."""
    text_every: int = 10
    """Answers have words in every so many steps, and are poses alone, which cost a fiftieth, in the others."""
    num_iterations: int = 1
    """Updates on the same answers."""
    gradient_accumulation_steps: int = 1
    """Parts in which a step's answers go through the networks: more of them need less memory."""
    temperature: float = 1.0
    """Of the tokens drawn; poses are drawn at 1."""
    max_completion_length: int = 40
    """Tokens of an answer after its pose."""
    learning_rate: float = 2e-5
    """Of the language model's LoRA."""
    beta_vague: float = 0.0
    """Weight of the poses' KL (nats) where less is said than the prompts say: vague words are not practised, and what
    nobody asks for drifts unless it is held to the reference; 0 = it drifts."""
    head_learning_rate: float = 1e-5
    """Of the pose head, and of the lifter on photos."""
    warmup_steps: int = 20
    max_grad_norm: float = 1.0

    eval_steps: int = 100
    """Steps between evaluations."""
    save_steps: int = 10
    """Steps between checkpoints."""
    min_diversity: float = 0.65
    """No policy is written out whose samples differ by less than this share of what they did at the start."""
    report_to: str = "none"
    """Tracker beside metrics.jsonl: none, tensorboard or trackio."""

    def __post_init__(self):
        super().__post_init__()
        for name in ("max_steps", "prompts_per_step", "num_generations", "poses_per_answer", "num_iterations",
                     "max_completion_length", "eval_steps", "save_steps", "gradient_accumulation_steps",
                     "text_every"):  # fmt: skip
            if getattr(self, name) < 1:
                raise ConfigError(f"{name} must be at least 1, but it is {getattr(self, name)}.")
        if self.optim not in OPTIMIZERS:
            raise ConfigError(f"optim must be one of {', '.join(OPTIMIZERS)}, but it is {self.optim!r}.")
        if self.prompts_per_step % self.gradient_accumulation_steps:
            raise ConfigError("prompts_per_step must be a multiple of gradient_accumulation_steps.")
        if self.num_generations * self.poses_per_answer < 2:
            raise ConfigError("A group needs at least two poses: raise num_generations or poses_per_answer.")
        if self.text_every > 1 and not self.pose_weight:
            raise ConfigError("With pose_weight 0, steps without words teach nothing; give --text_every 1.")
        for task, share in self.tasks.items():
            if task not in ("words", "photos") or not share >= 0:
                raise ConfigError(f"tasks are words and photos with shares of 0 or more, not {task}: {share}.")
        if not sum(self.tasks.values()) > 0:
            raise ConfigError("tasks must give words or photos a share above 0.")
        if self.tasks.get("photos", 0) > 0 and not self.photos:
            raise ConfigError("The task photos needs a folder: give --photos DIR.")


def load(cls, path=None, overrides: list[str] = ()):
    """A config of class `cls` from a YAML file and `--key value` pairs; `--key.name value` sets one entry of a dict.

    A file may hold settings for several commands, each under its name (`cls.section`).

    Raises:
        ConfigError: an unknown key, a missing value, or a value of the wrong type.
    """
    values = {}
    if path is not None:
        if not Path(path).is_file():
            raise ConfigError(f"There is no config file {path}; the shipped ones are in finetune/configs/.")
        values = yaml.safe_load(Path(path).read_text()) or {}
        values = values.get(getattr(cls, "section", None), values)
    known = {setting.name: setting for setting in fields(cls)}
    overrides = list(overrides)
    while overrides:
        key = overrides.pop(0)
        if not key.startswith("--") or not overrides:
            raise ConfigError(f"Settings are given as --key value; {key!r} does not fit.")
        key, _, entry = key[2:].partition(".")
        value = yaml.safe_load(overrides.pop(0))
        if entry and key in known:
            whole = values.get(key, known[key].default_factory() if callable(known[key].default_factory) else None)
            if not isinstance(whole, dict):
                raise ConfigError(f"{key} has no entries; write --{key} VALUE.")
            value = whole | {entry: value}
        values[key] = value
    for key, value in values.items():
        if key not in known:
            raise ConfigError(f"There is no setting {key!r}; there are {', '.join(known)}.")
        values[key] = converted(key, value, known[key].type)
    return cls(**values)


def converted(key: str, value, kind):
    """A value as the field's type; ConfigError where it cannot be."""
    optional = not isinstance(kind, type)  # float | None
    if optional and value is None:
        return None
    kind = kind.__args__[0] if optional else kind
    try:
        if kind is dict and not all(isinstance(v, int | float) for v in value.values()):
            raise ValueError
        return kind(value)
    except (TypeError, ValueError, AttributeError):
        raise ConfigError(f"{key} must be of type {kind.__name__}, but it is {value!r}.") from None
