"""Does "try harder" help? True statements held by one sample and by the best of N, ranked by what was read alone.

python benchmarks/try_harder.py [--prompts FILE] [-n 100] [--best-of 16] [--temperature 0.7] [--seed 0]
"""

import argparse
import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
os.environ.setdefault("OMP_NUM_THREADS", "1")  # as app.py
os.environ.setdefault("HF_HUB_OFFLINE", "1")
sys.path.insert(0, str(ROOT))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--prompts", type=Path, default=ROOT / "assets" / "prompts" / "validation.jsonl")
    parser.add_argument("-n", type=int, default=100, help="how many prompts, drawn at random")
    parser.add_argument("--best-of", type=int, default=16)
    parser.add_argument("--temperature", type=float, default=0.7)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()

    import numpy as np
    import torch

    from finetune.judging import judge
    from finetune.tasks import read_prompts
    from posegen import PosePolicy, posecodes

    prompts, wanted = read_prompts(args.prompts)
    policy = PosePolicy.from_pretrained()
    chosen = np.random.default_rng(args.seed).permutation(len(prompts))[: args.n]
    share = np.zeros((len(chosen), 3))  # of the true statements, which the ranking does not know
    for row, i in zip(share, chosen, strict=True):
        sampling = {"temperature": args.temperature, "seed": args.seed, "reply": False}
        drawn = policy.text_to_pose(prompts[i], args.best_of, **sampling)
        best = policy.text_to_pose(prompts[i], 1, **sampling, best_of=args.best_of, judge=judge)
        rotations = torch.from_numpy(np.stack([s.pose.rotations for s in [*drawn, *best]]))
        held = posecodes.holds(posecodes.scores(rotations))[:, list(wanted[i])].float().mean(1)
        row[:] = held[:-1].mean(), held[-1], held[:-1].max()
    one, harder, possible = 100 * share.mean(0)
    print(f"{len(chosen)} prompts, temperature {args.temperature}, seed {args.seed}\n")
    print("| | true statements held, % |\n|---|---|")
    print(f"| one sample (mean of {args.best_of}) | {one:.1f} |")
    print(f"| best of {args.best_of}, ranked by what was read | {harder:.1f} |")
    print(f"| best of {args.best_of}, if the truth were known | {possible:.1f} |")


if __name__ == "__main__":
    main()
