"""Pull lifted poses onto the landmarks they were lifted from, as far as the lifter's own uncertainty lets them go."""

import torch

from posegen.camera import FOCAL
from posegen.distribution import from_tangent
from posegen.photo import LIMB_LANDMARKS
from posegen.skeleton import LIMBS, forward_kinematics

STEPS = 30
RATE = 0.15  # in units of the lifter's standard deviations
NOISE = 0.06  # of landmarks against joints, in units of the person's size; smaller pulls harder and bends poses


def refine(rotations, log_std, landmarks_2d, visibility, frame) -> torch.Tensor:
    """The most probable poses given the lifter's Gaussian (the prior) and 2D landmarks (the likelihood).

    Args:
        rotations: (B, 24, 3, 3) lifted poses; log_std: (B, 60) the lifter's uncertainty about them.
        landmarks_2d: (B, 33, 2) pixels; visibility: (B, 33); frame: (B, 2) or (2,) width and height.
    Returns:
        (B, 24, 3, 3) local rotations.
    """
    device = rotations.device
    at = list(LIMB_LANDMARKS)
    pixels = torch.as_tensor(landmarks_2d, dtype=torch.float32, device=device)[:, at]
    weight = torch.as_tensor(visibility, dtype=torch.float32, device=device)[:, at].clamp(0.05, 1)
    frame = torch.as_tensor(frame, dtype=torch.float32, device=device).expand(len(pixels), 2)
    focal = FOCAL * frame.amax(1)[:, None, None]
    seen = (pixels - frame[:, None] / 2) * torch.tensor([1.0, -1.0], device=device) / focal  # X / -Z and Y / -Z
    size = (seen - seen.mean(1, keepdim=True)).norm(dim=-1).mean(1)[:, None]
    std = log_std.exp()
    z = torch.zeros_like(std, requires_grad=True)
    optimizer = torch.optim.Adam([z], RATE)
    with torch.enable_grad():
        for _ in range(STEPS):
            joints = forward_kinematics(from_tangent(z * std, rotations))[0][:, list(LIMBS)]
            points = joints + translations(joints.detach(), seen, weight)[:, None]
            error = (points[..., :2] / -points[..., 2:].clamp(max=-0.1) - seen).norm(dim=-1) / size / NOISE
            robust = torch.where(error < 2, 0.5 * error**2, 2 * error - 2)  # Huber: a landmark may be plainly wrong
            loss = (weight * robust).sum() + 0.5 * (z**2).sum()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return from_tangent(z.detach() * std, rotations)


def translations(joints: torch.Tensor, seen: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    """(B, 3) where pelvises must be so that joints (B, J, 3) are seen at (X, Y) / -Z = (B, J, 2): least squares."""
    root = weight.sqrt()[..., None]
    one, nil = torch.ones_like(seen[..., :1]), torch.zeros_like(seen[..., :1])
    left = torch.cat([torch.cat([one, nil, seen[..., :1]], -1), torch.cat([nil, one, seen[..., 1:]], -1)], 1)
    right = -torch.cat([joints[..., k : k + 1] + seen[..., k : k + 1] * joints[..., 2:] for k in (0, 1)], 1)
    root = torch.cat([root, root], 1)
    left, right = left * root, right * root
    normal = left.transpose(1, 2) @ left + 1e-6 * torch.eye(3, device=left.device)
    return torch.linalg.solve(normal, left.transpose(1, 2) @ right)[..., 0]
