"""OBJ: a posed surface, for whatever opens nothing else."""

from ..body import BodyModel, ground
from ..pose import Pose


def write_obj(pose: Pose, body: BodyModel, path) -> None:
    """Write one pose of a body as OBJ with normals: metres, Y up, standing on y = 0, vertices in the body's order."""
    import trimesh

    vertices = body.vertices([pose])[0]
    mesh = trimesh.Trimesh(vertices + ground(vertices), body.faces, process=False)
    mesh.export(path, file_type="obj", include_normals=True, header="posegen, metres, Y up")
