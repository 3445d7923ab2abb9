"""HyGRPO's loop: draw answers, score them, move the policy, evaluate, save.

A step is readable top to bottom in `Trainer.step`. All randomness of a step comes from a generator that is seeded by
the step, so a run that was killed and resumed does bit for bit what the unbroken one would have done. Several processes
(`accelerate launch`) share the prompts of a step and come to what one would have come to (finetune/parallel.py).
Left out: a second backbone (the reference is a copy of the few trained weights), value networks.
"""

import copy
import inspect
import math
import os
import re
import resource
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch
from accelerate import Accelerator

from finetune import hygrpo, matcher, memory, parallel, rewards
from finetune.config import ConfigError, HyGRPOConfig
from finetune.hygrpo import pose_log_probs
from finetune.loop import log, save_atomically
from finetune.rollout import Rollout, add_words, draw_poses, token_logps
from finetune.tasks import Batch, Photos, Words, read_prompts
from posegen import captions, posecodes
from posegen.backbone import merge_token_rows
from posegen.distribution import PoseDistribution
from posegen.policy import PosePolicy, read_config, save_policy

CHECKPOINT = "last.pt"
SMALLER = (
    "lower prompts_per_step, num_generations or max_completion_length, raise gradient_accumulation_steps, or give "
    "--gradient_checkpointing true and --dequantize false"
)
NOISE = 0.005  # of an evaluation; it does not see the words, which get better with every step


@dataclass
class Drawn:
    """A rollout of this process's N answers, and what was thought of it when it was drawn.

    Attributes:
        answers: (N,) which answers of the whole batch they are; chart: (P, 24, 3, 3) of all its prompts.
        old, reference: N distributions of the poses, in one chart; old_log_prob: (N, M), or (N, M, J), of rollout.x.
        old_logps, ref_logps: (N, T) of the tokens; None where they are not needed.
        num_sampled, num_valid: tokens drawn and answers with a pose, of all processes.
        token_advantages: (N,); pose_advantages: (N, M).
    """

    rollout: Rollout
    answers: torch.Tensor
    chart: torch.Tensor
    old: PoseDistribution
    reference: PoseDistribution
    old_log_prob: torch.Tensor
    old_logps: torch.Tensor | None
    ref_logps: torch.Tensor | None
    num_sampled: float = 0.0
    num_valid: float = 0.0
    token_advantages: torch.Tensor | None = None
    pose_advantages: torch.Tensor | None = None


class Trainer:
    """A policy being reinforced, and all that is needed to go on with it.

    Attributes:
        policy: the PosePolicy; of it `lora` (name -> parameter) and `heads` (head, lifter) are moved.
        lora_reference, reference: the same as they were at the start.
    """

    def __init__(self, config: HyGRPOConfig):
        self.config, self.run_dir = config, Path(config.run_dir)
        self.run_dir.mkdir(parents=True, exist_ok=True)
        offered = rewards.REWARDS | (rewards.load(config.reward_file) if config.reward_file else {})
        self.weights = rewards.check_weights(config.reward_weights, offered)
        self.pose_weights = {name: w for name, w in self.weights.items() if rewards.about_poses(offered[name])}
        if not config.text_weight:
            self.weights = self.pose_weights
        if not (self.weights if config.text_every == 1 else self.pose_weights):
            raise rewards.RewardError(
                "No reward of what is practised has a weight; give one, as in --reward_weights.statements 1.0."
            )
        tracker = None if config.report_to == "none" else config.report_to
        self.accelerator = Accelerator(cpu=config.device == "cpu", log_with=tracker, project_dir=str(self.run_dir))
        if tracker and not self.accelerator.log_with:  # accelerate leaves out what is missing without a word
            raise ConfigError(f"The tracker {tracker} is not installed; `pip install {tracker}`, or --report_to none.")
        self.policy = PosePolicy.from_pretrained(
            config.policy, trainable=True, device=str(self.accelerator.device), dequantize=config.dequantize,
            gradient_checkpointing=config.gradient_checkpointing, attn_implementation=config.attn_implementation,
        )  # fmt: skip
        if config.prompts_per_step % (config.gradient_accumulation_steps * self.accelerator.num_processes):
            raise ConfigError(
                f"prompts_per_step must be a multiple of gradient_accumulation_steps times the "
                f"{self.accelerator.num_processes} processes."
            )
        if parallel.shards(self.accelerator):
            parallel.shard(self.accelerator, self.policy.backbone)
        merge_token_rows(self.policy.backbone.model)  # training `<POSE>` would copy the table for every token
        for part in (self.policy.reader, self.policy.tokens):  # understanding and soft tokens stay as stage 1 left them
            part.requires_grad_(False)
        helpers = {"reader": self.policy.reader}
        if "semantic" in self.weights:
            helpers["matcher"] = matcher.Matcher.load(matcher.FOLDER / "reward.safetensors")
        self.rewards = {name: bind(offered[name], helpers) for name in self.weights}
        self.heads = {"head": self.policy.head, "lifter": self.policy.lifter}
        self.reference = {name: copy.deepcopy(module).requires_grad_(False) for name, module in self.heads.items()}
        self.lora = {n: p for n, p in self.policy.backbone.named_parameters() if "lora_" in n}
        self.lora_reference = {n: p.detach().clone() for n, p in self.lora.items()}
        self.tasks = {name: self.open_task(name) for name, share in config.tasks.items() if share > 0}
        self.optimizer = optimizer_class(config.optim)(
            [
                {"name": "lora", "params": list(self.lora.values()), "peak": config.learning_rate},
                {
                    "name": "heads",
                    "params": [p for module in self.heads.values() for p in module.parameters()],
                    "peak": config.head_learning_rate,
                },
            ],
            weight_decay=0.0,
        )
        if tracker:
            settings = {k: v for k, v in vars(config).items() if isinstance(v, bool | int | float | str)}
            self.accelerator.init_trackers("hygrpo", settings)
        self.first, self.best, self.diversity = 0, -1.0, 0.0
        self.resume()

    def open_task(self, name: str):
        if name == "words":
            return Words(self.config.prompts, self.policy)
        return Photos(self.config.photos, self.config.text_weight > 0 and self.policy.backbone.sees)

    # ---- checkpoints

    def resume(self) -> None:
        """Go on from the last checkpoint, if there is one.

        Raises:
            ValueError: it is of a run with another policy.
        """
        path = self.run_dir / CHECKPOINT
        if not path.is_file():
            return
        state = torch.load(path, map_location="cpu", weights_only=True)
        try:
            for name, module in self.heads.items():
                module.load_state_dict(state[name])
            if state["lora"].keys() != self.lora.keys():
                raise KeyError("lora")
            for name, value in state["lora"].items():
                parallel.fill(self.lora[name], value)
            self.optimizer.load_state_dict(self.dealt_out(state["optimizer"]))
        except (KeyError, RuntimeError, ValueError):
            raise ValueError(
                f"The checkpoint in {self.run_dir} is of another policy than {self.config.policy}; "
                "give another run_dir, or delete it."
            ) from None
        self.first, self.best, self.diversity = state["step"], state["best"], state["diversity"]

    def save(self, step: int) -> None:
        """Write the checkpoint: a kill or a full disk at any moment leaves the one before."""
        optimizer = self.optimizer.state_dict()
        moments = {i: {key: parallel.whole(v) for key, v in state.items()} for i, state in optimizer["state"].items()}
        state = {"step": step, "best": self.best, "diversity": self.diversity}
        state |= {"optimizer": optimizer | {"state": moments}}
        state |= {name: module.state_dict() for name, module in self.heads.items()}
        state["lora"] = {name: parallel.whole(p.detach()) for name, p in self.lora.items()}
        if not self.accelerator.is_main_process:
            return
        try:
            save_atomically(state, self.run_dir / CHECKPOINT)
        except OSError as error:
            raise ValueError(
                f"The checkpoint of step {step} could not be written ({error.strerror}); free some space and run the "
                "same command again: it goes on from the checkpoint before."
            ) from None

    def dealt_out(self, optimizer: dict) -> dict:
        """An optimizer's state as `save` wrote it, with this process's part of what is sharded."""
        parameters = [p for group in self.optimizer.param_groups for p in group["params"]]
        state = {
            i: {key: parallel.like(parameters[i], v) for key, v in moments.items()}
            for i, moments in optimizer["state"].items()
        }
        return optimizer | {"state": state}

    def export(self) -> None:
        """Write the policy folder that the demo loads."""
        p = self.policy
        backbone = read_config(Path(self.config.policy))["backbone"]
        adapter = parallel.adapter_state(p.backbone)
        if self.accelerator.is_main_process:
            save_policy(self.config.output_dir, backbone, p.backbone, p.head, p.reader, p.lifter, p.tokens, adapter)

    # ---- one step

    def step(self, step: int) -> dict:
        """Draw answers, score them, move the policy; returns the metrics."""
        generator = torch.Generator().manual_seed(self.config.seed * 1_000_003 + step)
        name = self.draw_task(generator)
        task, started = self.tasks[name], time.perf_counter()
        index = torch.randint(len(task), (self.config.prompts_per_step,), generator=generator)
        batch = task.batch(index.tolist())
        drawn = self.draw(batch, generator, worded=step % self.config.text_every == 0)
        after_rollout = time.perf_counter()
        metrics = self.score(batch, drawn)
        after_rewards = time.perf_counter()
        metrics |= self.update(batch, drawn, step)
        times = (after_rollout - started, after_rewards - after_rollout, time.perf_counter() - after_rewards)
        return metrics | {"task": name} | dict(zip(("time/rollout", "time/rewards", "time/update"), times, strict=True))

    @torch.no_grad()
    def draw(self, batch: Batch, generator, worded: bool = True) -> Drawn:
        c = self.config
        worded = worded and c.text_weight > 0
        old = batch.distribution(self.heads, None)
        everyone = draw_poses(old, c.num_generations, c.poses_per_answer, generator)
        mine = parallel.own_rows(self.accelerator, len(batch.prompts))
        answers = (mine[:, None] * c.num_generations + torch.arange(c.num_generations)).flatten()
        rollout = everyone.rows(answers)
        if worded:
            add_words(
                self.policy, [batch.asked[i] for i in mine], rollout, c.temperature, c.max_completion_length,
                parallel.uniform(self.accelerator, generator), [batch.pictures[i]() for i in mine if batch.pictures],
            )  # fmt: skip
        chart = old.chart
        reference = of_rows(repeat(batch.distribution(self.reference, chart), c.num_generations), answers)
        old = of_rows(repeat(old, c.num_generations), answers)
        old_log_prob = pose_log_probs(old, rollout.x, c.pose_ratio)
        ref_logps = None
        if worded and c.beta:
            with self.as_reference():
                ref_logps = self.token_logps(rollout)
        old_logps = self.token_logps(rollout) if worded and c.num_iterations > 1 else None
        return Drawn(rollout, answers, chart, old, reference, old_log_prob, old_logps, ref_logps)

    def token_logps(self, rollout: Rollout) -> torch.Tensor:
        """(N, T), in the parts that `backward` goes through: with other padding bfloat16 rounds otherwise."""
        parts = torch.arange(len(rollout.valid)).chunk(self.config.gradient_accumulation_steps)
        return torch.cat([token_logps(self.policy, rollout.rows(rows), self.config.temperature) for rows in parts])

    def score(self, batch: Batch, drawn: Drawn) -> dict:
        """Fill in the advantages; an answer is worth its words and, on average, its poses."""
        c, rollout = self.config, drawn.rollout
        asked = drawn.answers // c.num_generations
        every = lambda values: [values[i] for i in asked]  # noqa: E731
        columns = {name: every(values) for name, values in batch.columns.items()}
        columns["shown"] = list(rollout.shown)
        columns["reference"] = [captions.describe(row) for row in rollout.shown.numpy()]
        weights = self.weights if rollout.worded else self.pose_weights
        text, pose, means = rewards.evaluate_rewards(
            weights,
            every(batch.prompts),
            rollout.completions,
            rollout.rotations,
            columns,
            rollout.valid,
            self.rewards,
        )
        # Of all processes from here on: a group is compared as a whole, wherever its answers are.
        text, pose, valid = (parallel.gather(self.accelerator, v) for v in (text, pose, rollout.valid))
        drawn.num_valid = valid.sum().item()
        drawn.num_sampled = parallel.gather(self.accelerator, rollout.sampled.sum()[None]).sum().item()
        total = text.nan_to_num() + pose.nanmean(1).nan_to_num()
        drawn.token_advantages = hygrpo.group_advantages(total, c.num_generations, c.scale_rewards)[drawn.answers]
        drawn.pose_advantages = hygrpo.pose_advantages(pose, c.num_generations, c.scale_rewards, valid)[drawn.answers]
        spread = hygrpo.nanstd(total.unflatten(0, (-1, c.num_generations))).nan_to_num()
        pose_spread = hygrpo.nanstd(pose.unflatten(0, (-1, c.num_generations)).flatten(1)).nan_to_num()
        poses, answers = rollout.valid.sum().item(), len(rollout.valid)
        means = {
            f"{name}/mean": (
                means.get(f"{name}/mean", 0.0),
                (poses if name.removeprefix("rewards/") in self.pose_weights else answers) * (f"{name}/mean" in means),
            )
            for name in (f"rewards/{name}" for name in weights)
        }
        means["pose/entropy"] = drawn.old.entropy().mean().item(), answers
        means["completions/mean_length"] = rollout.sampled.sum(1).float().mean().item(), answers
        return {
            "reward": total.mean().item(), "reward_std": spread.mean().item(),
            **parallel.weighted_means(self.accelerator, [means]),
            "frac_reward_zero_std": (spread < 1e-6).float().mean().item(), "pose/reward_std": pose_spread.mean().item(),
            "completions/valid": valid.float().mean().item(),
        }  # fmt: skip

    def update(self, batch: Batch, drawn: Drawn, step: int) -> dict:
        """num_iterations optimiser steps on the answers drawn."""
        for group in self.optimizer.param_groups:  # warm-up, then constant: a run can be made longer at any step
            group["lr"] = group["peak"] * min(1.0, (step + 1) / max(1, self.config.warmup_steps))
        for _ in range(self.config.num_iterations):
            metrics = self.backward(batch, drawn)
            norms = {  # each half by itself: a pose's log-density has gradients a thousand times a token's
                group["name"]: parallel.whole(
                    torch.nn.utils.clip_grad_norm_(group["params"], self.config.max_grad_norm)
                ).item()
                for group in self.optimizer.param_groups
            }
            if not all(map(math.isfinite, norms.values())):
                raise FloatingPointError(
                    f"The gradient is not a number at step {step}; go on from the last checkpoint with a lower "
                    "learning rate."
                )
            self.optimizer.step()
        return metrics | {f"grad_norm/{k}": v for k, v in norms.items()}

    def backward(self, batch: Batch, drawn: Drawn) -> dict:
        """Gradients of the loss over all answers of all processes, part by part; the loss and its metrics."""
        parts = torch.arange(len(drawn.token_advantages)).chunk(self.config.gradient_accumulation_steps)
        self.optimizer.zero_grad()
        metrics = []
        for rows in parts:
            loss, more = self.loss(batch, drawn, rows, len(parts))
            self.accelerator.backward(loss / len(parts))
            words, poses = (drawn.rollout.rows(rows).sampled.sum().item(), drawn.rollout.valid[rows].sum().item())
            weighted = {k: (v, poses if k.startswith("pose/") else words) for k, v in more.items()}
            metrics.append(weighted | {"loss": (loss.item(), 1.0)})
        parallel.average_gradients(
            self.accelerator, [p for group in self.optimizer.param_groups for p in group["params"]]
        )
        return parallel.weighted_means(self.accelerator, metrics)

    def preflight(self) -> float:
        """Try a step on each task's longest prompts, of which nothing is learned; returns the peak memory in GB.

        Raises:
            ConfigError: it does not fit.
        """
        try:
            for task in self.tasks.values():
                batch = task.batch(task.longest(self.config.prompts_per_step))
                drawn = self.draw(batch, torch.Generator().manual_seed(0))
                self.score(batch, drawn)
                self.backward(batch, drawn)
        except (MemoryError, RuntimeError) as error:  # torch says both "out of memory" and "can't allocate memory"
            if not isinstance(error, MemoryError) and "memory" not in str(error):
                raise
            raise ConfigError(f"A step with these settings does not fit into memory; {SMALLER}.") from error
        finally:
            self.optimizer.zero_grad()
        if self.accelerator.device.type == "cuda":
            return torch.cuda.max_memory_allocated() / 1e9
        return peak_memory()

    def loss(self, batch: Batch, drawn: Drawn, rows: torch.Tensor, parts: int) -> tuple[torch.Tensor, dict]:
        """The hybrid loss of some rows (a slice of whole prompts), and its metrics."""
        c, device = self.config, drawn.old.mean.device
        rollout, metrics = drawn.rollout.rows(rows), {}
        share = 1 / (parts * self.accelerator.num_processes)  # of the batch, that these rows are
        tokens = poses = torch.zeros((), device=device)
        if rollout.worded:
            logps = token_logps(self.policy, rollout, c.temperature)
            old = logps.detach() if drawn.old_logps is None else drawn.old_logps[rows]
            tokens, metrics = hygrpo.token_loss(
                logps, old, None if drawn.ref_logps is None else drawn.ref_logps[rows], rollout.sampled.to(device),
                drawn.token_advantages[rows].to(device), c, c.max_completion_length,
                drawn.num_sampled * share,
            )  # fmt: skip
        if c.pose_weight:
            now = repeat(batch.distribution(self.heads, drawn.chart), c.num_generations)
            poses, more = hygrpo.pose_loss(
                of_rows(now, drawn.answers[rows]), of_rows(drawn.reference, rows), rollout.x, drawn.old_log_prob[rows],
                drawn.pose_advantages[rows].to(device), rollout.valid.to(device), c,
                drawn.num_valid * share,
            )  # fmt: skip
            metrics |= more
            if c.beta_vague and batch.vague:
                kl = batch.vague(self.heads).kl(batch.vague(self.reference)).mean()
                poses, metrics["pose/kl_vague"] = poses + c.beta_vague * kl, kl.item()
        return hygrpo.hybrid_loss(tokens, poses, c), metrics

    def draw_task(self, generator) -> str:
        names = list(self.tasks)
        share = torch.tensor([float(self.config.tasks[name]) for name in names])
        return names[torch.multinomial(share, 1, generator=generator).item()]

    @contextmanager
    def as_reference(self):
        """The language model as it was at the start; its LoRA weights are exchanged for the time."""
        now = {name: p.detach().clone() for name, p in self.lora.items()}
        try:
            for name, p in self.lora.items():
                p.data.copy_(self.lora_reference[name])
            yield
        finally:
            for name, p in self.lora.items():
                p.data.copy_(now[name])

    # ---- evaluation

    @torch.no_grad()
    def evaluate(self) -> dict:
        """Share of held-out prompts' statements that hold, one sample at temperature 1, and how much samples differ.

        Where photos are practised, the reward of the likeliest poses on every tenth person, who is kept from training.
        """
        prompts, statements = read_prompts(self.config.eval_prompts)
        generator = torch.Generator().manual_seed(self.config.seed)
        given = torch.cat([self.policy.read(prompts[i : i + 50]).probabilities for i in range(0, len(prompts), 50)])
        distribution = self.policy.distribution(given)
        x = distribution.sample(2, 1.0, generator)
        held, apart = [], []
        for i in range(0, len(prompts), 200):
            part = of_rows(distribution, torch.arange(i, min(i + 200, len(prompts))))
            rotations = part.rotations(x[i : i + 200]).cpu()
            holds = posecodes.holds(posecodes.scores(rotations[:, 0]))
            held += [holds[k, list(ids)].float().mean() for k, ids in enumerate(statements[i : i + 200]) if ids]
            joints = rewards.limb_joints(rotations.flatten(0, 1)).unflatten(0, (-1, 2))
            apart.append((joints[:, 0] - joints[:, 1]).norm(dim=-1).mean(1))
        figures = {
            "eval/held": torch.stack(held).mean().item(),
            "eval/diversity_mm": 1000 * torch.cat(apart).mean().item(),
        }
        if "photos" in self.tasks:
            batch = self.tasks["photos"].held_out()
            modes = draw_modes(batch.distribution(self.heads, None))
            _, worth, _ = rewards.evaluate_rewards(
                self.pose_weights, batch.prompts, batch.prompts, modes, batch.columns, rewards=self.rewards
            )
            figures["eval/photos"] = worth.nanmean().item()
        return figures


def optimizer_class(name: str):
    if name == "adamw":
        return torch.optim.AdamW
    import bitsandbytes as bnb

    return {"adamw_8bit": bnb.optim.AdamW8bit, "paged_adamw_8bit": bnb.optim.PagedAdamW8bit}[name]


def peak_memory() -> float:
    """The most memory that this process ever held, in GB."""
    status = Path("/proc/self/status")
    if status.is_file():  # Linux's ru_maxrss begins with the peak of the process that started this one
        return int(re.search(r"VmHWM:\s*(\d+) kB", status.read_text())[1]) * 1024 / 1e9
    unit = 1e9 if sys.platform == "darwin" else 1e6
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit


def draw_modes(distribution: PoseDistribution) -> torch.Tensor:
    """(P, 1, 24, 3, 3): the likeliest poses."""
    return distribution.rotations(distribution.mode()[:, None])


def of_rows(distribution: PoseDistribution, rows: torch.Tensor) -> PoseDistribution:
    return PoseDistribution(*(value[rows] for value in vars(distribution).values()))


def repeat(distribution: PoseDistribution, times: int) -> PoseDistribution:
    """Every row `times` times."""
    return PoseDistribution(*(value.repeat_interleave(times, 0) for value in vars(distribution).values()))


def bind(reward, helpers: dict):
    """A reward with those helpers (reader, matcher) bound that it has parameters for."""
    wanted = {name: helper for name, helper in helpers.items() if name in inspect.signature(reward).parameters}
    return partial(reward, **wanted) if wanted else reward


def run(config: HyGRPOConfig) -> None:
    """Train to config.max_steps; Ctrl-C saves and stops."""
    planned = memory.plan(config)
    if int(os.environ.get("RANK", 0)) == 0:
        print(planned, flush=True)
    if planned.total > (left := memory.free(config.device)):
        print(f"Only {left:.1f} GB are free here; if it does not fit, {SMALLER}.", flush=True)
    with parallel.losses_named():
        train(Trainer(config))


def train(trainer: Trainer) -> None:
    from tqdm import tqdm

    config, step = trainer.config, trainer.first
    main = trainer.accelerator.is_main_process
    progress = tqdm(total=config.max_steps, initial=step, unit="step", desc="HyGRPO", disable=not main)
    try:
        if step < config.max_steps:
            write(trainer, step, {"preflight/peak_memory_gb": trainer.preflight()})
        if step == 0:
            judge(trainer, 0)
        while step < config.max_steps:
            metrics = trainer.step(step)
            step += 1
            progress.update()
            progress.set_postfix(reward=f"{metrics['reward']:.3f}", kl=f"{metrics.get('pose/kl', 0):.2f}")
            write(trainer, step, metrics)
            if step % config.eval_steps == 0 or step == config.max_steps:
                judge(trainer, step)
            if step % config.save_steps == 0 or step == config.max_steps:
                trainer.save(step)
    except KeyboardInterrupt:
        if not parallel.shards(trainer.accelerator):  # whole weights need all processes, which stop at any moment
            trainer.save(step)
        raise
    finally:
        progress.close()
        trainer.accelerator.end_training()


def judge(trainer: Trainer, step: int) -> None:
    """Evaluate, and write the policy out if none before was clearly better and its samples still differ enough."""
    figures = trainer.evaluate()
    if step == 0:
        trainer.diversity = figures["eval/diversity_mm"]
    score = figures["eval/held"] + figures.get("eval/photos", 0)
    differ = figures["eval/diversity_mm"] >= trainer.config.min_diversity * trainer.diversity
    kept = differ and score > trainer.best - NOISE
    if kept:
        trainer.best = max(score, trainer.best)
        trainer.export()
    write(trainer, step, figures | {"eval/written": kept})


def write(trainer: Trainer, step: int, values: dict) -> None:
    if trainer.accelerator.is_main_process:
        log(trainer.run_dir, step=step, **values)
    trainer.accelerator.log({k: v for k, v in values.items() if not isinstance(v, str)}, step=step)
