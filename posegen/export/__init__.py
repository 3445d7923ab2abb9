"""Poses as files for other programs."""

from .glb import write_glb

__all__ = ["write_glb"]
