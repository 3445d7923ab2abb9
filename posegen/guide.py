"""Move the centres of a mixture of poses until they show the statements that were understood.

The head has seen most statements, but few of their combinations often; a centre may show nearly, not quite, what is
wanted ("a high kick" with the foot at the knee). Whether a statement holds is a rule with a slope, so each centre is
moved up that slope, as far as its own Gaussian lets it go: the same as is done for photos, with statements in the place
of landmarks (refine.py). Noise shrinks where it would break a statement, and centres that do not show them lose weight.
"""

import torch

from posegen import posecodes
from posegen.distribution import PoseDistribution

COMPONENTS = 16  # the likeliest are kept
STEPS, RATE = 12, 0.5  # in units of the Gaussians' standard deviations
MARGIN = 0.5  # by how much statements should hold, in their tolerances
PRIOR = 0.05  # weight of the Gaussian against the statements
DOUBT = 4.0  # log-weight that a component loses for each tolerance by which its centre misses a statement
WORST = 4.0  # tolerances; missing a statement by more is no worse
SLACK = 1.0  # tolerances of noise in a statement
FAR = 4.0  # tolerances; what holds by more is in no danger
PROBES = 4
BATCH = 64


@torch.no_grad()
def guide(distribution: PoseDistribution, wanted: torch.Tensor) -> PoseDistribution:
    """The distribution with centres that show the wanted statements (B, S), 1 or 0; rows that want nothing keep theirs.

    Returns:
        A mixture of the COMPONENTS best components.
    """
    parts = [
        guide_rows(PoseDistribution(*rows), want)
        for *rows, want in zip(*(v.split(BATCH) for v in (*vars(distribution).values(), wanted)), strict=True)
    ]
    return PoseDistribution(*(torch.cat(values) for values in zip(*(vars(p).values() for p in parts), strict=True)))


def guide_rows(distribution: PoseDistribution, wanted: torch.Tensor) -> PoseDistribution:
    d = best(doubted(distribution, wanted), COMPONENTS)
    std = d.log_std.exp()
    z = torch.zeros_like(d.mean, requires_grad=True)
    optimizer = torch.optim.Adam([z], RATE)
    with torch.enable_grad():
        for _ in range(STEPS):
            scores = posecodes.score(d.rotations(d.mean + z * std).flatten(0, 1)).unflatten(0, z.shape[:2])
            short = (MARGIN - scores).clamp_min(0) * wanted[:, None]
            loss = short.sum() + PRIOR * (z**2).sum()
            optimizer.zero_grad()
            loss.backward()
            z.grad = z.grad.nan_to_num()  # arccos has no slope at its ends
            optimizer.step()
    moved = PoseDistribution(d.chart, d.logits, d.mean + z.detach() * std, d.log_std)
    return doubted(narrowed(moved, wanted), wanted)


def narrowed(d: PoseDistribution, wanted: torch.Tensor) -> PoseDistribution:
    """Less noise where it would break a statement: each is taken for an observation, SLACK tolerances exact.

    The precision of every coordinate grows by the sum over statements of (slope / SLACK)^2, estimated with PROBES
    random signs (Hutchinson); coordinates that no statement speaks of keep theirs.
    """
    x = d.mean.clone().requires_grad_()
    with torch.enable_grad():
        scores = posecodes.score(d.rotations(x).flatten(0, 1)).unflatten(0, x.shape[:2])
        near = wanted[:, None] * (scores.detach() < FAR)
        signs = torch.randint(2, (PROBES, *scores.shape), generator=torch.Generator().manual_seed(0)) * 2.0 - 1
        signs = signs.to(scores)
        slopes = [torch.autograd.grad((scores * near * s).sum(), x, retain_graph=True)[0].nan_to_num() for s in signs]
    squared = torch.stack(slopes).square().mean(0) / SLACK**2
    log_std = -0.5 * ((-2 * d.log_std).exp() + squared).log()
    return PoseDistribution(d.chart, d.logits, d.mean, log_std)


def doubted(d: PoseDistribution, wanted: torch.Tensor) -> PoseDistribution:
    """Components weigh the less the more their centres miss."""
    scores = posecodes.scores(d.rotations(d.mean).flatten(0, 1)).unflatten(0, d.logits.shape)
    missed = ((-scores).clamp(0, WORST) * wanted[:, None]).sum(-1)
    return PoseDistribution(d.chart, d.logits.log_softmax(-1) - DOUBT * missed, d.mean, d.log_std)


def best(d: PoseDistribution, count: int) -> PoseDistribution:
    """The `count` components of most weight."""
    logits, k = d.logits.topk(min(count, d.logits.shape[1]), 1)
    index = k[..., None].expand(-1, -1, d.mean.shape[-1])
    return PoseDistribution(d.chart, logits, d.mean.gather(1, index), d.log_std.gather(1, index))
