"""Pose-RFT: words or a photo in, 3D human poses out."""

import importlib

_HOMES = {"Pose": "posegen.pose", "PosePolicy": "posegen.policy"}
__all__ = list(_HOMES)


def __getattr__(name: str):
    # Lazily, so that `import posegen` stays light.
    if name in _HOMES:
        return getattr(importlib.import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'posegen' has no attribute {name!r}")
