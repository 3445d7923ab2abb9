"""The demo: python app.py [--host HOST] [--port PORT] [--share] [--policy DIR] [--body FILE]."""

import argparse
import atexit
import os
import shutil
import signal
import sys
import tempfile
import threading
import time

# Before Gradio or transformers is imported: nothing calls home, no hub is asked.
os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
# A second thread gains nothing at this model's size, and on busy cores the two wait for each other ten times as long.
os.environ.setdefault("OMP_NUM_THREADS", "1")


def main() -> int:
    parser = argparse.ArgumentParser(description="Words or a photo in, 3D poses out: the page.")
    here = os.environ.get("GRADIO_SERVER_NAME", "127.0.0.1")  # a Hugging Face Space sets it
    parser.add_argument("--host", default=here, help="address to serve on; 0.0.0.0 for every network")
    parser.add_argument("--port", type=int, help="port; by default the first free one from 7860")
    parser.add_argument("--share", action="store_true", help="also open a public gradio.live link")
    parser.add_argument("--policy", metavar="DIR", help="a trained policy's folder instead of assets/policy")
    parser.add_argument("--body", metavar="FILE", help="your own neutral SMPL, SMPL-H or SMPL-X file")
    args = parser.parse_args()

    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # so that temporary files go when a service stops the app
    start = time.perf_counter()
    print("Loading the policy ...", flush=True)
    keep_temporary_files_together()  # before PyTorch makes a folder of its own
    try:
        from posegen import PosePolicy
        from posegen.ui import preload, serve

        make_room_for_weights()
        threading.Thread(target=preload, daemon=True).start()
        policy = PosePolicy.from_pretrained(args.policy, args.body)
        from finetune.judging import judge  # after what both need has been loaded

        print(f"Policy ready after {time.perf_counter() - start:.1f} s, opening the page ...", flush=True)
        serve(policy, args.host, args.port, args.share, args.policy, judge)
    except Exception as error:
        from posegen.ui.results import sentence_of

        sentence = sentence_of(error)
        if not sentence:
            raise
        print(f"{sentence} `python -m posegen doctor` says what else is missing.", file=sys.stderr)
        return 2
    return 0


def keep_temporary_files_together() -> None:
    """One folder for all that this process and its children put into temporary files; it goes when the app ends."""
    folder = tempfile.tempdir = os.environ["TMPDIR"] = tempfile.mkdtemp(prefix="posegen-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)


def make_room_for_weights() -> None:
    """Where the home folder cannot be written (some containers), outside weights go to a folder for this run only."""
    from posegen.weights import WeightsError, cache_dir, status

    try:
        if os.environ.get("POSEGEN_CACHE") or all(weights["present"] for weights in status()):
            return
        cache_dir()
    except WeightsError:
        folder = os.environ["POSEGEN_CACHE"] = tempfile.mkdtemp(prefix="weights-")
        print(f"No home folder to write to: outside weights go to {folder} and are fetched at every start; ", end="")
        print("set POSEGEN_CACHE to a folder that keeps them.", flush=True)


if __name__ == "__main__":
    sys.exit(main())
