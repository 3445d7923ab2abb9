"""The demo: python app.py [--host HOST] [--port PORT] [--share] [--policy DIR] [--body FILE]."""

import argparse
import os
import signal
import sys
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
    try:
        from posegen import PosePolicy
        from posegen.ui import preload, serve

        threading.Thread(target=preload, daemon=True).start()
        policy = PosePolicy.from_pretrained(args.policy, args.body)
        print(f"Policy ready after {time.perf_counter() - start:.1f} s, opening the page ...", flush=True)
        serve(policy, args.host, args.port, args.share)
    except Exception as error:
        from posegen.ui.results import sentence_of

        sentence = sentence_of(error)
        if not sentence:
            raise
        print(f"{sentence} `python -m posegen doctor` says what else is missing.", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
