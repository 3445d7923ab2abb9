"""Clean the surface: what nobody sees goes, holes close, smplx's landmark vertices get their numbers."""

import os

import numpy as np
import trimesh

VIEW = 900  # pixels of a visibility picture
HEAD = 15


def visible_vertices(vertices, faces, weights) -> np.ndarray:
    """(V,) whether each vertex is seen from any of many directions, by comparing depth pictures."""
    os.environ.setdefault("PYOPENGL_PLATFORM", "egl")
    import pyrender

    mesh = pyrender.Mesh.from_trimesh(trimesh.Trimesh(vertices, faces, process=False))
    renderer = pyrender.OffscreenRenderer(VIEW, VIEW)
    visible = np.zeros(len(vertices), bool)
    head = vertices[weights[:, HEAD] > 0.9].mean(0)
    places = [(head, 0.2), ([0, 0, 0], 0.98), ([0, -1.1, 0], 0.3), ([0.75, 0.2, 0], 0.25), ([-0.75, 0.2, 0], 0.25)]
    for center, half in places:
        for direction in _sphere(60 if half < 0.9 else 40):
            camera = _looking_at(np.asarray(center, float), direction)
            scene = pyrender.Scene()
            scene.add(mesh)
            scene.add(pyrender.OrthographicCamera(half, half, znear=0.05, zfar=5), pose=camera)
            depth = renderer.render(scene, flags=pyrender.RenderFlags.DEPTH_ONLY)
            visible |= _seen(vertices, camera, half, np.where(depth == 0, 9, depth))
    return visible


def _seen(vertices, camera, half, depth) -> np.ndarray:
    shifts = [(a, b) for a in (-1, 0, 1) for b in (-1, 0, 1)]
    depth = np.max([np.roll(depth, shift, (0, 1)) for shift in shifts], 0)  # a pixel of tolerance
    local = (vertices - camera[:3, 3]) @ camera[:3, :3]
    x = np.round((local[:, 0] / half * 0.5 + 0.5) * VIEW - 0.5).astype(int)
    y = np.round((0.5 - local[:, 1] / half * 0.5) * VIEW - 0.5).astype(int)
    inside = np.flatnonzero((x >= 0) & (x < VIEW) & (y >= 0) & (y < VIEW))
    seen = np.zeros(len(vertices), bool)
    seen[inside] = -local[inside, 2] < depth[y[inside], x[inside]] + 0.001
    return seen


def _sphere(count: int) -> np.ndarray:
    """Directions (count, 3) spread evenly (a Fibonacci sphere)."""
    i = np.arange(count) + 0.5
    polar, turn = np.arccos(1 - 2 * i / count), np.pi * (1 + 5**0.5) * i
    return np.stack([np.cos(turn) * np.sin(polar), np.cos(polar), np.sin(turn) * np.sin(polar)], 1)


def _looking_at(center, direction) -> np.ndarray:
    x = np.cross([0, 1, 0], direction)
    x /= np.linalg.norm(x)
    pose = np.eye(4)
    pose[:3, :3] = np.stack([x, np.cross(direction, x), direction], 1)
    pose[:3, 3] = center + 2 * direction
    return pose


def closed_surface(vertices, faces, eye_faces, weights, visible) -> np.ndarray:
    """Faces (F, 3) of a closed surface without the head's inside, eyeballs included."""
    seen = visible.copy()
    for _ in range(2):  # keep two rings around what is seen
        seen[faces[seen[faces].any(1)].ravel()] = True
    hidden = ~seen & (weights.argmax(1) == HEAD)
    faces = faces[~hidden[faces].all(1)]
    adjacency = trimesh.Trimesh(vertices, faces, process=False).face_adjacency
    piece = trimesh.graph.connected_component_labels(adjacency, node_count=len(faces))
    faces = faces[piece == np.bincount(piece).argmax()]
    fans = [(loop[0], a, b) for loop in _holes(faces) for a, b in zip(loop[1:], loop[2:], strict=False)]
    return np.concatenate([faces, np.array(fans, np.int64).reshape(-1, 3), eye_faces])


def _holes(faces) -> list[list[int]]:
    """Loops of vertices around holes, in the order that a closing face has."""
    edges = set(map(tuple, np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])))
    following: dict[int, list[int]] = {}
    for a, b in edges:
        if (b, a) not in edges:
            following.setdefault(b, []).append(a)
    loops = []
    while following:
        loop = [next(iter(following))]
        while True:
            ahead = following[loop[-1]].pop()
            if not following[loop[-1]]:
                del following[loop[-1]]
            if ahead == loop[0]:
                break
            loop.append(ahead)
        loops.append(loop)
    return loops


def landmark_order(vertices, weights, human, kept, place) -> np.ndarray:
    """A permutation (V,), new number -> old number, that puts smplx's 21 landmark vertices at SMPL's numbers.

    Args:
        human: the Makehuman body; kept: (V,) its vertex of each of ours.
        place: bone name -> position (3,) in our coordinates.
    """
    from smplx.vertex_ids import vertex_ids

    wanted = _landmarks(vertices, weights, human.weights[kept], human.bones, place)
    assert len(set(wanted.values())) == len(wanted) == 21, wanted
    old_of_new, new_of_old = np.arange(len(vertices)), np.arange(len(vertices))
    for name, number in vertex_ids["smplh"].items():
        vertex = wanted[name]
        there, other = new_of_old[vertex], old_of_new[number]
        old_of_new[number], old_of_new[there] = vertex, other
        new_of_old[vertex], new_of_old[other] = number, there
    return old_of_new


def _landmarks(vertices, weights, bone_weights, bones, place) -> dict[str, int]:
    """The vertex of nose, eyes, ears, fingertips, toes and heels, under smplx's names."""
    head = np.flatnonzero(weights[:, HEAD] > 0.9)
    middle = head[np.abs(vertices[head, 0]) < 0.004]
    found = {"nose": int(middle[vertices[middle, 2].argmax()])}
    for letter, side, sign in (("l", "L", 1), ("r", "R", -1)):
        eye = place(f"eye.{side}")
        in_front = ((vertices[head] - (eye + [0, 0, 0.012])) ** 2).sum(1)
        found[f"{letter}eye"] = int(head[in_front.argmin()])
        beside = head[np.abs(vertices[head, 1] - eye[1] + 0.02) < 0.03]
        found[f"{letter}ear"] = int(beside[(vertices[beside, 0] * sign).argmax()])
        for finger, name in enumerate(("thumb", "index", "middle", "ring", "pinky"), 1):
            tip = np.flatnonzero(bone_weights[:, bones[f"finger{finger}-3.{side}"]] > 0.5)
            if name == "thumb":
                reach = np.linalg.norm(vertices[tip] - place(f"finger1-1.{side}"), axis=1)
            else:
                reach = vertices[tip, 0] * sign
            found[f"{letter}{name}"] = int(tip[reach.argmax()])
        ankle = 7 if side == "L" else 8
        foot = np.flatnonzero(weights[:, ankle] + weights[:, ankle + 3] > 0.9)
        found[f"{side}Heel"] = int(foot[(vertices[foot, 2] + 0.3 * vertices[foot, 1]).argmin()])
        toes = foot[vertices[foot, 2] > vertices[foot, 2].max() - 0.09]
        x, z = vertices[toes, 0] * sign, vertices[toes, 2]
        found[f"{side}BigToe"], found[f"{side}SmallToe"] = (
            int(toes[(z - 0.25 * x).argmax()]),
            int(toes[(0.5 * z + x).argmax()]),
        )
    return found
