"""Why Backbone.logits asks for contiguous rows: a bfloat16 slice of hidden states against the same rows in one piece.

python benchmarks/lm_head.py
"""

import time

import torch

ROWS, LENGTH, WIDTH, VOCABULARY = 32, 23, 576, 49_153


def seconds(hidden: torch.Tensor, weight: torch.Tensor, repeats: int = 3) -> float:
    torch.nn.functional.linear(hidden, weight)
    start = time.perf_counter()
    for _ in range(repeats):
        torch.nn.functional.linear(hidden, weight)
    return (time.perf_counter() - start) / repeats


def main() -> None:
    torch.set_num_threads(1)
    weight = torch.randn(VOCABULARY, WIDTH, dtype=torch.bfloat16)
    hidden = torch.randn(ROWS, LENGTH, WIDTH, dtype=torch.bfloat16)
    with torch.inference_mode():
        slice_, rows = seconds(hidden[:, -1:], weight), seconds(hidden[:, -1].contiguous(), weight)
    print("| slice (B, 1, C) | contiguous (B, C) | ratio |\n|---|---|---|")
    print(f"| {slice_:.3f} s | {rows:.3f} s | {slice_ / rows:.0f} |")


if __name__ == "__main__":
    main()
