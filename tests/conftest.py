"""Settings for every test, and the parts that are slow to load."""

import os
from pathlib import Path

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

import pytest
import torch

ROOT = Path(__file__).resolve().parent.parent
DEFAULT_DATA = ROOT / ".." / "shared" / "data"


@pytest.fixture(scope="session", autouse=True)
def torch_threads():
    """One thread, as in the app: several on busy cores wait for each other."""
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def pose_data() -> Path:
    """The folder of shared data ($POSE_DATA); tests that need it are skipped where it is not."""
    folder = Path(os.environ.get("POSE_DATA") or DEFAULT_DATA).resolve()
    if not folder.is_dir():
        pytest.skip("shared data is not here: set POSE_DATA to its folder")
    return folder


@pytest.fixture(scope="session")
def policy():
    """The embedded default policy, loaded once."""
    from posegen.policy import PosePolicy

    return PosePolicy.from_pretrained()
