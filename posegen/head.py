"""The trained parts around the encoders and the language model: PoseHead, Lifter and StatementTokens.

    words   -> Reader (reader.py) -> statements -> PoseHead -> PoseDistribution
    photo   -> landmarks                        -> Lifter   -> PoseDistribution
    a pose  -> statements -> StatementTokens -> language model -> the words after <POSE>

Statements (posecodes.py) stand in the middle, so that understanding and generating can be taught, measured and
shown apart.
"""

import roma
import torch
from torch import nn

from posegen.distribution import DIM, PoseDistribution, to_tangent
from posegen.skeleton import MIRROR, MOVING, forward_kinematics, local_rotations

LOG_STD_RANGE = (-5.0, 2.0)


class ResidualMLP(nn.Module):
    """(B, inputs) -> (B, outputs): a linear layer, `depth` pre-norm residual blocks, a linear layer."""

    def __init__(self, inputs: int, outputs: int, width: int = 512, depth: int = 3, dropout: float = 0.0):
        super().__init__()
        self.enter = nn.Linear(inputs, width)
        self.blocks = nn.ModuleList(
            nn.Sequential(
                nn.LayerNorm(width), nn.Linear(width, 2 * width), nn.GELU(),
                nn.Dropout(dropout), nn.Linear(2 * width, width),
            )
            for _ in range(depth)
        )  # fmt: skip
        self.leave = nn.Linear(width, outputs)

    def forward(self, x):
        h = self.enter(x)
        for block in self.blocks:
            h = h + block(h)
        return self.leave(h)


class PoseHead(nn.Module):
    """Statements (B, S) in [0, 1] -> a PoseDistribution of K components around the rest pose."""

    def __init__(self, num_statements: int, components: int = 16, width: int = 512):
        super().__init__()
        self.components = components
        self.net = ResidualMLP(num_statements, components * (1 + 2 * DIM), width)
        # Scale of the training poses, so that the network works in standardised units.
        self.register_buffer("mean", torch.zeros(DIM))
        self.register_buffer("std", torch.ones(DIM))

    def forward(self, statements: torch.Tensor) -> PoseDistribution:
        k = self.components
        logits, mean, log_std = self.net(statements).split([k, k * DIM, k * DIM], -1)
        mean = self.mean + self.std * mean.unflatten(-1, (k, DIM))
        log_std = self.std.log() + log_std.unflatten(-1, (k, DIM)).clamp(*LOG_STD_RANGE)
        chart = torch.eye(3, device=mean.device, dtype=mean.dtype).expand(len(mean), 24, 3, 3)
        return PoseDistribution(chart, logits, mean, log_std)


def rotation_from_6d(x: torch.Tensor) -> torch.Tensor:
    """(..., 6) -> (..., 3, 3): Gram-Schmidt of two columns (Zhou et al. 2019)."""
    a, b = x[..., :3], x[..., 3:]
    first = nn.functional.normalize(a, dim=-1)
    second = nn.functional.normalize(b - (first * b).sum(-1, keepdim=True) * first, dim=-1)
    return torch.stack([first, second, torch.cross(first, second, dim=-1)], -1)


class Lifter(nn.Module):
    """BlazePose landmark features (B, F) -> a PoseDistribution (one Gaussian) around the lifted pose.

    The network writes *global* joint rotations, since errors of local ones add up along a limb.
    """

    def __init__(self, num_features: int, width: int = 512, depth: int = 4):
        super().__init__()
        self.net = ResidualMLP(num_features, len(MOVING) * 6 + DIM, width, depth, dropout=0.1)
        self.register_buffer("mean", torch.zeros(num_features))
        self.register_buffer("std", torch.ones(num_features))

    def lift(self, features: torch.Tensor):
        """Local rotations (B, 24, 3, 3) and log-std (B, 60) of the pose behind landmark features (B, F)."""
        x = ((features - self.mean) / self.std).clamp(-6, 6)
        six, log_std = self.net(x).split([len(MOVING) * 6, DIM], -1)
        six = six.unflatten(-1, (len(MOVING), 6)) + torch.tensor([1.0, 0, 0, 0, 1, 0], device=x.device)
        moving = rotation_from_6d(six)
        # Joints that do not move (toes, hands) share their parent's global rotation.
        slot = {j: i for i, j in enumerate(MOVING)} | {
            10: MOVING.index(7),
            11: MOVING.index(8),
            22: MOVING.index(20),
            23: MOVING.index(21),
        }
        globals_ = moving[:, [slot[j] for j in range(24)]]
        return local_rotations(globals_), (log_std - 2.0).clamp(*LOG_STD_RANGE)

    def forward(self, features: torch.Tensor, chart: torch.Tensor | None = None) -> PoseDistribution:
        """The chart is the lifted pose itself unless one is given (an old policy's, to compare log-probs in)."""
        rotations, log_std = self.lift(features)
        return around(rotations, log_std, chart)


def around(rotations: torch.Tensor, log_std: torch.Tensor, chart: torch.Tensor | None = None) -> PoseDistribution:
    """One Gaussian per row: mean rotations (B, 24, 3, 3), log-std (B, 60), in a chart (the mean itself by default)."""
    chart = rotations.detach() if chart is None else chart
    mean = to_tangent(rotations, chart)
    return PoseDistribution(chart, torch.zeros(len(mean), 1, device=mean.device), mean[:, None], log_std[:, None])


def average_with_mirror(rotations: torch.Tensor, mirrored: torch.Tensor) -> torch.Tensor:
    """Local rotations (B, 24, 3, 3) half way between an estimate and the one lifted from the mirrored landmarks."""
    back = mirrored[:, list(MIRROR)] * torch.tensor([[1.0, -1, -1], [-1, 1, 1], [-1, 1, 1]], device=mirrored.device)
    _, a = forward_kinematics(rotations)
    _, b = forward_kinematics(back)
    half = roma.rotvec_to_rotmat(0.5 * roma.rotmat_to_rotvec(a.transpose(-1, -2) @ b))
    return local_rotations(a @ half)


class StatementTokens(nn.Module):
    """What a pose says, as soft tokens for the language model: one embedding per statement."""

    def __init__(self, num_statements: int, hidden_size: int):
        super().__init__()
        self.embedding = nn.Embedding(num_statements, hidden_size)

    def forward(self, statements: torch.Tensor) -> torch.Tensor:
        """(B, N) statement indices -> (B, N, C) soft tokens."""
        return self.embedding(statements)
