"""Pull lifted poses onto the landmarks they were lifted from, as far as the lifter's own uncertainty lets them go."""

import torch

from posegen.camera import FOCAL
from posegen.distribution import PoseDistribution, from_tangent
from posegen.head import around, average_with_mirror
from posegen.photo import LIMB_LANDMARKS, landmark_features, mirror_landmarks
from posegen.skeleton import LIMBS, MIRROR, MOVING, forward_kinematics

STEPS = 30
RATE = 0.15  # in units of the lifter's standard deviations
STRAIGHT_WEIGHT, STRAIGHT_STD = 2.0, 0.2  # of the belief that knees are straight (radians): training poses crouch
LEG_STD = 0.1  # of the logarithm of legs' lengths against the rest skeleton's; without it short legs are tilted away
BALANCE_WEIGHT, BALANCE_STD = 4.0, 0.2  # of the belief that who stands straight does not fall over (metres)
NOISE = 0.06  # of landmarks against joints, in units of the person's size; smaller pulls harder and bends poses


@torch.no_grad()
def lift(lifter, landmarks_2d, landmarks_world, visibility, frame) -> PoseDistribution:
    """Poses of B people behind landmarks (B, 33, 2), (B, 33, 3), (B, 33) in photos of size frame (B, 2) or (2,).

    The landmarks and their mirror image are lifted, the two estimates (and log-stds, by joint) averaged, and the poses
    pulled onto the landmarks.
    """
    given = (landmarks_2d, landmarks_world, visibility, frame)
    device = lifter.mean.device
    straight, turned = (
        lifter.lift(torch.from_numpy(landmark_features(*readings, frame)).to(device))
        for readings in (given[:3], mirror_landmarks(*given))
    )
    rotations = average_with_mirror(straight[0], turned[0])
    back = [MOVING.index(MIRROR[j]) for j in MOVING]
    log_std = (straight[1] + turned[1].unflatten(-1, (len(MOVING), 3))[:, back].flatten(-2)) / 2
    return around(refine(rotations, log_std, landmarks_2d, visibility, frame), log_std)


def refine(rotations, log_std, landmarks_2d, visibility, frame) -> torch.Tensor:
    """The most probable poses given the lifter's Gaussian, mostly straight knees and balance (the prior) and landmarks.

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
    legs = torch.zeros_like(std[:, :2], requires_grad=True)
    optimizer = torch.optim.Adam([z, legs], RATE)
    with torch.enable_grad():
        for _ in range(STEPS):
            joints = forward_kinematics(from_tangent(z * std, rotations))[0][:, list(LIMBS)]
            joints = with_legs(joints, (LEG_STD * legs).exp())
            points = joints + translations(joints.detach(), seen, weight)[:, None]
            error = (points[..., :2] / -points[..., 2:].clamp(max=-0.1) - seen).norm(dim=-1) / size / NOISE
            robust = torch.where(error < 2, 0.5 * error**2, 2 * error - 2)  # Huber: a landmark may be plainly wrong
            prior = 0.5 * (z**2).sum() + 0.5 * (legs**2).sum() + STRAIGHT_WEIGHT * bent_knees(joints).sum()
            balance = BALANCE_WEIGHT * unbalanced(joints).sum()
            loss = (weight * robust).sum() + prior + balance
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return from_tangent(z.detach() * std, rotations)


def with_legs(joints: torch.Tensor, factor: torch.Tensor) -> torch.Tensor:
    """Limb joints (B, 12, 3) with thighs and shins longer by factors (B, 2)."""
    hips, knees, ankles = joints[:, 6:8], joints[:, 8:10], joints[:, 10:12]
    knees_now = hips + factor[:, :1, None] * (knees - hips)
    return torch.cat([joints[:, :8], knees_now, knees_now + factor[:, 1:, None] * (ankles - knees)], 1)


def bent_knees(joints: torch.Tensor) -> torch.Tensor:
    """(B, 2) how unlikely the knees of limb joints (B, 12, 3) are: 0 if straight, growing slowly once plainly bent.

    An angle is never below 0, so a mean over what a landmark set may be is never straight; most knees in photos are.
    """
    thigh, shin = joints[:, 8:10] - joints[:, 6:8], joints[:, 10:12] - joints[:, 8:10]
    squared = 2 * (1 - torch.cosine_similarity(thigh, shin, dim=-1))  # of the bend in radians, for small bends
    return (1 + squared / STRAIGHT_STD**2).log()


def unbalanced(joints: torch.Tensor) -> torch.Tensor:
    """(B,) how unlikely it is that people of limb joints (B, 12, 3) do not fall over: 0 if they are in balance.

    A body may lean towards the camera and hardly be seen to. One who stands has the centre of mass above the line
    between the ankles. It counts as far as trunk, thighs and shins make one upright line: a straight body cannot lean
    and rest, while one that runs, lunges, bows, sits or lies is left alone.
    """
    shoulders, hips, knees, ankles = (joints[:, k : k + 2] for k in (0, 6, 8, 10))
    bones = torch.stack([shoulders - hips, hips - knees, knees - ankles], 1).detach()
    bones = torch.nn.functional.normalize(bones, dim=-1)  # (B, 3, 2, 3)
    straight = (bones[:, :2] * bones[:, 1:]).sum(-1).clamp(min=0).prod(1).prod(1)
    stands = (straight * bones[..., 1].mean((1, 2)).clamp(min=0)) ** 4
    centre = (0.4 * shoulders + 0.4 * hips + 0.2 * knees).mean(1)
    off = (centre - ankles.mean(1))[:, ::2]  # on the ground
    half = (ankles[:, 1] - ankles[:, 0])[:, ::2].detach() / 2  # detached: nobody is put right by a wider stride
    off = off - half * ((off * half).sum(1) / half.square().sum(1).clamp(min=1e-4)).clamp(-1, 1)[:, None]
    return stands * (1 + off.square().sum(-1) / BALANCE_STD**2).log()


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
