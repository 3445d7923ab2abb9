"""How long a warm answer takes, pictures included, and what the app's parts weigh.

python benchmarks/answers.py
"""

import os
import resource
import statistics
import sys
import time
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")  # as app.py
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

EXAMPLES = Path(__file__).resolve().parent.parent / "assets" / "examples"
REPEATS = 7


def median_seconds(answer) -> float:
    answer()  # warm
    taken = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        answer()
        taken.append(time.perf_counter() - start)
    return statistics.median(taken)


def main() -> None:
    start = time.perf_counter()
    from PIL import Image

    from posegen import PosePolicy
    from posegen.render import Renderer

    policy = PosePolicy.from_pretrained()
    renderer = Renderer(policy.body)
    loaded = time.perf_counter() - start
    photo = Image.open(EXAMPLES / "lunge.jpg")

    def words(draw):
        samples = policy.text_to_pose("a deep squat with both arms stretched forward", num_samples=4, seed=0)
        return renderer.gallery([s.pose for s in samples]) if draw else None

    def picture(draw):
        people = policy.image_to_pose(photo)
        return renderer.overlay(photo, [(p.samples[0].pose, p.samples[0].camera) for p in people]) if draw else None

    print("| | seconds, median of 7 |\n|---|---|")
    print(f"| imports and loading | {loaded:.1f} |")
    for name, answer in (("text_to_pose, 4 samples", words), ("image_to_pose, 1 person", picture)):
        print(f"| {name} | {median_seconds(lambda answer=answer: answer(False)):.2f} |")
        print(f"| {name}, picture included | {median_seconds(lambda answer=answer: answer(True)):.2f} |")
    print(f"\nNF4 weights {policy.backbone.model.get_memory_footprint() / 1e6:.0f} MB, ", end="")
    print(f"peak memory of this process {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6:.2f} GB")


if __name__ == "__main__":
    main()
