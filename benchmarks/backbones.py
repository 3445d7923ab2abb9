"""HyGRPO on a big vision-language model: memory, time, tokens and poses a second, and TRL's GRPOTrainer beside it.

python benchmarks/backbones.py --shape qwen2.5-vl-3b --device cuda      (needs requirements-dev.txt)
python benchmarks/backbones.py --shape tiny --prompt_tokens 120 --steps 2           (that it runs, on a CPU)

Weights are random, in the shapes of the model: time and memory do not ask what they say. Both trainers draw, score and
learn from the same number of answers of the same length after prompts of the same length with one picture; HyGRPO's
have poses, too. Random answers do not begin with <POSE>, so it is forced.
"""

import argparse
import os
import re
import statistics
import sys
import tempfile
import threading
import time
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("HF_HUB_OFFLINE", "1")
ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

#: shape -> family, of the language model, of what sees (from the models' own config.json)
SHAPES = {
    "tiny": ("qwen2_5_vl", {}, {}),
    "qwen2.5-vl-3b": (
        "qwen2_5_vl",
        {"hidden_size": 2048, "intermediate_size": 11008, "num_hidden_layers": 36, "num_attention_heads": 16,
         "num_key_value_heads": 2, "vocab_size": 151_936,
         "max_position_embeddings": 32_768,
         "tie_word_embeddings": True,
         "layer_types": ["full_attention"] * 36,
         "rope_parameters": {"rope_type": "default", "mrope_section": [16, 24, 24], "rope_theta": 1e6}},
        {"depth": 32, "hidden_size": 1280, "intermediate_size": 3420, "num_heads": 16, "out_hidden_size": 2048,
         "fullatt_block_indexes": [7, 15, 23, 31]},
    ),
    "qwen3-vl-2b": (
        "qwen3_vl",
        {"hidden_size": 2048, "intermediate_size": 6144, "num_hidden_layers": 28, "num_attention_heads": 16,
         "num_key_value_heads": 8, "head_dim": 128, "vocab_size": 151_936, "max_position_embeddings": 32_768,
         "tie_word_embeddings": True,
         "rope_parameters": {"rope_type": "default", "mrope_section": [24, 20, 20], "mrope_interleaved": True,
                             "rope_theta": 5e6}},
        {"depth": 24, "hidden_size": 1024, "intermediate_size": 4096, "num_heads": 16, "out_hidden_size": 2048,
         "deepstack_visual_indexes": [5, 11, 17], "num_position_embeddings": 2304},
    ),
    "qwen3-vl-4b": (
        "qwen3_vl",
        {"hidden_size": 2560, "intermediate_size": 9728, "num_hidden_layers": 36, "num_attention_heads": 32,
         "num_key_value_heads": 8, "head_dim": 128, "vocab_size": 151_936, "max_position_embeddings": 32_768,
         "tie_word_embeddings": True,
         "rope_parameters": {"rope_type": "default", "mrope_section": [24, 20, 20], "mrope_interleaved": True,
                             "rope_theta": 5e6}},
        {"depth": 24, "hidden_size": 1024, "intermediate_size": 4096, "num_heads": 16, "out_hidden_size": 2560,
         "deepstack_visual_indexes": [5, 11, 17], "num_position_embeddings": 2304},
    ),
    "smolvlm2-2.2b": (
        "smolvlm",
        {"hidden_size": 2048, "intermediate_size": 8192, "num_hidden_layers": 24, "num_attention_heads": 32,
         "num_key_value_heads": 32, "head_dim": 64, "max_position_embeddings": 8192},
        {"hidden_size": 1152, "intermediate_size": 4304, "num_hidden_layers": 27, "num_attention_heads": 16},
    ),
    "llava-1.5-7b": (
        "llava",
        {"hidden_size": 4096, "intermediate_size": 11008, "num_hidden_layers": 32, "num_attention_heads": 32,
         "num_key_value_heads": 32, "head_dim": 128, "max_position_embeddings": 4096},
        {"hidden_size": 1024, "intermediate_size": 4096, "num_hidden_layers": 24, "num_attention_heads": 16},
    ),
}  # fmt: skip
PHOTO = ROOT / "assets" / "examples" / "lunge.jpg"


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--shape", choices=SHAPES, default="qwen2.5-vl-3b")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--prompt_tokens", type=int, default=512, help="of a prompt, its picture's among them")
    parser.add_argument("--new_tokens", type=int, default=40)
    parser.add_argument("--generations", type=int, nargs="+", default=[8])
    parser.add_argument("--poses", type=int, default=4)
    parser.add_argument("--steps", type=int, default=5)
    parser.add_argument("--gradient_checkpointing", action="store_true")
    parser.add_argument("--without_trl", action="store_true")
    return parser.parse_args()


def write_policy(shape: str, folder: Path, device: str) -> Path:
    """A policy on a random model of a shape; reader, head and lifter are the shipped ones."""
    import torch
    from tiny_models import write

    from posegen import posecodes
    from posegen.backbone import Backbone
    from posegen.head import StatementTokens
    from posegen.policy import PosePolicy, save_policy

    family, text, vision = SHAPES[shape]
    write(family, folder / "model", text, vision, device)
    backbone = Backbone.load(str(folder / "model"), trainable=True, device=device)
    shipped = PosePolicy.from_pretrained()
    tokens = StatementTokens(len(posecodes.NAMES), backbone.hidden_size)
    save_policy(
        folder / "policy", str(folder / "model"), backbone, shipped.head, shipped.reader, shipped.lifter, tokens
    )
    del backbone
    if device != "cpu":
        torch.cuda.empty_cache()
    return folder / "policy"


def length_of_prompt(processor, text: str) -> int:
    from PIL import Image

    from posegen.sight import request

    return request(processor, [Image.open(PHOTO)], text, [])["input_ids"].shape[1]


def padded_request(processor, tokens: int) -> str:
    """Words with which a prompt about a picture has about so many tokens."""
    words, bare = "Describe the pose.", length_of_prompt(processor, "Describe the pose.")
    each = (length_of_prompt(processor, words + " word" * 20) - bare) / 20
    return words + " word" * max(0, round((tokens - bare) / each))


def hygrpo(args, policy: Path, folder: Path, G: int):
    """A function that does one step and returns its metrics, and the trainer."""
    import shutil
    from dataclasses import replace

    import torch

    from finetune.config import HyGRPOConfig
    from finetune.trainer import Trainer
    from posegen.sight import load_processor

    (folder / "photos").mkdir(exist_ok=True)
    shutil.copy(PHOTO, folder / "photos")
    config = HyGRPOConfig(
        policy=str(policy), run_dir=str(folder / f"run{G}"), device=args.device, dequantize=False,
        gradient_checkpointing=args.gradient_checkpointing, photos=str(folder / "photos"), tasks={"photos": 1.0},
        reward_weights={"reprojection": 1.0, "plausible": 0.25, "format": 0.5}, prompts_per_step=1, num_generations=G,
        poses_per_answer=args.poses, max_completion_length=args.new_tokens, text_every=1,
    )  # fmt: skip
    trainer = Trainer(config)
    backbone, task = trainer.policy.backbone, trainer.tasks["photos"]
    text = padded_request(load_processor(backbone.name), args.prompt_tokens)
    batch = task.batch
    task.batch = lambda index: replace(batch(index), prompts=[text] * len(index))
    choose, eos, calls = backbone.choose, backbone.tokenizer.eos_token_id, []

    def forced(logits, temperature, uniform=None):
        """`<POSE>` first, and never the end of turn."""
        calls.append(1)
        if len(calls) % (args.new_tokens + 1) == 1:
            return torch.full((len(logits),), backbone.pose_id, device=logits.device)
        return choose(logits.index_fill(1, logits.new_tensor([eos]).long(), float("-inf")), temperature, uniform)

    backbone.choose = forced
    steps = iter(range(1000))
    return lambda: trainer.step(next(steps)), trainer, text


def trl(args, policy: Path, folder: Path, G: int, text: str):
    """A function that does one step of TRL's trainer on the same language model, read from the same files."""
    from datasets import Dataset
    from peft import LoraConfig
    from PIL import Image
    from trl import GRPOConfig, GRPOTrainer

    from posegen.backbone import LORA_TARGETS, Backbone
    from posegen.sight import SIDE, load_processor

    backbone = Backbone.load(str(folder / "model"), device=args.device)
    settings = GRPOConfig(
        output_dir=str(folder / "trl"), use_cpu=args.device == "cpu", per_device_train_batch_size=G,
        num_generations=G, beta=0.02, max_completion_length=args.new_tokens, max_steps=1, report_to=[],
        generation_kwargs={"min_new_tokens": args.new_tokens}, save_strategy="no", logging_strategy="no",
        disable_tqdm=True, gradient_checkpointing=args.gradient_checkpointing, bf16=args.device != "cpu",
    )  # fmt: skip
    photo = Image.open(PHOTO).convert("RGB").resize((SIDE, SIDE))
    rows = [{"prompt": [{"role": "user", "content": text}], "image": photo}] * G
    reward = lambda completions, **columns: [float(len(str(c)) % 7) for c in completions]  # noqa: E731
    trainer = GRPOTrainer(
        model=backbone.model, reward_funcs=reward, args=settings, train_dataset=Dataset.from_list(rows),
        processing_class=load_processor(backbone.name),
        peft_config=LoraConfig(r=8, lora_alpha=16, target_modules=LORA_TARGETS, task_type="CAUSAL_LM"),
    )  # fmt: skip
    trainer.create_optimizer_and_scheduler(1000)
    trainer.current_gradient_accumulation_steps = 1

    def step():
        trainer.model.train()
        inputs = trainer._generate_and_score_completions(rows)
        trainer.accelerator.backward(trainer.compute_loss(trainer.model, inputs))
        trainer.optimizer.step()
        trainer.optimizer.zero_grad()
        return inputs

    return step


def measured(step, steps: int, device: str) -> tuple[float, float, object]:
    """Median seconds of a step after a first one, peak memory in GiB, and what the last returned."""
    import torch

    step()
    cuda = device != "cpu"
    if cuda:
        torch.cuda.reset_peak_memory_stats()
    held, done, seconds = [0.0], threading.Event(), []
    threading.Thread(target=watch_memory, args=(held, done), daemon=True).start()
    for _ in range(steps):
        start = time.perf_counter()
        out = step()
        if cuda:
            torch.cuda.synchronize()
        seconds.append(time.perf_counter() - start)
    done.set()
    peak = torch.cuda.max_memory_allocated() / 2**30 if cuda else max(held)
    return statistics.median(seconds), peak, out


def watch_memory(held: list[float], done: threading.Event) -> None:
    """GiB of this process, 20 times a second, without mapped files: loading leaves a whole model there."""
    while not done.wait(0.05):
        held.append(int(re.search(r"RssAnon:\s*(\d+) kB", Path("/proc/self/status").read_text())[1]) / 2**20)


def main() -> None:
    args = arguments()
    import gc

    from finetune import memory

    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        policy = write_policy(args.shape, folder, args.device)
        print(
            "| | G | s a step | peak GiB | plan GiB | tokens/s | poses/s |\n|---|---|---|---|---|---|---|", flush=True
        )
        for G in args.generations:
            step, trainer, text = hygrpo(args, policy, folder, G)
            seconds, peak, metrics = measured(step, args.steps, args.device)
            phases = " ".join(f"{phase} {metrics[f'time/{phase}']:.2f}" for phase in ("rollout", "rewards", "update"))
            planned = memory.plan(trainer.config).total * 1e9 / 2**30
            rates = G * args.new_tokens / seconds, G * args.poses / seconds
            print(f"| HyGRPO, {args.shape} | {G} | {seconds:.2f} | {peak:.2f} | {planned:.2f} | {rates[0]:.0f} "
                  f"| {rates[1]:.0f} | {phases}", flush=True)  # fmt: skip
            del step, trainer
            gc.collect()
            if args.without_trl:
                continue
            taken, peak, inputs = measured(trl(args, policy, folder, G, text), args.steps, args.device)
            told = inputs["completion_mask"].sum(1).float().mean().item()
            length = inputs["prompt_mask"].sum(1).max()
            print(f"| TRL, prompts of {length} tokens | {G} | {taken:.2f} | {peak:.2f} | | {G * told / taken:.0f} | |")
            print(f"| HyGRPO / TRL | {G} | {seconds / taken:.2f} |", flush=True)
            gc.collect()


if __name__ == "__main__":
    main()
