"""HyGRPO: group-relative policy optimisation of a hybrid action, words and a pose (formulas: docs/HYGRPO.md).

The algorithm on one page: rewards -> advantages -> clipped losses of tokens and of poses -> their weighted sum.
Pure tensor functions; N rows are answers, `num_generations` in a row belong to one prompt, every answer has M poses.
Left out:
1. No critic and no discount: one reward an answer (or a pose), compared within its group.
2. No sampled KL of poses: the k3 estimate that serves tokens diverges in 60 dimensions; a closed form takes its place.
3. No entropy bonus, no dual clipping, no sampler correction: old log-probs come from the network that is trained.
4. No gradient through a sample or a reward: poses learn from their log-densities only, as tokens do.
5. No accumulation: a loss is that of the rows given; `token_loss` says how a split batch adds up.
"""

import math
from dataclasses import dataclass, fields

import torch

from posegen.distribution import PoseDistribution

CHOICES = {
    "scale_rewards": ("group", "batch", "none"),
    "loss_type": ("grpo", "dr_grpo", "dapo"),
    "importance_sampling_level": ("token", "sequence"),
    "pose_ratio": ("sum", "mean", "joint"),
}
CLIPS = ("low_mean", "high_mean", "region_mean")


@dataclass
class Objective:
    """Settings of the objective; names that TRL has mean what they mean in TRL."""

    scale_rewards: str = "group"
    """Advantages are divided by the rewards' standard deviation in the "group" or the "batch", or by 1 ("none")."""
    epsilon: float = 0.2
    """Token ratios below 1 - epsilon are clipped."""
    epsilon_high: float | None = None
    """Token ratios above 1 + epsilon_high are clipped; epsilon if None."""
    beta: float = 0.02
    """Weight of the tokens' KL to the reference (k3 estimate); 0 = no reference needed."""
    beta_pose: float = 0.002
    """Weight of the poses' KL to the reference (closed form, nats); 0 = no reference needed."""
    loss_type: str = "dapo"
    """What the sum over tokens is divided by: each answer's tokens (grpo), rows times the longest answer allowed
    (dr_grpo), or all tokens of the batch (dapo)."""
    importance_sampling_level: str = "token"
    """One ratio a "token", or one a "sequence": the geometric mean of its tokens' (GSPO)."""
    pose_ratio: str = "sum"
    """Log-ratio of a pose: the "sum" over its dimensions, their "mean", or one ratio a "joint" (one Gaussian only)."""
    epsilon_pose: float = 0.2
    """Pose ratios outside 1 -+ epsilon_pose are clipped; "mean" moves 60 times less and wants about 0.003."""
    text_weight: float = 1.0
    pose_weight: float = 1.0
    """Weights of the two losses in the sum; 0 = that half is not trained."""
    max_log_ratio: float = 10.0
    """Log-ratios are clamped to this many nats before exp, so that no ratio overflows."""

    def __post_init__(self):
        for name, choices in CHOICES.items():
            if getattr(self, name) not in choices:
                raise ValueError(f"{name} must be one of {', '.join(choices)}, but it is {getattr(self, name)!r}.")
        for field in fields(Objective):  # not those of a class that adds settings
            value = getattr(self, field.name)
            if field.name in CHOICES or (field.name == "epsilon_high" and value is None):
                continue
            if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value < math.inf:
                raise ValueError(f"{field.name} must be a finite number that is not negative, but it is {value!r}.")
        for name in ("epsilon", "epsilon_pose"):
            if not 0 < getattr(self, name) < 1:
                raise ValueError(f"{name} must be between 0 and 1, but it is {getattr(self, name)!r}.")
        for name in ("epsilon_high", "max_log_ratio"):
            if getattr(self, name) == 0:
                raise ValueError(f"{name} must be above 0.")
        if self.text_weight == self.pose_weight == 0:
            raise ValueError("text_weight and pose_weight are both 0, so nothing would be trained; raise one of them.")


# ---- advantages


def nanstd(values: torch.Tensor) -> torch.Tensor:
    """(P, n) -> (P, 1): standard deviation, with Bessel's correction, of what is not NaN; NaN of one number alone."""
    squares = (values - values.nanmean(1, keepdim=True)) ** 2
    return (squares.nansum(1, keepdim=True) / ((~values.isnan()).sum(1, keepdim=True) - 1)).sqrt()


def normalise(groups: torch.Tensor, scale_rewards: str) -> torch.Tensor:
    """Advantages (P, n) of the rewards (P, n) of P groups; a NaN is left out of mean and std and gets 0."""
    advantages = groups - groups.nanmean(1, keepdim=True)
    if scale_rewards == "group":
        advantages = advantages / (nanstd(groups) + 1e-4)
    elif scale_rewards == "batch":
        advantages = advantages / (nanstd(groups.reshape(1, -1)) + 1e-4)
    return advantages.nan_to_num(0.0)


def group_advantages(rewards: torch.Tensor, num_generations: int, scale_rewards: str = "group") -> torch.Tensor:
    """Token advantages (N,) of the answers' rewards (N,); NaN = the answer has no reward."""
    return normalise(rewards.float().unflatten(0, (-1, num_generations)), scale_rewards).flatten()


def pose_advantages(
    rewards: torch.Tensor, num_generations: int, scale_rewards: str = "group", valid: torch.Tensor | None = None
) -> torch.Tensor:
    """Pose advantages (N, M) of the poses' rewards (N, M): the group is all valid poses of a prompt's answers.

    Args:
        valid: (N,) bool, the answer has a pose; all have one if None.  The others' poses get 0.
    """
    rewards = rewards.float()
    if valid is not None:
        rewards = rewards.masked_fill(~valid[:, None], math.nan)
    groups = rewards.unflatten(0, (-1, num_generations)).flatten(1)  # (P, G * M)
    return normalise(groups, scale_rewards).reshape(rewards.shape)


# ---- losses


def clipped_loss(ratio: torch.Tensor, advantages: torch.Tensor, low: float, high: float) -> torch.Tensor:
    """PPO's -min(ratio A, clip(ratio) A), element by element."""
    return -torch.min(ratio * advantages, ratio.clamp(1 - low, 1 + high) * advantages)


@torch.no_grad()
def clip_ratios(prefix, ratio, advantages, low: float, high: float, weights) -> dict[str, float]:
    """Share of the ratios where the clip stops the gradient, below and above; `weights` says which ones count."""
    below, above = (ratio < 1 - low) & (advantages < 0), (ratio > 1 + high) & (advantages > 0)
    kinds = zip(CLIPS, (below, above, below | above), strict=True)
    count = weights.sum().clamp_min(1)
    return {f"{prefix}clip_ratio/{name}": ((kind * weights).sum() / count).item() for name, kind in kinds}


def token_loss(
    logps: torch.Tensor,
    old_logps: torch.Tensor,
    ref_logps: torch.Tensor | None,
    sampled: torch.Tensor,
    advantages: torch.Tensor,
    objective: Objective,
    max_completion_length: int,
    num_items_in_batch: float | None = None,
) -> tuple[torch.Tensor, dict[str, float]]:
    """Clipped loss of the words, equal to TRL's GRPOTrainer._compute_loss.

    Args:
        logps, old_logps, ref_logps: (N, T) log-probs of the tokens under the policy, the policy that sampled them, and
            the reference (not needed when beta is 0).
        sampled: (N, T) bool, tokens that the policy chose; values elsewhere are never looked at.
        advantages: (N,).
        max_completion_length: what dr_grpo divides by.
        num_items_in_batch: what dapo divides by; the sampled tokens of these rows if None.  Where a batch is split into
            equal parts whose losses are averaged, the whole batch's sampled tokens divided by the number of parts.
    Returns:
        The loss, a scalar, and metrics.
    """
    o = objective
    high = o.epsilon if o.epsilon_high is None else o.epsilon_high
    advantages = advantages.float()[:, None]
    lengths = sampled.sum(-1, keepdim=True).clamp_min(1)  # (N, 1)
    logps = logps.float().where(sampled, 0.0)
    log_ratio = (logps - old_logps.float().where(sampled, 0.0)).clamp(-o.max_log_ratio, o.max_log_ratio)
    metrics = {"log_ratio_max": log_ratio.detach().abs().max().item()}
    weights = sampled.float()
    if o.importance_sampling_level == "sequence":
        log_ratio = log_ratio.sum(-1, keepdim=True) / lengths
        weights = torch.ones_like(log_ratio)
    ratio = log_ratio.exp()  # (N, T), or (N, 1)
    loss = clipped_loss(ratio, advantages, o.epsilon, high).expand(sampled.shape)
    metrics |= clip_ratios("", ratio, advantages, o.epsilon, high, weights)
    if o.beta:
        # Only the upper end can overflow; the lower one must go on pulling back what went far from the reference.
        to_ref = (ref_logps.float().where(sampled, 0.0) - logps).clamp(max=o.max_log_ratio)
        # k3, 0 where not sampled; the ratio makes its gradient that of KL(policy || reference), as TRL does by default.
        kl = (to_ref.exp() - to_ref - 1) * ratio
        loss = loss + o.beta * kl
        metrics["kl"] = (kl.sum() / sampled.sum().clamp_min(1)).item()
    loss = loss * sampled
    if o.loss_type == "grpo":
        return (loss.sum(-1, keepdim=True) / lengths).mean(), metrics
    if o.loss_type == "dr_grpo":
        return loss.sum() / (len(loss) * max_completion_length), metrics
    items = sampled.sum() if num_items_in_batch is None else num_items_in_batch
    return loss.sum() / max(float(items), 1.0), metrics


def pose_log_probs(distribution: PoseDistribution, x: torch.Tensor, pose_ratio: str = "sum") -> torch.Tensor:
    """Log-densities in nats of coordinates x (N, M, D): (N, M), or (N, M, D / 3) joint by joint for "joint".

    Rollout (old) and loss (new) both call it, in the same chart.
    """
    if pose_ratio != "joint":
        return distribution.log_prob(x)
    if distribution.mean.shape[1] != 1:
        raise ValueError("pose_ratio joint needs a head of one Gaussian, for a mixture's joints are not independent; "
                         "use pose_ratio sum or mean.")  # fmt: skip
    each = torch.distributions.Normal(distribution.mean, distribution.log_std.exp(), validate_args=False).log_prob(x)
    return each.unflatten(-1, (-1, 3)).sum(-1)


def take(distribution: PoseDistribution, rows: torch.Tensor) -> PoseDistribution:
    """The given rows (N,) bool, in float32 at least."""
    parts = (distribution.chart, distribution.logits, distribution.mean, distribution.log_std)
    return PoseDistribution(*(v[rows].to(torch.promote_types(v.dtype, torch.float32)) for v in parts))


def pose_loss(
    distribution: PoseDistribution,
    reference: PoseDistribution | None,
    x: torch.Tensor,
    old_log_prob: torch.Tensor,
    advantages: torch.Tensor,
    valid: torch.Tensor,
    objective: Objective,
    num_valid_in_batch: float | None = None,
) -> tuple[torch.Tensor, dict[str, float]]:
    """Clipped loss of the poses, a mean over those of valid answers, plus beta_pose times their KL to the reference.

    Args:
        distribution, reference: N rows, in the chart that x was sampled in; no reference is needed when beta_pose is 0.
        x: (N, M, D) coordinates; old_log_prob: what `pose_log_probs` said of them when they were sampled.
        advantages: (N, M).
        valid: (N,) bool, the answer has a pose; nothing of the other rows is looked at.
        num_valid_in_batch: what the mean divides by; the valid rows if None. For split batches, as in `token_loss`.
    Returns:
        The loss, a scalar, and metrics; all 0 where no row is valid.
    """
    o = objective
    if not valid.any():
        names = ["log_ratio_max", *("clip_ratio/" + c for c in CLIPS), *(["kl"] if o.beta_pose else [])]
        return 0.0 * distribution.mean.sum(), {f"pose/{name}": 0.0 for name in names}
    distribution, x, advantages = take(distribution, valid), x[valid].to(distribution.mean), advantages[valid]
    log_prob = pose_log_probs(distribution, x, o.pose_ratio)
    if old_log_prob.shape[1:] != log_prob.shape[1:]:
        raise ValueError(f"old_log_prob has shape {tuple(old_log_prob.shape)}, which is not that of pose_ratio "
                         f"{o.pose_ratio}; take it from pose_log_probs.")  # fmt: skip
    log_ratio = log_prob - old_log_prob[valid].to(log_prob)
    if o.pose_ratio == "mean":
        log_ratio = log_ratio / x.shape[-1]
    log_ratio = log_ratio.clamp(-o.max_log_ratio, o.max_log_ratio)
    ratio = log_ratio.exp()
    advantages = advantages.to(ratio)
    if o.pose_ratio == "joint":
        advantages = advantages[..., None]
    share = 1.0 if num_valid_in_batch is None else len(x) / float(num_valid_in_batch)
    loss = share * clipped_loss(ratio, advantages, o.epsilon_pose, o.epsilon_pose).mean()
    metrics = {"pose/log_ratio_max": log_ratio.detach().abs().max().item()}
    metrics |= clip_ratios("pose/", ratio, advantages, o.epsilon_pose, o.epsilon_pose, torch.ones_like(ratio))
    if o.beta_pose:
        kl = distribution.kl(take(reference, valid)).mean()
        loss = loss + share * o.beta_pose * kl
        metrics["pose/kl"] = kl.item()
    return loss, metrics


def hybrid_loss(token_part: torch.Tensor, pose_part: torch.Tensor, objective: Objective) -> torch.Tensor:
    """text_weight * token_part + pose_weight * pose_part.

    Raises:
        FloatingPointError: the sum is not a finite number; the caller keeps its last good checkpoint.
    """
    loss = objective.text_weight * token_part + objective.pose_weight * pose_part
    if not torch.isfinite(loss):
        raise FloatingPointError(
            f"The loss is not a number (tokens {token_part.item():.4g}, poses {pose_part.item():.4g}); "
            "go on from the last checkpoint with a lower learning rate."
        )
    return loss
