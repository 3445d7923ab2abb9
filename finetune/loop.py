"""One training loop for every part of stage 1: schedule, log, atomic checkpoints, exact resume."""

import json
import math
import os
import time
from pathlib import Path

import torch


def save_atomically(state, path) -> None:
    """Write a torch checkpoint so that a kill at any moment leaves the old or the new file, never half of one."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(path.name + ".part")
    torch.save(state, temporary)
    os.replace(temporary, path)


def log(run_dir, **values) -> None:
    """Append one line to metrics.jsonl and print it."""
    values = {k: round(v, 5) if isinstance(v, float) else v for k, v in values.items()}
    with open(Path(run_dir) / "metrics.jsonl", "a") as file:
        file.write(json.dumps(values) + "\n")
    print("  ".join(f"{k} {v}" for k, v in values.items()), flush=True)


def cosine(step: int, steps: int, warmup: int = 100) -> float:
    """Share of the peak learning rate at a step: linear warm-up, then half a cosine down to 2%."""
    return min(1.0, (step + 1) / warmup) * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * step / steps)))


def train(name, modules: dict, loss_of, steps: int, learning_rate, config, weight_decay=1e-3):
    """Train `modules` for `steps`, going on from config.run_dir/NAME.pt where that exists.

    Args:
        modules: name -> nn.Module; parameters with requires_grad are trained, and saved.
        loss_of: f(generator) -> (loss, metrics); all its randomness comes from the generator, which is seeded by the
            step, so that a resumed run draws what the unbroken one would have drawn.
        learning_rate: peak of the schedule, one for all modules or one per module name.
        config: run_dir, seed and save_seconds are used.
    Raises:
        FloatingPointError: the loss is not a number; the last good checkpoint stays.
    """
    path = Path(config.run_dir) / f"{name}.pt"
    parameters = [p for module in modules.values() for p in module.parameters() if p.requires_grad]
    rates = learning_rate if isinstance(learning_rate, dict) else dict.fromkeys(modules, learning_rate)
    groups = [
        {"params": [p for p in module.parameters() if p.requires_grad], "peak": rates[key]}
        for key, module in modules.items()
    ]
    optimizer = torch.optim.AdamW(groups, weight_decay=weight_decay)
    first = 0
    if path.is_file():
        state = torch.load(path, map_location="cpu", weights_only=True)
        for key, module in modules.items():
            module.load_state_dict(state[key], strict=False)
        first = state["step"]
        if first < steps and state["optimizer"]:  # a finished run that is made longer has none
            optimizer.load_state_dict(state["optimizer"])

    def save(step):
        state = {key: trained_state(module) for key, module in modules.items()}
        save_atomically({"step": step, "optimizer": optimizer.state_dict() if step < steps else {}, **state}, path)

    saved = started = time.time()
    for module in modules.values():
        module.train()
    for step in range(first, steps):
        for group in optimizer.param_groups:
            group["lr"] = group["peak"] * cosine(step, steps)
        torch.manual_seed(config.seed * 1_000_003 + step)  # dropout
        generator = torch.Generator().manual_seed(config.seed * 1_000_003 + step)
        loss, metrics = loss_of(generator)
        if not torch.isfinite(loss):
            raise FloatingPointError(
                f"The loss of {name} is {loss.item()} at step {step}; lower its learning rate and run again."
            )
        optimizer.zero_grad()
        loss.backward()
        grad_norm = torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        if step % max(1, steps // 50) == 0 or step == steps - 1:
            log(
                config.run_dir,
                stage=name,
                step=step,
                loss=loss.item(),
                grad_norm=grad_norm.item(),
                seconds=round(time.time() - started),
                **metrics,
            )
        if time.time() - saved > config.save_seconds:
            saved = time.time()
            save(step + 1)
    if first < steps:
        save(steps)
    for module in modules.values():
        module.eval()


def trained_state(module) -> dict:
    """State of a module without the frozen weights: its buffers and what requires gradients."""
    frozen = {name for name, p in module.named_parameters() if not p.requires_grad}
    return {name: value for name, value in module.state_dict().items() if name not in frozen and "quant" not in name}
