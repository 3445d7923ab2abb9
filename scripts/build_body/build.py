"""Build the free SMPL-format body: python scripts/build_body/build.py --out assets/body/SMPL_NEUTRAL.npz

Needs `anny` 0.6.2 (see README.md); takes some minutes.
"""

import argparse
import sys
from pathlib import Path

import numpy as np
import posedirs
import surface
from scipy.optimize import nnls
from shapes import Makehuman, random_phenotypes

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from posegen.skeleton import PARENTS  # noqa: E402

PEOPLE = 600
BETAS = 10
HEIGHT = 1.70  # metres, of the mean body
PELVIS = np.array([0.0, -0.22, 0.028])  # where SMPL has it
REGRESSOR_VERTICES = 700  # candidates for each joint, among the nearest 1,600


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True)
    out = parser.parse_args().out
    rng = np.random.default_rng(0)
    human = Makehuman()
    template, shapedirs, joints, jointdirs, place = shape_space(human, rng)
    weights = human.smpl_weights()

    visible = surface.visible_vertices(template, human.faces, weights)
    faces = surface.closed_surface(template, human.faces, human.eye_faces, weights, visible)
    kept, faces = np.unique(faces, return_inverse=True)
    faces = faces.reshape(-1, 3)
    order = surface.landmark_order(template[kept], weights[kept], human, kept, place)
    new_number = np.argsort(order)
    kept, faces = kept[order], new_number[faces]
    template, shapedirs, weights = template[kept], shapedirs[kept], weights[kept]

    regressor = joint_regressor(template, shapedirs, weights, joints, jointdirs, rng)
    joints = regressor @ template
    corrections = posedirs.fit(template, weights, joints, PARENTS, np.random.default_rng(1))
    np.savez_compressed(
        out,
        v_template=template.astype(np.float32),
        f=faces.astype(np.uint32),
        J_regressor=regressor.astype(np.float32),
        weights=weights.astype(np.float32),
        kintree_table=np.stack([np.array((2**32 - 1, *PARENTS[1:])), np.arange(24)]),
        shapedirs=shapedirs.astype(np.float16),  # the surface moves by less than 0.1 mm
        posedirs=corrections.astype(np.float16),
        bs_type="lrotmin",
        bs_style="lbs",
        J=joints.astype(np.float32),
    )
    print(f"{len(template)} vertices, {len(faces)} faces, {out.stat().st_size / 1e6:.2f} MB")


def shape_space(human: Makehuman, rng):
    """Principal components of random people.

    Returns:
        template (V, 3), shapedirs (V, 3, 10), joints (24, 3), their directions (24, 3, 10), and a function from a
        MakeHuman bone's name to its place (3,) on the average person.
    """
    phenotypes = random_phenotypes(PEOPLE, rng)
    people = []
    for start in range(0, PEOPLE, 50):
        people += human.people({key: value[start : start + 50] for key, value in phenotypes.items()})
    surfaces = np.stack([(person.vertices - person.joints[0]).astype(np.float32) for person in people])
    skeletons = np.stack([person.joints - person.joints[0] for person in people])
    scale = HEIGHT / np.ptp(surfaces.mean(0, dtype=np.float64)[:, 1])
    surfaces, skeletons = surfaces * np.float32(scale), skeletons * scale
    mean = surfaces.mean(0, dtype=np.float64)

    deviations = (surfaces - mean.astype(np.float32)).reshape(PEOPLE, -1)
    _, vectors = np.linalg.eigh((deviations @ deviations.T).astype(np.float64))
    betas = vectors[:, ::-1][:, :BETAS] * np.sqrt(PEOPLE)  # unit variance
    heights = np.ptp(surfaces[..., 1], axis=1)
    betas *= [np.sign(np.corrcoef(betas[:, k], heights)[0, 1]) for k in range(BETAS)]  # positive = taller
    shapedirs = (deviations.T.astype(np.float64) @ betas / PEOPLE).reshape(*mean.shape, BETAS)
    jointdirs = np.einsum("njc,nk->jck", skeletons - skeletons.mean(0), betas) / PEOPLE
    average = human.average()

    def place(bone):
        return (average.heads[human.bones[bone]] - average.joints[0]) * scale + PELVIS

    return mean + PELVIS, shapedirs, skeletons.mean(0) + PELVIS, jointdirs, place


def joint_regressor(vertices, shapedirs, weights, joints, jointdirs, rng) -> np.ndarray:
    """Non-negative regressor (24, V) from nearby vertices to the mean joints and their shape directions."""
    regressor = np.zeros((24, len(vertices)))
    for j in range(24):
        kin = [k for k in range(24) if k == j or PARENTS[k] == j or k == PARENTS[j]]
        unrelated = weights[:, kin].sum(1) < 0.02
        nearest = np.argsort(np.linalg.norm(vertices - joints[j], axis=1) + 10 * unrelated)[:1600]
        chosen = nearest[rng.permutation(1600)[:REGRESSOR_VERTICES]]
        left = np.concatenate([
            vertices[chosen].T - joints[j][:, None],
            3 * shapedirs[chosen].transpose(1, 2, 0).reshape(3 * BETAS, -1),
            100 * np.ones((1, len(chosen))),
            1e-3 * np.eye(len(chosen)),
        ])  # fmt: skip
        right = np.concatenate([np.zeros(3), 3 * jointdirs[j].ravel(), [100.0], np.zeros(len(chosen))])
        solution, _ = nnls(left, right, maxiter=20000)
        regressor[j, chosen] = solution / solution.sum()
    return regressor


if __name__ == "__main__":
    main()
