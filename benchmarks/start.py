"""How long the app takes from its command until the page answers, on warm files.

python benchmarks/start.py [TIMES]
"""

import statistics
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

PORT = 7999
ROOT = Path(__file__).resolve().parent.parent


def start() -> float:
    """Seconds until the page is served."""
    begin = time.perf_counter()
    command = [sys.executable, "app.py", "--port", str(PORT)]
    app = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        while app.poll() is None:
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{PORT}", timeout=5).read()
                return time.perf_counter() - begin
            except OSError:
                time.sleep(0.05)
        raise SystemExit("The app ended by itself; run `python app.py` to see why.")
    finally:
        app.terminate()
        app.wait()


if __name__ == "__main__":
    seconds = [start() for _ in range(int(sys.argv[1]) if len(sys.argv) > 1 else 5)]
    print(f"{statistics.median(seconds):.1f} s (median of {len(seconds)}: {', '.join(f'{s:.1f}' for s in seconds)})")
