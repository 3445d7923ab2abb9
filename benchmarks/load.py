"""Eight users at once, words and photos mixed: is each answer its asker's own, how fast is it, does memory grow?

python benchmarks/load.py [--users 8] [--requests 60] [--rounds 2]
"""

import argparse
import os
import random
import re
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from gradio_client import Client, handle_file
from PIL import Image

ROOT = Path(__file__).resolve().parent.parent
PHOTO = ROOT / "assets" / "examples" / "three_people.jpg"
PEOPLE = 3
# A user's own request, and a word that its answer has to show.
PROMPTS = {
    "kneeling on both knees": "kneeling",
    "a deep squat": "squat",
    "lying on the back": "lying",
    "sitting on a chair": "sitting",
    "on all fours": "all fours",
    "lunging forward with the left leg": "lunging",
    "hands on the hips": "hip",
    "both arms raised above the head": "above the head",
}


class User:
    """A visitor with a session, words and a photo of his own."""

    def __init__(self, address: str, number: int, folder: Path):
        self.client = Client(address, verbose=False, download_files=str(folder))
        self.prompt, self.word = [*PROMPTS.items()][number % len(PROMPTS)]
        # The example made narrower by some pixels, so that the answer's size says whose photo it was.
        with Image.open(PHOTO) as photo:
            self.size = [photo.width - number, photo.height]
            photo.crop((0, 0, *self.size)).save(folder / f"{number}.png")
        self.photo, self.seeds = folder / f"{number}.png", random.Random(number)

    def ask(self, kind: str) -> tuple[str, float, str]:
        """One request: its kind, seconds, and what went wrong, if anything."""
        start, fault = time.perf_counter(), ""
        try:
            getattr(self, kind)()
        except Exception as error:
            fault = f"{self.prompt}: {type(error).__name__} {error}"[:300]
        return kind, time.perf_counter() - start, fault

    def words(self) -> None:
        seed, samples = self.seeds.randrange(10**6), self.seeds.choice((1, 2, 4))
        answer, picture = self.client.predict(self.prompt, samples=samples, seed=seed, api_name="/text_to_pose")
        assert (answer["prompt"], answer["seed"], len(answer["samples"])) == (self.prompt, seed, samples), answer
        assert any(self.word in s["phrase"] for s in answer["samples"][0]["statements"]), answer
        with Image.open(picture) as image:
            assert image.width == image.height

    def people(self) -> None:
        answer, overlay = self.client.predict(handle_file(self.photo), api_name="/image_to_pose")
        assert answer["size"] == self.size and len(answer["people"]) == PEOPLE, answer["size"]
        with Image.open(overlay) as image:
            assert [*image.size] == self.size, image.size

    def page(self) -> None:
        """The event of the words tab, which keeps its answer in the visitor's session."""
        parts = {part["id"]: part for part in self.client.config["components"]}
        (event,) = [e for e in self.client.config["dependencies"] if e["api_name"] == "page_text_to_pose"]
        inputs = [parts[i]["props"].get("value") for i in event["inputs"] if parts[i]["type"] != "state"]
        shown = str(self.client.predict(self.prompt, *inputs[1:], api_name="/page_text_to_pose"))
        names = {re.sub("[^a-z]", "-", prompt) for prompt in PROMPTS}
        mine = re.sub("[^a-z]", "-", self.prompt)
        assert mine in shown and not any(name in shown for name in names - {mine}), shown


@contextmanager
def app():
    """The app in a process of its own; gives its address, its process and the folder of its temporary files."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with tempfile.TemporaryDirectory() as folder:
        command, environment = [sys.executable, "app.py", "--port", str(port)], {**os.environ, "TMPDIR": folder}
        with open(Path(folder) / "log.txt", "w") as log:
            process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log)
        try:
            while True:
                try:
                    urllib.request.urlopen(f"http://127.0.0.1:{port}", timeout=5).close()
                    break
                except OSError:
                    if process.poll() is not None:
                        raise SystemExit("The app ended by itself; run `python app.py` to see why.") from None
                    time.sleep(0.3)
            yield f"http://127.0.0.1:{port}", process, Path(folder)
        finally:
            process.terminate()
            process.wait()


def resident(process) -> float:
    """MB of memory that a process holds."""
    return int(re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{process.pid}/status").read_text())[1]) / 1024


def one_round(address: str, users: int, requests: int, folder: Path) -> list[tuple[str, float, str]]:
    """Every user in a thread of its own, one request after the other, words and photos and the page in turn."""
    visitors = [User(address, number, folder) for number in range(users)]
    turns = [(visitors[i % users], ("words", "people", "page")[(i // users + i) % 3]) for i in range(requests)]

    def visit(visitor):
        return [visitor.ask(kind) for who, kind in turns if who is visitor]

    with ThreadPoolExecutor(users) as pool:
        return [answer for answers in pool.map(visit, visitors) for answer in answers]


def percentiles(seconds: list[float]) -> str:
    cuts = statistics.quantiles(seconds, n=20, method="inclusive")
    return f"p50 {cuts[9]:.1f} s, p95 {cuts[18]:.1f} s"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--users", type=int, default=8)
    parser.add_argument("--requests", type=int, default=60, help="in a round")
    parser.add_argument("--rounds", type=int, default=2)
    args = parser.parse_args()
    faults = []
    with app() as (address, process, folder):
        print(f"start: {resident(process):.0f} MB")
        for number in range(1, args.rounds + 1):
            start = time.perf_counter()
            with tempfile.TemporaryDirectory() as copies:
                answers = one_round(address, args.users, args.requests, Path(copies))
            wall = time.perf_counter() - start
            print(f"round {number}: {len(answers)} requests by {args.users} users in {wall:.0f} s, "
                  f"{percentiles([seconds for _, seconds, _ in answers])}", flush=True)  # fmt: skip
            for kind in ("words", "people", "page"):
                print(f"  {kind}: {percentiles([seconds for k, seconds, _ in answers if k == kind])}")
            files = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 1e6
            print(f"  {resident(process):.0f} MB of memory, {files:.0f} MB of temporary files", flush=True)
            faults += [fault for *_, fault in answers if fault]
    print("\n".join(faults) or "no error, every answer its asker's own")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
