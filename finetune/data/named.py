"""Poses of the named poses: each recipe of the lexicon becomes a family, with all the variation its statements leave.

Poses of the pool that come nearest to a recipe are moved, by gradient on the statements' scores, until all of it holds;
what breaks a joint limit, a limb or the floor is thrown away. Nearness is softened by chance, so a family starts from
many poses and keeps what its recipe does not speak of.
"""

from dataclasses import dataclass

import roma
import torch

from finetune.data.families import above_floor, plausible
from posegen import posecodes
from posegen.lexicon import lexicon
from posegen.posecodes import MIRROR_STATEMENT
from posegen.skeleton import mirror, remove_yaw

MARGIN = 0.3  # by how much statements should hold, in their tolerances
RATE, NEARNESS, BATCH = 0.03, 3.0, 2_000
#: (share of `each` below which a recipe takes part, starts for each pose wanted, gradient steps) of every round.
ROUNDS = ((1.0, 1, 80), (0.4, 3, 200))
#: Where the hands bear the body they may be lower than all the rest.
CARRYING = ("hand_on_ground", "upside_down", "plank", "bridge", "downward_dog", "on_all_fours")


@dataclass
class NamedPoses:
    """Poses (N, 24, 3) float32 facing +Z, and which named pose of `lexicon()[1]` each of them shows (N,)."""

    axis_angle: torch.Tensor
    unit: torch.Tensor


def recipes() -> list[tuple[int, ...]]:
    """The statements of every named pose; of two that mirror each other only one."""
    units = [unit.statements for unit in lexicon()[1]]
    return sorted({min(ids, mirrored(ids)) for ids in units})


def mirrored(ids: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(sorted(MIRROR_STATEMENT[i] for i in ids))


def sample(axis_angle: torch.Tensor, scores: torch.Tensor, each: int, seed: int) -> NamedPoses:
    """Up to `each` plausible poses of every named pose, left and right ones in equal parts where both are named.

    Args:
        axis_angle: (N, 24, 3) poses to start from.
        scores: (N, S) their statement scores.
    """
    generator = torch.Generator().manual_seed(seed)
    wanted = recipes()
    missing = scores.clamp(-4, 0)
    poses, recipe = axis_angle[:0], torch.zeros(0, dtype=torch.long)
    for below, starts, steps in ROUNDS:
        found = torch.bincount(recipe, minlength=len(wanted))
        short = torch.nonzero(found < below * each)[:, 0].tolist()
        tried = torch.tensor(short, dtype=torch.long).repeat_interleave(starts * each)
        start = [_near(missing, wanted[k], starts * each, generator) for k in short]
        for index, which in zip(torch.cat([tried[:0], *start]).split(BATCH), tried.split(BATCH), strict=True):
            made, good = move(axis_angle[index], [wanted[k] for k in which.tolist()], steps)
            poses, recipe = torch.cat([poses, made[good]]), torch.cat([recipe, which[good]])
    return _both_sides(poses, recipe, wanted, generator)


def _near(missing: torch.Tensor, ids: tuple[int, ...], count: int, generator) -> torch.Tensor:
    """(count,) indices of poses that miss little of a recipe, softened by chance (Gumbel noise)."""
    noise = -torch.rand(len(missing), generator=generator).clamp_min(1e-9).log().neg().log()
    return (NEARNESS * missing[:, list(ids)].sum(1) + noise).topk(count).indices


def move(axis_angle: torch.Tensor, wanted: list[tuple[int, ...]], steps: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Poses (n, 24, 3) moved until their wanted statements hold; whether all do and a body can do it, (n,) bool."""
    wants = torch.zeros(len(wanted), len(posecodes.NAMES))
    for row, ids in zip(wants, wanted, strict=True):
        row[list(ids)] = 1
    x = axis_angle.clone().requires_grad_()
    optimizer = torch.optim.Adam([x], lr=RATE)
    still = torch.ones(24, 1)
    still[[10, 11, 22, 23]] = 0  # toes and hands stay at rest
    for _ in range(steps):
        scores = posecodes.score(roma.rotvec_to_rotmat(x))
        short = (MARGIN - scores).clamp(0, 6) * wants
        loss = short.sum() + 0.3 * ((x - axis_angle) ** 2).sum()
        optimizer.zero_grad()
        loss.backward()
        x.grad = x.grad.nan_to_num() * still  # arccos has no slope at its ends
        optimizer.step()
    made = remove_yaw(x.detach())
    scores = posecodes.scores(roma.rotvec_to_rotmat(made))
    carried = wants[:, [i for i, s in enumerate(posecodes.STATEMENTS) if s.key in CARRYING]].any(1)
    possible = torch.from_numpy(plausible(made.numpy())) & (carried | torch.from_numpy(above_floor(made.numpy())))
    return made, ((scores >= 0) | (wants == 0)).all(1) & possible


def _both_sides(axis_angle, recipe, wanted, generator) -> NamedPoses:
    """Every second pose mirrored where the lexicon names the mirror image; the unit of each pose."""
    unit_of = {unit.statements: k for k, unit in enumerate(lexicon()[1])}
    ids = [wanted[k] for k in recipe.tolist()]
    flip = torch.rand(len(ids), generator=generator) < 0.5
    for i, own in enumerate(ids):
        if own not in unit_of or mirrored(own) not in unit_of:
            flip[i] = own not in unit_of
    poses = torch.where(flip[:, None, None], mirror(axis_angle), axis_angle)
    turned = zip(ids, flip.tolist(), strict=True)
    unit = torch.tensor([unit_of[mirrored(own) if over else own] for own, over in turned], dtype=torch.long)
    return NamedPoses(poses, unit)
