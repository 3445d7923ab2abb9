"""What a policy can do, in figures that no training loss sees: one command, one JSON and one markdown table.

Words: the share of captions' statements that hold for the poses drawn (word_evaluation.py), how much samples differ
(variety.py), everyday prompts with checks of their own (everyday.py).  Photos: joint errors (photo_evaluation.py).
"""

import json
import os
import platform
import time
from dataclasses import dataclass
from pathlib import Path

from finetune import comparison, photo_evaluation, variety, word_evaluation
from finetune.config import SFTConfig
from finetune.data import datasets
from posegen.policy import PosePolicy

NUM_NAMED = 4


@dataclass
class EvaluateConfig:
    """What to measure, and on how much."""

    policy: str = "assets/policy"
    """Policy folder; several, separated by commas, are compared side by side (comparison.py)."""
    report: str = "runs/report.json"
    """JSON to write; a markdown table with the same name is written beside it."""
    poses: str = "../shared/data/mocap/poses.npz"
    """Pose file: its validation clips are tested on; its training clips are in the pool that random poses, retrieval
    and variety are compared with."""
    renders: str = "runs/renders"
    """Folder with val/ renders; they are made where missing."""
    num_captions: int = 1000
    """Captions of validation clips, and as many of poses of the families; 0 leaves words and variety out.
    Several policies get the first num_captions of assets/prompts/validation.jsonl."""
    everyday: bool = True
    """Whether to hold the exam on everyday words."""
    num_photos: int = 600
    """Rendered validation photos; 0 leaves photos out."""
    seed: int = 0


def run(config: EvaluateConfig) -> dict:
    """Evaluate and write the report; returns it."""
    if "," in config.policy:
        return comparison.run(config, training_pool)
    policy = PosePolicy.from_pretrained(config.policy)
    started = time.time()
    report = {
        "policy": Path(config.policy).name,
        "seed": config.seed,
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
    }
    if config.num_captions or config.everyday:
        print("the training pool", flush=True)
        pool = training_pool(config)
    if config.num_captions:
        train = word_evaluation.of_pool(pool, word_evaluation.NUM_TRAINING_CAPTIONS, SFTConfig.seed)
        clips = word_evaluation.of_clips(config.poses, config.num_captions, config.seed)
        sets = {
            "validation clips": clips,
            "families of another seed": word_evaluation.of_families(config.num_captions, config.seed),
            "named poses, unseen wordings": word_evaluation.of_unseen_wordings(pool, config.num_captions, config.seed),
        }
        report["words"] = word_evaluation.obedience(policy, sets, pool, train, config.seed)
        print("variety and replies", flush=True)
        report["variety"] = variety.evaluate(policy, pool, train, config.seed)
        report["replies"] = word_evaluation.replies(policy, clips)
    if config.everyday:
        print("everyday words", flush=True)
        report["everyday"] = word_evaluation.everyday_words(policy, pool, config.seed)
    if config.num_photos:
        print("photos", flush=True)
        report["photos"] = photo_evaluation.evaluate(policy, config)
    report["seconds"] = round(time.time() - started)
    path = Path(config.report)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(report, indent=1))
    path.with_suffix(".md").write_text(table(report))
    print(table(report))
    return report


def training_pool(config: EvaluateConfig) -> datasets.PosePool:
    """The poses that stage 1 trains on with its default settings, but for fewer of each named pose (they take long)."""
    sft = SFTConfig()
    return datasets.build_pool(config.poses, "train", sft.num_families, sft.num_recombined, sft.seed, NUM_NAMED)


def table(report: dict) -> str:
    """The report as markdown."""
    lines = [f"Policy `{report['policy']}`, seed {report['seed']}, {report['machine']}, {report['seconds']} s."]
    if "words" in report:
        lines += ["", *word_evaluation.table(report["words"])]
        lines += ["", variety.table_line(report["variety"]), word_evaluation.replies_line(report["replies"])]
    if "everyday" in report:
        lines += ["", word_evaluation.everyday_line(report["everyday"])]
    if "photos" in report:
        lines += ["", *photo_evaluation.table(report["photos"])]
    return "\n".join(lines) + "\n"
