"""Poses as files for other programs: one writer a format, by the suffix of its files."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from ..camera import Shot
from ..pose import Pose
from ..render import Renderer
from .bvh import write_bvh
from .glb import write_glb
from .obj import write_obj
from .openpose import draw_openpose, keypoints, write_openpose

__all__ = ["FORMATS", "Figure", "draw_openpose", "keypoints", "write_bvh", "write_glb", "write_obj", "write_openpose"]


@dataclass
class Figure:
    """What a file is made of: a pose, the body it is shown on (its renderer's), and the picture it is seen in."""

    pose: Pose
    renderer: Renderer
    shot: Shot

    @property
    def body(self):
        return self.renderer.body

    @property
    def keypoints(self):
        return keypoints(self.pose, self.body, self.shot)


class Format(NamedTuple):
    """One kind of file: what people call it, and write(figure, path)."""

    label: str
    write: Callable[[Figure, Path], None]


#: By suffix. The first is what the page offers first.
FORMATS = {
    "glb": Format("GLB: body with skeleton and skin", lambda f, path: write_glb(f.pose, f.body, path)),
    "bvh": Format("BVH: skeleton", lambda f, path: write_bvh([f.pose], f.body, path)),
    "obj": Format("OBJ: surface", lambda f, path: write_obj(f.pose, f.body, path)),
    "npz": Format("NPZ: SMPL/AMASS parameters", lambda f, path: f.pose.save(path)),
    "cutout.png": Format("PNG: transparent", lambda f, path: f.renderer.cutout(f.pose, f.shot).save(path)),
    "openpose.png": Format("PNG: OpenPose", lambda f, path: draw_openpose([f.keypoints], f.shot.size).save(path)),
    "openpose.json": Format("JSON: OpenPose", lambda f, path: write_openpose([f.keypoints], f.shot.size, path)),
}
