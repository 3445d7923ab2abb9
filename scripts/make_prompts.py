"""Write assets/prompts: what HyGRPO practises on and what it is evaluated on.

    python scripts/make_prompts.py --poses ../shared/data/mocap/poses.npz

train.jsonl: every named pose once, every statement in a few wordings, and captions of training poses. validation.jsonl:
captions of validation clips, of families of another seed, and of named poses in wordings kept from training. It is
written only where it is missing: figures of many runs are measured on it.
"""

import argparse
import json
import sys
from pathlib import Path

import numpy as np
import torch

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from finetune import sft, word_evaluation  # noqa: E402
from finetune.config import SFTConfig  # noqa: E402
from finetune.data import datasets  # noqa: E402
from posegen import captions, posecodes  # noqa: E402
from posegen.lexicon import lexicon  # noqa: E402

FOLDER = ROOT / "assets" / "prompts"
CAPTIONS, WORDINGS = 1500, 4  # of training poses; of each statement
CLIPS, FAMILIES, UNSEEN = 250, 100, 150
SEED = 11


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--poses", default=SFTConfig.poses, help="pose file (python -m finetune data)")
    parser.add_argument("--pool", help="a pool saved by torch.save(pool.__dict__, FILE); it takes minutes to build")
    arguments = parser.parse_args()
    c = SFTConfig()
    if arguments.pool:
        pool = datasets.PosePool(**torch.load(arguments.pool, weights_only=False))
    else:
        pool = datasets.build_pool(arguments.poses, "train", c.num_families, c.num_recombined, c.seed, c.num_named)
    rng = np.random.default_rng(SEED)
    index = sft.draw(datasets.caption_weight(pool), CAPTIONS, torch.Generator().manual_seed(SEED))
    told = datasets.write_captions(pool, index, rng)
    simple, named = lexicon()
    for unit in [*named, *(unit for unit in simple.values() for _ in range(WORDINGS))]:
        shows = torch.nonzero((pool.scores[:, list(unit.statements)] >= 0).all(1))[:, 0]
        if len(shows):
            told.append(captions.write(pool.scores[rng.choice(shows)].numpy(), rng, about=unit))
    write("train.jsonl", [(caption.text, caption.statements) for caption in told])
    if (FOLDER / "validation.jsonl").is_file():
        return
    rows = []
    for part in (
        word_evaluation.of_clips(arguments.poses, CLIPS, SEED),
        word_evaluation.of_families(FAMILIES, SEED),
        word_evaluation.of_unseen_wordings(pool, UNSEEN, SEED),
    ):
        rows += [(text, torch.nonzero(row)[:, 0].tolist()) for text, row in zip(part.texts, part.wanted, strict=True)]
    write("validation.jsonl", rows)


def write(name: str, rows) -> None:
    """Lines {"prompt", "statements"} without doubles and without prompts that ask for nothing."""
    FOLDER.mkdir(exist_ok=True)
    lines = {text: [posecodes.NAMES[i] for i in statements] for text, statements in rows if len(statements)}
    text = "".join(json.dumps({"prompt": k, "statements": v}, ensure_ascii=False) + "\n" for k, v in lines.items())
    (FOLDER / name).write_text(text, encoding="utf-8")
    print(f"{name}: {len(lines)} prompts")


if __name__ == "__main__":
    main()
