"""Several processes of one training: who has which answers, and how what they find comes together.

Prompts are dealt out, everything else is the same everywhere: each process draws the random numbers of the whole batch
and takes its rows, so that a run comes out the same on any number of processes. Gradients, which only LoRA and the
small heads have, are averaged in one message a step. Without `accelerate launch` there is one process, and every
function here gives back what it was given.
"""

import os
import signal
from contextlib import contextmanager

import torch
import torch.distributed as dist
from accelerate import Accelerator
from accelerate.utils import DistributedType


class ProcessLost(ValueError):
    """Another process of this training has ended."""

    def __init__(self):
        super().__init__(
            "Another process of this training has ended, so this one stops, too; run the same command again: it goes "
            "on from the last checkpoint."
        )


@contextmanager
def losses_named():
    """ProcessLost where waiting for another process fails, or torchrun ends this one since another has ended."""
    if int(os.environ.get("WORLD_SIZE", 1)) == 1:
        yield
        return

    def told_to_end(*_):
        raise ProcessLost

    before = signal.signal(signal.SIGTERM, told_to_end)
    try:
        yield
    except RuntimeError as error:
        if not lost(error):
            raise
        raise ProcessLost from error
    finally:
        signal.signal(signal.SIGTERM, before)


def lost(error: Exception) -> bool:
    """Whether an error speaks of a connection; gloo's are plain RuntimeErrors."""
    told = str(error).lower()
    return isinstance(error, dist.DistError) or any(
        word in told for word in ("gloo", "connection closed", "connection reset", "broken pipe", "nccl")
    )


def own_rows(accelerator: Accelerator, count: int) -> torch.Tensor:
    """Which of `count` rows, dealt out in one piece each, are this process's."""
    return torch.arange(count).chunk(accelerator.num_processes)[accelerator.process_index]


def uniform(accelerator: Accelerator, generator: torch.Generator):
    """f(n) -> (n, 1) random numbers of this process's n rows; the generator draws those of all processes."""

    def draw(n: int) -> torch.Tensor:
        everyone = torch.rand(n * accelerator.num_processes, 1, generator=generator)
        return everyone[n * accelerator.process_index :][:n]

    return draw


def gather(accelerator: Accelerator, values: torch.Tensor) -> torch.Tensor:
    """The rows (n, ...) of all processes, one's after another's, on the CPU."""
    if accelerator.num_processes == 1:
        return values.cpu()
    return accelerator.gather(values.to(accelerator.device)).cpu()


def average_gradients(accelerator: Accelerator, parameters: list) -> None:
    """Replace gradients by their mean over processes; those of sharded weights are that already."""
    if accelerator.num_processes == 1:
        return
    mine = [p.grad for p in parameters if p.grad is not None and not is_sharded(p)]
    if mine:
        together = accelerator.reduce(torch.cat([g.flatten() for g in mine]), "mean")
        for grad, mean in zip(mine, together.split([g.numel() for g in mine]), strict=True):
            grad.copy_(mean.view_as(grad))


def weighted_means(accelerator: Accelerator, parts: list[dict[str, tuple[float, float]]]) -> dict[str, float]:
    """Means over parts and processes of metrics (value, weight), of which all parts have the same; the largest of those
    whose names end in "_max". What has no weight anywhere is left out."""
    names = sorted(parts[0])
    table = gather(accelerator, torch.tensor([[part[name] for name in names] for part in parts], dtype=torch.float64))
    values, weights = table.unbind(-1)
    means = (values * weights).sum(0) / weights.sum(0)
    peaks = values.amax(0)
    return {
        name: (peaks if name.endswith("_max") else means)[k].item()
        for k, name in enumerate(names)
        if weights[:, k].sum() > 0
    }


# ---- weights that are shared out (FSDP)


def is_sharded(tensor) -> bool:
    return hasattr(tensor, "full_tensor")


def shards(accelerator: Accelerator) -> bool:
    """Whether `accelerate launch --use_fsdp` was asked for."""
    return accelerator.distributed_type == DistributedType.FSDP or (
        accelerator.num_processes > 1 and os.environ.get("ACCELERATE_USE_FSDP", "").lower() == "true"
    )


def shard(accelerator: Accelerator, backbone) -> None:
    """Share the layers of the language model out among processes: each holds its part of every layer."""
    from torch.distributed.device_mesh import init_device_mesh
    from torch.distributed.fsdp import fully_shard

    mesh = init_device_mesh(accelerator.device.type, (accelerator.num_processes,))
    for layer in backbone.layers:
        fully_shard(layer, mesh=mesh, reshard_after_forward=True)
    backbone.in_step = True


def whole(tensor: torch.Tensor) -> torch.Tensor:
    """A tensor in one piece; of a sharded one, all processes must ask."""
    return tensor.full_tensor() if is_sharded(tensor) else tensor


def like(parameter: torch.Tensor, value: torch.Tensor) -> torch.Tensor:
    """This process's part of a whole tensor that goes with a parameter; all of it where nothing is sharded."""
    if not is_sharded(parameter) or value.shape != parameter.shape:
        return value
    from torch.distributed.tensor import distribute_tensor

    return distribute_tensor(value.to(parameter.device), parameter.device_mesh, parameter.placements)


def fill(parameter: torch.Tensor, value: torch.Tensor) -> None:
    """Write a whole tensor into a parameter, or this process's part of it."""
    parameter.data.copy_(like(parameter, value))


def adapter_state(backbone) -> dict[str, torch.Tensor]:
    """The adapter's weights in one piece; all processes must ask."""
    state = backbone.model.state_dict()
    return {name: whole(value) for name, value in state.items() if "lora_" in name or "trainable_tokens" in name}
