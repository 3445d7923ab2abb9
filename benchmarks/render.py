"""How long pictures take on this machine: python benchmarks/render.py

Prints a Markdown table: median and 90th percentile of 20 runs after warm-up, one thread for the body.
"""

import sys
import time
from pathlib import Path

import numpy as np
import torch
from PIL import Image

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from posegen.camera import Camera  # noqa: E402
from posegen.pose import Pose  # noqa: E402
from posegen.render import Renderer, clothes_colors  # noqa: E402

RUNS = 20


def main():
    torch.set_num_threads(1)
    rng = np.random.default_rng(0)
    poses = [Pose.from_axis_angle(rng.normal(0, 0.3, (24, 3))) for _ in range(4)]
    start = time.perf_counter()
    renderer = Renderer()
    renderer.still(poses[0])
    print(f"first picture (imports, body, GL): {time.perf_counter() - start:.2f} s\n")

    body, camera, photo = renderer.body, Camera(800, (0, 0, -4)), Image.new("RGB", (640, 480))
    clothes, vertices = clothes_colors(body, rng), body.vertices(poses[:1])[0]
    questions = {
        "skin 1 pose": lambda: body.vertices(poses[:1]),
        "skin 32 poses": lambda: body.vertices(poses * 8),
        "still 512 x 512": lambda: renderer.still(poses[0], size=512),
        "still 320 x 320": lambda: renderer.still(poses[0], size=320),
        "gallery of 4 at 320": lambda: renderer.gallery(poses, size=320),
        "overlay of 2 people, 640 x 480": lambda: renderer.overlay(photo, [(pose, camera) for pose in poses[:2]]),
        "photo_like 384 x 384": lambda: renderer.photo_like(vertices, clothes, photo.resize((384, 384)), camera),
        "turntable of 24 at 320": lambda: renderer.turntable(poses[0], frames=24, size=320),
    }
    print("| | median, ms | 90%, ms |\n|---|---|---|")
    for name, ask in questions.items():
        ask()
        times = []
        for _ in range(RUNS if "turntable" not in name else 3):
            start = time.perf_counter()
            ask()
            times.append(1000 * (time.perf_counter() - start))
        print(f"| {name} | {np.median(times):.0f} | {np.quantile(times, 0.9):.0f} |")


if __name__ == "__main__":
    main()
