"""One process of a training, for test_parallel.py: python tests/parallel_worker.py FOLDER OUT.pt [--key value ...]

Two steps in float32, where the number of processes leaves no trace; gradients, metrics and weights go to OUT.pt.
"""

import json
import sys
from pathlib import Path

import torch

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

import posegen.backbone  # noqa: E402

posegen.backbone.compute_dtype = lambda device: torch.float32

from test_trainer import settings  # noqa: E402

from finetune import parallel  # noqa: E402
from finetune.trainer import Trainer  # noqa: E402

torch.set_num_threads(1)
folder, out = Path(sys.argv[1]), Path(sys.argv[2])
more = dict(zip((key[2:] for key in sys.argv[3::2]), map(json.loads, sys.argv[4::2]), strict=True))
trainer = Trainer(settings(folder, **more))
for group in trainer.optimizer.param_groups:  # Adam divides by a gradient's own size, and makes of rounding a step
    group["eps"], group["peak"] = 1e-3, 10 * group["peak"]
gradients = {}
backward = trainer.backward


def watched(batch, drawn):
    metrics = backward(batch, drawn)
    named = trainer.lora | dict(trainer.policy.head.named_parameters())
    if not gradients:  # of the first update, before which weights are the same
        gradients.update({n: parallel.whole(p.grad).clone() for n, p in named.items() if p.grad is not None})
    return metrics


trainer.backward = watched
metrics = [{k: v for k, v in trainer.step(i).items() if not k.startswith("time/")} for i in range(2)]
weights = {n: parallel.whole(p.detach()).clone() for n, p in trainer.lora.items()}
weights |= {n: p.detach() for n, p in trainer.policy.head.named_parameters()}
trainer.save(2)
trainer.export()
if trainer.accelerator.is_main_process:
    torch.save({"gradients": gradients, "metrics": metrics, "weights": weights}, out)
