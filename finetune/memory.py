"""What memory a reinforcement run will need, from the shapes of its models: nothing is loaded."""

import json
import math
import re
from dataclasses import dataclass
from pathlib import Path

import torch

from finetune.config import HyGRPOConfig
from posegen.backbone import FULL_PRECISION, LORA_TARGETS, compute_dtype, resolve
from posegen.policy import find_folder, read_config

GB = 1e9
PROMPT_TOKENS = 64  # of a long prompt in words, with the chat around it
PICTURE_TOKENS = 256  # of a picture, Qwen2.5-VL's; other models have 64 to 576
SOFT_TOKENS = 10  # a pose in an answer: `<POSE>`, up to eight statements, `<POSE>`
#: Bytes that a layer keeps of a token for the gradient: norms and LoRA's inputs in float32 and what attention reads, a
#: multiple of the hidden size; its MLP, a multiple of the intermediate size. Counted in tests/test_memory.py.
KEPT_BY_ATTENTION = 48
KEPT_BY_MLP = 3
OWN = 0.7  # GB that Python, torch and their libraries take


@dataclass
class Plan:
    """What a run needs: parts, name -> GB, and the backbone they were worked out for."""

    backbone: str
    parts: dict[str, float]

    @property
    def total(self) -> float:
        return sum(self.parts.values())

    def __str__(self) -> str:
        rows = [f"  {name:<58}{gb:7.2f} GB" for name, gb in (self.parts | {"together": self.total}).items()]
        return "\n".join([f"Memory plan for {self.backbone}:", *rows])


def plan(config: HyGRPOConfig) -> Plan:
    """The memory that `python -m finetune hygrpo` will need at its peak, to within a third.

    Raises:
        PolicyError, OSError: there is no such policy, or its backbone's config.json is not at hand.
    """
    name = read_config(find_folder(config.policy))["backbone"]
    shapes, model = skeleton(name)
    sees = hasattr(shapes, "vision_config")
    text = shapes.get_text_config()
    width = compute_dtype(config.device).itemsize
    sizes = weight_sizes(model, sees, width, width if config.dequantize else 0.5 + 4 / 64)
    rank = json.loads((find_folder(config.policy) / "adapter" / "adapter_config.json").read_text())["r"]
    learns = sum(
        rank * sum(module.weight.shape) for name, module in model.named_modules() if is_lora_target(name, module)
    )
    heads = sum(file.stat().st_size for file in head_files(config.policy)) * 2  # kept in 8 bits; a half is trained
    moments = 8 if config.optim == "adamw" else 2
    looks = sees and "photos" in config.tasks
    prompts = config.prompts_per_step // config.gradient_accumulation_steps
    asked = PROMPT_TOKENS + PICTURE_TOKENS * looks
    answer = SOFT_TOKENS + config.max_completion_length
    answers = prompts * config.num_generations
    read = prompts * asked + answers * answer
    kv = getattr(text, "num_key_value_heads", text.num_attention_heads)
    head = getattr(text, "head_dim", None) or text.hidden_size // text.num_attention_heads
    cached = answers * (asked + answer) * text.num_hidden_layers * 2 * kv * head * width
    mlp = 0 if config.gradient_checkpointing else KEPT_BY_MLP * width * text.intermediate_size
    kept = read * text.num_hidden_layers * (KEPT_BY_ATTENTION * text.hidden_size + mlp)
    logits = answers * (config.max_completion_length + 2) * text.vocab_size * (2 * 4 + width)
    kind = "unpacked" if config.dequantize else "4 bits"
    parts = {
        f"language model, {text.num_hidden_layers} layers of {text.hidden_size}, {kind}": sizes["layers"],
        "embeddings and output": sizes["tables"],
        "vision, not quantized": sizes["vision"],
        f"LoRA of rank {rank} on queries and values, gradients, optimizer": learns * (4 + 4 + 4 + moments),
        "pose head, lifter, reader, the same and the reference": heads * (4 + 4 + 4 + moments) / 2,
        f"cache of {answers} answers, {asked} + {answer} tokens each": cached,
        f"kept for the gradient, {read} tokens" + (", MLPs computed again" if not mlp else ""): kept,
        "logits of the answers and their gradients": logits,
    }
    return Plan(name, {key: value / GB for key, value in parts.items() if value} | {"Python and torch": OWN})


def skeleton(name: str):
    """A backbone's config, and its model without any memory for weights."""
    from transformers import AutoConfig, AutoModelForCausalLM, AutoModelForImageTextToText

    shapes = AutoConfig.from_pretrained(resolve(name))
    kind = AutoModelForImageTextToText if hasattr(shapes, "vision_config") else AutoModelForCausalLM
    with torch.device("meta"):
        return shapes, kind.from_config(shapes)


def weight_sizes(model, sees: bool, width: float, four_bits: float) -> dict[str, float]:
    """Bytes of the language model's layers, of its tables, and of what sees; `four_bits` a weight that is quantized."""
    sizes = dict.fromkeys(("layers", "tables", "vision"), 0.0)
    linear = {f"{name}.weight" for name, module in model.named_modules() if isinstance(module, torch.nn.Linear)}
    for name, weight in model.named_parameters():
        if sees and any(name.startswith(part) for part in FULL_PRECISION[:-1]):
            sizes["vision"] += weight.numel() * width
        elif ".layers." in name:
            sizes["layers"] += weight.numel() * (four_bits if name in linear else width)
        else:
            sizes["tables"] += weight.numel() * width
    return sizes


def is_lora_target(name: str, module) -> bool:
    return isinstance(module, torch.nn.Linear) and re.fullmatch(LORA_TARGETS, name) is not None


def head_files(policy: str) -> list[Path]:
    folder = find_folder(policy)
    config = read_config(folder)
    return [path for f in {folder, folder / str(config.get("base", ""))} if (path := f / "heads.safetensors").exists()]


def free(device: str) -> float:
    """GB that a device has left."""
    if device.startswith("cuda"):
        return torch.cuda.mem_get_info()[0] / GB
    status = Path("/proc/meminfo")
    if not status.is_file():
        return math.inf
    return int(re.search(r"MemAvailable:\s*(\d+) kB", status.read_text())[1]) * 1024 / GB
