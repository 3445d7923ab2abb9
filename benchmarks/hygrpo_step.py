"""A HyGRPO step against one of TRL's GRPOTrainer: same language model, same prompt, same number of new tokens.

python benchmarks/hygrpo_step.py        (needs requirements-dev.txt; about three minutes on two cores)

TRL draws, scores and learns from 8 answers of 24 tokens; HyGRPO from 8 answers of 24 tokens with 8 poses each. Steps of
the two take turns, so that a slow minute of the machine is shared.
"""

import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("HF_HUB_OFFLINE", "1")
ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

PROMPT = "A person kneels on the left knee with both arms stretched out to the sides."
G, NEW_TOKENS, STEPS = 8, 24, 7


def without_eos(choose, eos: int):
    """The same choice of tokens, but the end of turn is never chosen: every answer has all its tokens."""
    return lambda logits, *rest: choose(logits.index_fill(1, logits.new_tensor([eos]).long(), float("-inf")), *rest)


def hygrpo(folder: Path):
    """A function that does one step and returns its metrics."""
    import json

    from finetune.config import HyGRPOConfig
    from finetune.trainer import Trainer

    prompts = folder / "prompts.jsonl"
    statements = ["kneeling_on_left_knee", "left_arm_sideways", "right_arm_sideways"]
    prompts.write_text(json.dumps({"prompt": PROMPT, "statements": statements}))
    config = HyGRPOConfig(
        text_every=1,  # TRL has words in every step
        policy=str(ROOT / "assets" / "policy"), run_dir=str(folder / "run"), prompts=str(prompts), prompts_per_step=1,
        num_generations=G, poses_per_answer=8, max_completion_length=NEW_TOKENS,
        reward_weights={"statements": 1.0, "plausible": 0.25, "format": 0.5},
    )  # fmt: skip
    trainer = Trainer(config)
    backbone = trainer.policy.backbone
    backbone.choose = without_eos(backbone.choose, backbone.tokenizer.eos_token_id)
    steps = iter(range(1000))
    return lambda: trainer.step(next(steps)), trainer


def trl(folder: Path):
    """A function that does one step of TRL's trainer on the same language model, read from the same files."""
    from datasets import Dataset
    from peft import LoraConfig
    from trl import GRPOConfig, GRPOTrainer

    from posegen.backbone import LORA_TARGETS, Backbone

    # A fresh adapter of the same shape, without the row of <POSE>: TRL's fused loss cannot go through peft's rows.
    backbone = Backbone.load("smollm2-135m", None, trainable=False, device="cpu", dequantize=True)
    arguments = GRPOConfig(
        output_dir=str(folder / "trl"), use_cpu=True, per_device_train_batch_size=G, num_generations=G, beta=0.02,
        max_completion_length=NEW_TOKENS, generation_kwargs={"min_new_tokens": NEW_TOKENS}, max_steps=1,
        report_to=[], save_strategy="no", logging_strategy="no", disable_tqdm=True, gradient_checkpointing=False,
        bf16=False,
    )  # fmt: skip
    data = Dataset.from_list([{"prompt": [{"role": "user", "content": PROMPT}]}] * G)
    reward = lambda completions, **columns: [float(len(str(c)) % 7) for c in completions]  # noqa: E731
    trainer = GRPOTrainer(
        model=backbone.model, reward_funcs=reward, args=arguments, train_dataset=data,
        processing_class=backbone.tokenizer,
        peft_config=LoraConfig(r=8, lora_alpha=16, target_modules=LORA_TARGETS, task_type="CAUSAL_LM"),
    )  # fmt: skip
    trainer.create_optimizer_and_scheduler(1000)
    trainer.current_gradient_accumulation_steps = 1
    rows = [data[0]] * G

    def step():
        trainer.model.train()
        inputs = trainer._generate_and_score_completions(rows)
        loss = trainer.compute_loss(trainer.model, inputs)
        loss.backward()
        trainer.optimizer.step()
        trainer.optimizer.zero_grad()
        return inputs

    return step


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        ours, trainer = hygrpo(Path(folder))
        theirs = trl(Path(folder))
        length = theirs()["completion_mask"].sum(1).float().mean().item()
        ours()
        taken, phases = {"TRL": [], "HyGRPO": []}, []
        for _ in range(STEPS):
            for name, step in (("TRL", theirs), ("HyGRPO", ours)):
                start = time.perf_counter()
                metrics = step()
                taken[name].append(time.perf_counter() - start)
            phases.append([metrics[f"time/{phase}"] for phase in ("rollout", "rewards", "update")])
        prefill = prefill_seconds(trainer)
    median = {name: statistics.median(values) for name, values in taken.items()}
    print(f"{G} answers of {length:.0f} (TRL) and {metrics['completions/mean_length']:.0f} (HyGRPO) tokens\n")
    print(f"| | seconds a step, median of {STEPS} |\n|---|---|")
    for name, value in median.items():
        print(f"| {name} | {value:.2f} |")
    print(f"| HyGRPO / TRL | {median['HyGRPO'] / median['TRL']:.2f} |")
    total = [sum(row) for row in phases]
    for i, phase in enumerate(("rollout", "rewards", "update")):
        share = statistics.median(row[i] / all_ for row, all_ in zip(phases, total, strict=True))
        print(f"| share of HyGRPO's {phase} | {share:.0%} |")
    print(f"| reading the prompt once / {G} times | {prefill[0]:.3f} / {prefill[1]:.3f} |")


def prefill_seconds(trainer) -> tuple[float, float]:
    """Seconds to read the prompt once and repeat its cache, and to read it G times."""
    import torch

    backbone = trainer.policy.backbone
    row = backbone.prompt(backbone.words(PROMPT))
    out = []
    for count in (1, G):
        ids, mask = backbone.pad_left([row] * count)
        seconds = []
        for _ in range(5):
            start = time.perf_counter()
            with torch.no_grad():
                backbone.prefill(backbone.embed(ids), mask).repeat(G // count)
            seconds.append(time.perf_counter() - start)
        out.append(statistics.median(seconds))
    return out[0], out[1]


if __name__ == "__main__":
    main()
