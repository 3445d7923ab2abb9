"""The real app in a process of its own, for tests."""

import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
START_SECONDS = 240  # on busy cores


@contextmanager
def running_app(log: Path, become=(), environment=None):
    """Address of the app; `become` is a command that starts it as somebody else, `environment` replaces ours."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [*become, sys.executable, "app.py", "--port", str(port)]
    with log.open("w") as out:
        app = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=out, stderr=out)
    address, end = f"http://127.0.0.1:{port}/", time.time() + START_SECONDS
    try:
        while True:
            try:
                urllib.request.urlopen(address, timeout=5).close()
                break
            except OSError:
                assert app.poll() is None and time.time() < end, f"the app does not start:\n{log.read_text()}"
                time.sleep(0.3)
        yield address
    finally:
        app.terminate()
        app.wait(30)
