"""PoseDistribution: a mixture of diagonal Gaussians over the rotations of the 20 moving joints.

A pose is written in one flat vector x (D = 60): the axis-angle of every moving joint *relative to a chart*,
a fixed reference pose: R_j = chart_j exp(x_j).  The density is an ordinary mixture density on R^D, so log_prob
is exact, sampling is cheap, and a ratio of two policies in the same chart is well defined.  For words the
chart is the rest pose; for photos it is the estimated pose, so that a person seen from behind does not sit at the
wrap-around of axis-angle.
"""

import math
from dataclasses import dataclass

import roma
import torch

from posegen.skeleton import MOVING

DIM = 3 * len(MOVING)


def to_tangent(rotations: torch.Tensor, chart: torch.Tensor) -> torch.Tensor:
    """Coordinates (..., 60) of rotations (..., 24, 3, 3) in a chart (..., 24, 3, 3), radians.

    The root's axis-angle is taken on the branch that bends forward: a handstand is a forward turn of 180 degrees, never
    a backward one, so that two nearly equal handstands are near each other.
    """
    relative = chart[..., list(MOVING), :, :].transpose(-1, -2) @ rotations[..., list(MOVING), :, :]
    x = roma.rotmat_to_rotvec(relative)
    root = x[..., 0, :]
    angle = root.norm(dim=-1, keepdim=True)
    other = root - root / angle.clamp_min(1e-6) * 2 * math.pi
    root = torch.where((angle > math.radians(150)) & (root[..., :1] < 0), other, root)
    return torch.cat([root[..., None, :], x[..., 1:, :]], -2).flatten(-2)


def from_tangent(x: torch.Tensor, chart: torch.Tensor) -> torch.Tensor:
    """Rotations (..., 24, 3, 3) from coordinates (..., 60) in a chart; joints that do not move keep the chart's."""
    moving = chart[..., list(MOVING), :, :] @ roma.rotvec_to_rotmat(x.unflatten(-1, (len(MOVING), 3)))
    rotations = chart.expand(*x.shape[:-1], 24, 3, 3).clone()
    rotations[..., list(MOVING), :, :] = moving
    return rotations


@dataclass
class PoseDistribution:
    """Mixture of K diagonal Gaussians for each of B prompts.

    Attributes:
        chart: (B, 24, 3, 3) reference rotations.
        logits: (B, K) unnormalised log-weights.
        mean: (B, K, 60) and log_std: (B, K, 60), radians in the chart.
    """

    chart: torch.Tensor
    logits: torch.Tensor
    mean: torch.Tensor
    log_std: torch.Tensor

    def log_prob(self, x: torch.Tensor) -> torch.Tensor:
        """Exact log-density (B, ...) in nats of coordinates x (B, ..., 60)."""
        extra = x.dim() - 2  # sample dimensions between B and D
        shape = (len(x), *(1,) * extra)
        mean = self.mean.reshape(*shape, *self.mean.shape[1:])
        log_std = self.log_std.reshape(*shape, *self.log_std.shape[1:])
        weights = self.logits.log_softmax(-1).reshape(*shape, -1)
        z = (x[..., None, :] - mean) * torch.exp(-log_std)
        return torch.logsumexp(weights + (-0.5 * z * z - log_std - 0.5 * math.log(2 * math.pi)).sum(-1), -1)

    def sample(self, num_samples: int, temperature: float = 1.0, generator: torch.Generator | None = None):
        """Coordinates (B, num_samples, 60).

        Temperature scales the Gaussians' noise and sharpens the mixture weights; 0 gives `mode()` num_samples times.
        """
        if temperature <= 0:
            return self.mode()[:, None].expand(-1, num_samples, -1)
        weights = (self.logits / temperature).softmax(-1)
        k = torch.multinomial(weights, num_samples, replacement=True, generator=generator)[..., None]
        index = k.expand(-1, -1, self.mean.shape[-1])
        noise = torch.randn(
            index.shape, generator=generator, dtype=self.mean.dtype, device=generator.device if generator else None
        )
        noise = noise.to(self.mean.device)
        return self.mean.gather(1, index) + temperature * self.log_std.gather(1, index).exp() * noise

    def mode(self) -> torch.Tensor:
        """(B, 60): the mean of the most probable component."""
        best = self.logits.argmax(-1)
        return self.mean[torch.arange(len(best), device=best.device), best]

    def rotations(self, x: torch.Tensor) -> torch.Tensor:
        """Local rotations (B, ..., 24, 3, 3) of coordinates x (B, ..., 60)."""
        chart = self.chart.reshape(len(x), *(1,) * (x.dim() - 2), 24, 3, 3)
        return from_tangent(x, chart)

    def tangent(self, rotations: torch.Tensor) -> torch.Tensor:
        """Coordinates (B, ..., 60) of local rotations (B, ..., 24, 3, 3)."""
        return to_tangent(rotations, self.chart.reshape(len(rotations), *(1,) * (rotations.dim() - 4), 24, 3, 3))

    def spread(self) -> torch.Tensor:
        """(B, 24) degrees: root mean square of the angle between each joint's rotation and its mean; 0 if it is fixed.

        Exact in the limit of small noise; the centres may lie as far apart as they like.
        """
        weights, centres = self.logits.softmax(-1)[..., None], self.rotations(self.mean)
        middle = roma.special_procrustes((weights[..., None, None] * centres).sum(1, keepdim=True))
        apart = roma.rotmat_geodesic_distance(centres, middle.expand_as(centres)).square()
        apart[..., list(MOVING)] += (2 * self.log_std).exp().unflatten(-1, (len(MOVING), 3)).sum(-1)
        return torch.rad2deg((weights * apart).sum(1).sqrt())

    def entropy(self) -> torch.Tensor:
        """(B,) nats: the upper bound H(weights) + sum_k w_k H(component k), exact for K = 1 or components far apart."""
        log_w = self.logits.log_softmax(-1)
        each = (self.log_std + 0.5 * math.log(2 * math.pi * math.e)).sum(-1)
        return (log_w.exp() * (each - log_w)).sum(-1)

    def kl(self, reference: "PoseDistribution") -> torch.Tensor:
        """(B,) nats: KL(self || reference), bounded from above component by component.

        A sampled estimate of this KL was seen to diverge in training; the closed form does not.
        """
        log_w, log_v = self.logits.log_softmax(-1), reference.logits.log_softmax(-1)
        ratio = (2 * (self.log_std - reference.log_std)).exp()
        shift = ((self.mean - reference.mean) * (-reference.log_std).exp()) ** 2
        each = 0.5 * (ratio + shift - 1 - ratio.log()).sum(-1)
        return (log_w.exp() * (log_w - log_v + each)).sum(-1)
