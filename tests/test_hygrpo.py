"""HyGRPO's objective: equal to TRL's where TRL has one, to the formulas elsewhere, and it finds known optima."""

import math
from dataclasses import dataclass

import numpy as np
import pytest
import torch
from scipy.stats import norm

from finetune.hygrpo import (
    Objective,
    group_advantages,
    hybrid_loss,
    pose_advantages,
    pose_log_probs,
    pose_loss,
    token_loss,
)
from posegen.distribution import PoseDistribution

# ---- the same numbers as TRL


@pytest.fixture(scope="module")
def trainer(tmp_path_factory):
    """TRL's GRPOTrainer on a random LLaMA of two layers and 12 words; nothing is downloaded."""
    from datasets import Dataset
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast
    from trl import GRPOConfig, GRPOTrainer

    words = ["[PAD]", "[EOS]", *"abcdefghij"]
    tokenizer = Tokenizer(models.WordLevel({w: i for i, w in enumerate(words)}, unk_token="[PAD]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=tokenizer, pad_token="[PAD]", eos_token="[EOS]")
    torch.manual_seed(0)
    model = LlamaForCausalLM(
        LlamaConfig(
            vocab_size=len(words), hidden_size=16, intermediate_size=32, num_hidden_layers=2, num_attention_heads=2,
            max_position_embeddings=64, pad_token_id=0, eos_token_id=1, bos_token_id=None,
        )
    )  # fmt: skip
    with torch.no_grad():
        for p in model.parameters():
            p.mul_(8) if p.dim() > 1 else p  # probabilities far from uniform
    args = GRPOConfig(
        output_dir=str(tmp_path_factory.mktemp("trl")), per_device_train_batch_size=6, num_generations=3,
        max_completion_length=9, beta=0.0, temperature=1.0, report_to="none", use_cpu=True, bf16=False,
    )  # fmt: skip
    data = Dataset.from_dict({"prompt": ["a b c", "d e"]})
    trainer = GRPOTrainer(
        model, lambda completions, **_: [0.0] * len(completions), args, data, processing_class=tokenizer
    )
    trainer.current_gradient_accumulation_steps = 1
    return trainer


def answers(model, seed=0):
    """A batch as TRL has it: 6 answers of 3 to 7 tokens after 4 prompt tokens, holes where soft tokens stand."""
    g = torch.Generator().manual_seed(seed)
    completion_ids = torch.randint(2, 12, (6, 7), generator=g)
    lengths = torch.tensor([7, 3, 5, 7, 4, 6])
    completion_mask = (torch.arange(7) < lengths[:, None]).int()
    tool_mask = torch.ones_like(completion_mask)
    tool_mask[:, 1] = 0
    batch = {
        "prompt_ids": torch.randint(2, 12, (6, 4), generator=g), "prompt_mask": torch.ones(6, 4, dtype=torch.int),
        "completion_ids": completion_ids.masked_fill(completion_mask == 0, 0), "completion_mask": completion_mask,
        "tool_mask": tool_mask, "advantages": torch.randn(6, generator=g),
        "num_items_in_batch": (completion_mask * tool_mask).sum(),
    }  # fmt: skip
    logps = token_logps(model, batch).detach()
    rows = torch.tensor([[-0.3], [0.3], [0.05], [-0.3], [0.3], [-0.05]])  # ratios of whole answers beyond the clip, too
    batch["old_per_token_logps"] = logps + rows + 0.3 * torch.randn(logps.shape, generator=g)
    batch["ref_per_token_logps"] = logps + 0.5 * torch.randn(logps.shape, generator=g)
    return batch


def token_logps(model, batch):
    """(N, T) log-probs of a batch's completions, by the plain formula."""
    ids = torch.cat([batch["prompt_ids"], batch["completion_ids"]], 1)
    mask = torch.cat([batch["prompt_mask"], batch["completion_mask"]], 1)
    logits = model(input_ids=ids, attention_mask=mask).logits[:, :-1]
    logps = logits.log_softmax(-1).gather(-1, ids[:, 1:, None])[..., 0]
    return logps[:, -batch["completion_ids"].shape[1] :]


def gradients(model, loss):
    model.zero_grad()
    loss.backward()
    return torch.cat([p.grad.flatten() for p in model.parameters()])


def ours(model, batch, objective, max_completion_length, num_items_in_batch=None):
    sampled = (batch["completion_mask"] * batch["tool_mask"]).bool()
    loss, metrics = token_loss(
        token_logps(model, batch), batch["old_per_token_logps"], batch["ref_per_token_logps"], sampled,
        batch["advantages"], objective, max_completion_length, num_items_in_batch,
    )  # fmt: skip
    return loss, gradients(model, loss), metrics


@pytest.mark.slow
@pytest.mark.parametrize("beta", [0.0, 0.1])
@pytest.mark.parametrize("level", ["token", "sequence"])
@pytest.mark.parametrize("loss_type", ["grpo", "dr_grpo", "dapo"])
def test_token_loss_and_gradients_equal_trl(trainer, loss_type, level, beta):
    model = trainer.model.train()
    trainer.loss_type, trainer.importance_sampling_level, trainer.beta = loss_type, level, beta
    trainer.epsilon_low, trainer.epsilon_high = 0.1, 0.15
    trainer._metrics["train"].clear()
    batch = answers(model)
    expected = trainer._compute_loss(model, batch)
    expected_gradients = gradients(model, expected)
    objective = Objective(
        epsilon=0.1, epsilon_high=0.15, beta=beta, loss_type=loss_type, importance_sampling_level=level
    )
    loss, got, metrics = ours(model, batch, objective, trainer.max_completion_length)
    assert abs(loss.item() - expected.item()) < 1e-5
    assert expected_gradients.abs().max() > 1e-2
    assert (got - expected_gradients).abs().max() < 1e-5
    logged = {name: values[-1] for name, values in trainer._metrics["train"].items()}
    names = {"clip_ratio/low_mean", "clip_ratio/high_mean", "clip_ratio/region_mean"} | ({"kl"} if beta else set())
    assert names == {n for n in metrics if n != "log_ratio_max"}
    assert {n: metrics[n] for n in names} == pytest.approx({n: logged[n] for n in names}, abs=1e-5)
    assert metrics["clip_ratio/region_mean"] > 0


@pytest.mark.slow
@pytest.mark.parametrize("loss_type", ["grpo", "dr_grpo", "dapo"])
def test_a_batch_in_two_parts_adds_up_as_in_trl(trainer, monkeypatch, loss_type):
    model = trainer.model.train()
    trainer.loss_type, trainer.importance_sampling_level, trainer.beta = loss_type, "token", 0.1
    trainer.epsilon_low = trainer.epsilon_high = 0.2
    monkeypatch.setattr(trainer, "current_gradient_accumulation_steps", 2)
    monkeypatch.setattr(trainer.args, "steps_per_generation", 2)
    batch = answers(model)
    parts = [{k: v[i : i + 3] if v.dim() else v for k, v in batch.items()} for i in (0, 3)]
    expected = sum(gradients(model, trainer._compute_loss(model, part)) for part in parts)
    items = batch["num_items_in_batch"].item() / 2
    objective = Objective(beta=0.1, loss_type=loss_type)
    length = trainer.max_completion_length
    got = sum(ours(model, part, objective, length, items)[1] / 2 for part in parts)
    assert (got - expected).abs().max() < 1e-5
    whole = ours(model, batch, objective, length)[1]
    assert (got - whole).abs().max() < 1e-5


@pytest.mark.slow
@pytest.mark.parametrize("scale", ["group", "batch", "none"])
def test_group_advantages_equal_trl(trainer, monkeypatch, scale):
    rewards = [0.1, 0.9, None, 2.0, 2.0, 2.0]
    monkeypatch.setattr(trainer, "reward_funcs", [lambda completions, **_: rewards])
    monkeypatch.setattr(trainer, "scale_rewards", scale)
    trainer.model.train()
    trainer.beta = 0.0
    inputs = [{"prompt": prompt} for prompt in ["a b c"] * 3 + ["d e"] * 3]
    expected = trainer._generate_and_score_completions(inputs)["advantages"]
    got = group_advantages(torch.tensor([math.nan if r is None else r for r in rewards]), 3, scale)
    torch.testing.assert_close(got, expected, rtol=1e-5, atol=1e-6)
    assert got[2] == 0 and got[1] > 0.1


# ---- advantages


def test_pose_advantages_compare_all_valid_poses_of_a_prompt():
    rewards = torch.tensor([[0.0, 1.0], [9.0, math.nan], [2.0, 3.0], [5.0, 5.0], [5.0, 7.0], [5.0, math.nan]])
    valid = torch.tensor([True, False, True, True, True, True])
    first, second = np.array([0.0, 1, 2, 3]), np.array([5.0, 5, 5, 7, 5])
    group = lambda r: (r - r.mean()) / (r.std(ddof=1) + 1e-4)  # noqa: E731
    a, b = group(first), group(second)
    expected = [[a[0], a[1]], [0, 0], [a[2], a[3]], [b[0], b[1]], [b[2], b[3]], [b[4], 0]]
    np.testing.assert_allclose(pose_advantages(rewards, 3, "group", valid).numpy(), expected, atol=1e-5)
    std = np.concatenate([first, second]).std(ddof=1) + 1e-4
    assert pose_advantages(rewards, 3, "batch", valid)[2, 1].item() == pytest.approx(1.5 / std, abs=1e-5)
    assert pose_advantages(rewards, 3, "none", valid)[2, 1].item() == pytest.approx(1.5)


@pytest.mark.parametrize("scale", ["group", "batch", "none"])
def test_groups_that_say_nothing_give_no_advantage(scale):
    rewards = torch.tensor([[math.nan, math.nan], [math.nan, math.nan], [math.nan, 4.0], [math.nan, math.nan]])
    assert torch.equal(pose_advantages(rewards, 2, scale), torch.zeros(4, 2))
    assert group_advantages(torch.full((4,), 0.3), 2, scale).abs().max() < 1e-3


# ---- the pose loss


def mixture(n=4, components=2, dim=6, seed=0, dtype=torch.float32):
    g = torch.Generator().manual_seed(seed)
    draw = lambda *shape: torch.randn(*shape, generator=g, dtype=dtype)  # noqa: E731
    return PoseDistribution(
        torch.eye(3, dtype=dtype).expand(n, 24, 3, 3), draw(n, components), 0.3 * draw(n, components, dim),
        -1 + 0.2 * draw(n, components, dim),
    )  # fmt: skip


def pose_batch(components=2, pose_ratio="sum", dtype=torch.float32):
    """A policy, its reference, and poses of an older policy that lies near: 4 answers, 3 poses, 2 joints."""
    d, old, reference = (mixture(4, components, seed=0, dtype=dtype) for _ in range(3))
    old.mean, reference.mean = old.mean + 0.05, reference.mean - 0.1
    reference.log_std, reference.logits = reference.log_std + 0.1, reference.logits.flip(-1)
    g = torch.Generator().manual_seed(1)
    x = old.sample(3, generator=g)
    advantages = torch.randn(4, 3, generator=g, dtype=dtype)
    return d, reference, x, pose_log_probs(old, x, pose_ratio), advantages


def scipy_log_prob(d, n, x):
    """log-density of x (D,) in row n, by scipy."""
    weights = d.logits[n].softmax(-1).numpy()
    each = [norm.logpdf(x, m, s).sum() for m, s in zip(d.mean[n].numpy(), d.log_std[n].exp().numpy(), strict=True)]
    return np.logaddexp.reduce(np.log(weights) + each)


@pytest.mark.parametrize(("pose_ratio", "components"), [("sum", 2), ("mean", 2), ("joint", 1)])
def test_pose_loss_equals_the_formula(pose_ratio, components):
    d, reference, x, old_log_prob, advantages = pose_batch(components, pose_ratio)
    valid = torch.tensor([True, True, False, True])
    epsilon = 0.02 if pose_ratio == "mean" else 0.2
    objective = Objective(pose_ratio=pose_ratio, epsilon_pose=epsilon, beta_pose=0.05)
    losses, clipped = [], []
    for n in (0, 1, 3):
        for m in range(3):
            a, point = advantages[n, m].item(), x[n, m].numpy()
            if pose_ratio == "joint":
                new = norm.logpdf(point, d.mean[n, 0].numpy(), d.log_std[n, 0].exp().numpy()).reshape(2, 3).sum(1)
            else:
                new = scipy_log_prob(d, n, point)
            log_ratio = np.atleast_1d(new - old_log_prob[n, m].numpy()) / (6 if pose_ratio == "mean" else 1)
            for ratio in np.exp(log_ratio):
                losses.append(-min(ratio * a, np.clip(ratio, 1 - epsilon, 1 + epsilon) * a))
                clipped.append((ratio > 1 + epsilon and a > 0) or (ratio < 1 - epsilon and a < 0))
    kl = d.kl(reference)[valid].mean().item()
    loss, metrics = pose_loss(d, reference, x, old_log_prob, advantages, valid, objective)
    assert loss.item() == pytest.approx(np.mean(losses) + 0.05 * kl, abs=1e-4)
    assert metrics["pose/kl"] == pytest.approx(kl, rel=1e-4) and kl > 0.1
    assert metrics["pose/clip_ratio/region_mean"] == pytest.approx(np.mean(clipped)) and any(clipped)


@pytest.mark.parametrize(("pose_ratio", "components"), [("sum", 2), ("mean", 2), ("joint", 1)])
def test_pose_loss_has_the_right_gradient(pose_ratio, components):
    d, reference, x, old_log_prob, advantages = pose_batch(components, pose_ratio, torch.float64)
    valid = torch.tensor([True, True, False, True])
    objective = Objective(pose_ratio=pose_ratio, epsilon_pose=0.02 if pose_ratio == "mean" else 0.2, beta_pose=0.05)

    def f(logits, mean, log_std):
        distribution = PoseDistribution(d.chart, logits, mean, log_std)
        return pose_loss(distribution, reference, x, old_log_prob, advantages, valid, objective)[0]

    assert torch.autograd.gradcheck(f, [v.clone().requires_grad_() for v in (d.logits, d.mean, d.log_std)])


@pytest.mark.parametrize(("pose_ratio", "share"), [("sum", 1), ("mean", 1 / 6), ("joint", 1 / 2)])
def test_first_inner_step_has_ratio_one_and_the_plain_policy_gradient(pose_ratio, share):
    d, _, x, _, advantages = pose_batch(1, pose_ratio)
    d.mean.requires_grad_()
    valid = torch.ones(4, dtype=torch.bool)
    old_log_prob = pose_log_probs(d, x, pose_ratio).detach()
    objective = Objective(pose_ratio=pose_ratio, beta=0, beta_pose=0)
    loss, metrics = pose_loss(d, None, x, old_log_prob, advantages, valid, objective)
    assert metrics["pose/log_ratio_max"] < 1e-4 and metrics["pose/clip_ratio/region_mean"] == 0
    (got,) = torch.autograd.grad(loss, d.mean)
    (expected,) = torch.autograd.grad(-(advantages * d.log_prob(x)).mean() * share, d.mean)
    torch.testing.assert_close(got, expected, rtol=1e-4, atol=1e-6)

    logps = torch.randn(4, 5, requires_grad=True)
    sampled = torch.ones(4, 5, dtype=torch.bool)
    loss, metrics = token_loss(logps, logps.detach(), None, sampled, advantages[:, 0], objective, 5)
    assert metrics["log_ratio_max"] == 0 and metrics["clip_ratio/region_mean"] == 0
    (got,) = torch.autograd.grad(loss, logps)
    torch.testing.assert_close(got, -advantages[:, :1].expand(4, 5) / 20)


def test_answers_without_a_pose_teach_tokens_only():
    d, reference, x, old_log_prob, advantages = pose_batch()
    for parameter in (d.logits, d.mean, d.log_std):
        parameter.requires_grad_()
    valid = torch.tensor([True, False, True, False])
    x[1], old_log_prob[1], advantages[3] = math.nan, math.nan, 1e6
    loss, metrics = pose_loss(d, reference, x, old_log_prob, advantages, valid, Objective())
    loss.backward()
    rest = [
        PoseDistribution(*(v[valid].detach() for v in (p.chart, p.logits, p.mean, p.log_std))) for p in (d, reference)
    ]
    alone, metrics_alone = pose_loss(
        *rest, x[valid], old_log_prob[valid], advantages[valid], torch.ones(2, dtype=torch.bool), Objective()
    )
    assert loss.item() == pytest.approx(alone.item()) and metrics == pytest.approx(metrics_alone)
    for parameter in (d.logits, d.mean, d.log_std):
        assert torch.equal(parameter.grad[~valid], torch.zeros_like(parameter.grad[~valid]))
        assert parameter.grad[valid].abs().max() > 0

    nothing, none = pose_loss(d, reference, x, old_log_prob, advantages, torch.zeros_like(valid), Objective())
    nothing.backward()
    assert nothing.item() == 0 and none == dict.fromkeys(metrics, 0.0) and not d.mean.grad[~valid].any()

    logps = torch.randn(4, 5, requires_grad=True)
    sampled = torch.ones(4, 5, dtype=torch.bool)
    loss, _ = token_loss(logps, logps.detach(), None, sampled, group_advantages(valid.float(), 4), Objective(beta=0), 5)
    loss.backward()
    assert (logps.grad[~valid] > 0).all() and (logps.grad[valid] < 0).all()


def test_tokens_that_were_not_sampled_count_for_nothing():
    sampled = torch.tensor([[True, False, True], [True, True, False], [False, False, False]])
    values = torch.randn(3, 3, 3)
    logps, old, ref = values.masked_fill(~sampled, math.nan)
    logps.requires_grad_()
    for loss_type in ("grpo", "dr_grpo", "dapo"):
        loss, metrics = token_loss(logps, old, ref, sampled, torch.randn(3), Objective(loss_type=loss_type), 3)
        (gradient,) = torch.autograd.grad(loss, logps)
        assert torch.isfinite(loss) and all(map(math.isfinite, metrics.values()))
        assert (gradient[~sampled] == 0).all() and (gradient[sampled] != 0).any()


# ---- what must be refused


def test_joint_ratio_needs_one_gaussian_and_old_log_probs_of_its_own():
    d, reference, x, old_log_prob, advantages = pose_batch(2)
    with pytest.raises(ValueError, match="pose_ratio sum or mean"):
        pose_log_probs(d, x, "joint")
    one, reference, x, _, advantages = pose_batch(1)
    with pytest.raises(ValueError, match="pose_log_probs"):
        valid = torch.ones(4, dtype=torch.bool)
        pose_loss(one, reference, x, old_log_prob, advantages, valid, Objective(pose_ratio="joint"))
    torch.testing.assert_close(pose_log_probs(one, x, "joint").sum(-1), pose_log_probs(one, x, "sum"))


def test_a_class_that_adds_settings_checks_its_own():
    @dataclass
    class Run(Objective):
        name: str = "first"

    assert Run(beta=0).name == "first"
    with pytest.raises(ValueError, match="beta must"):
        Run(beta=-1)


@pytest.mark.parametrize(
    "setting",
    [
        {"scale_rewards": "std"}, {"loss_type": "ppo"}, {"importance_sampling_level": "word"}, {"pose_ratio": "max"},
        {"beta": -0.1}, {"beta_pose": math.nan}, {"epsilon": 0}, {"epsilon_pose": 1.5}, {"epsilon_high": 0.0},
        {"max_log_ratio": math.inf}, {"text_weight": "1"}, {"text_weight": 0, "pose_weight": 0},
    ],
)  # fmt: skip
def test_wrong_settings_are_named_in_one_sentence(setting):
    with pytest.raises(ValueError) as error:
        Objective(**setting)
    assert next(iter(setting)) in str(error.value) and str(error.value).count(".\n") == 0


def test_far_ratios_do_not_overflow():
    d, reference, x, old_log_prob, advantages = pose_batch()
    d.mean = (d.mean + 1000).requires_grad_()
    loss, metrics = pose_loss(d, None, x, old_log_prob, advantages, torch.ones(4).bool(), Objective(beta_pose=0))
    assert torch.isfinite(torch.autograd.grad(loss, d.mean)[0]).all() and metrics["pose/log_ratio_max"] == 10
    logps = torch.full((2, 3), -300.0, requires_grad=True)
    zero, sampled = torch.zeros(2, 3), torch.ones(2, 3).bool()
    loss, _ = token_loss(logps, zero, zero, sampled, torch.tensor([1.0, -1.0]), Objective(), 3)
    assert torch.isfinite(torch.autograd.grad(loss, logps)[0]).all() and torch.isfinite(loss)


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_a_loss_that_is_no_number_stops_with_a_sentence(bad):
    one = torch.tensor(1.0)
    assert hybrid_loss(one, 2 * one, Objective(text_weight=0.5, pose_weight=3.0)).item() == 6.5
    for parts in [(one * bad, one), (one, one * bad)]:
        with pytest.raises(FloatingPointError, match="last checkpoint"):
            hybrid_loss(*parts, Objective())
    d, reference, x, old_log_prob, advantages = pose_batch()
    loss, _ = pose_loss(d, reference, x * math.nan, old_log_prob, advantages, torch.ones(4).bool(), Objective())
    with pytest.raises(FloatingPointError):
        hybrid_loss(one, loss, Objective())


# ---- a toy problem whose optimum is known

PROMPTS, REPEATS, G, M = 2, 8, 16, 4
TOKEN_REWARD = torch.tensor([[0.0, 1.0, 0.3, 0.1], [5.2, 5.0, 5.1, 6.0]])  # prompt 1 is paid more for everything
BEST_POSE = torch.tensor([[0.5, -0.5, 0.2], [-0.3, 0.4, 0.0]])
BETA, BETA_POSE = 0.3, 0.5


def toy_reference():
    """Token logits (P, V), and a mixture of two unit Gaussians in 3 dimensions for each prompt."""
    shift = torch.tensor([[[1.5, 0.0, 0.0], [0.0, -2.0, 0.0]], [[0.0, 0.0, -1.5], [-2.0, 0.0, 0.5]]])
    chart = torch.eye(3).expand(PROMPTS, 24, 3, 3)
    poses = PoseDistribution(
        chart, torch.tensor([[-0.3, 0.3], [0.0, 0.5]]), BEST_POSE[:, None] + shift, torch.zeros_like(shift)
    )
    return torch.tensor([[1.0, 0.2, 0.0, -0.5], [0.0, 0.5, 0.3, 0.1]]), poses


def token_optimum():
    """(P, V) that maximises E[reward] - beta KL(policy || reference); a group's own mean takes a share 1 / G off E."""
    return (toy_reference()[0] + (1 - 1 / G) * TOKEN_REWARD / BETA).softmax(-1)


def pose_optimum():
    """Weights (P, 2), means (P, 2, 3) and variance that maximise E[-|x - best|^2 / 2] - beta_pose KL."""
    share = 1 - 1 / (G * M)
    reference = toy_reference()[1]
    best = BEST_POSE[:, None]
    mean = (share * best + BETA_POSE * reference.mean) / (share + BETA_POSE)
    variance = BETA_POSE / (share + BETA_POSE)
    reward = -0.5 * share * ((mean - best) ** 2 + variance).sum(-1)
    kl = 0.5 * (variance + (mean - reference.mean) ** 2 - 1 - math.log(variance)).sum(-1)
    return (reference.logits + (reward - BETA_POSE * kl) / BETA_POSE).softmax(-1), mean, variance


def optimise(flip=None, steps=240):
    """Run HyGRPO on the toy problem with one sign flipped; the policy averaged over the last third of the steps."""
    ref_logits, reference = toy_reference()
    parameters = [v.clone().requires_grad_() for v in (ref_logits, reference.logits, reference.mean, reference.log_std)]
    logits, *pose = parameters
    objective = Objective(scale_rewards="none", beta=BETA, beta_pose=BETA_POSE)
    objective.beta *= -1 if flip == "token kl" else 1
    objective.beta_pose *= -1 if flip == "pose kl" else 1
    optimizer = torch.optim.Adam(parameters, lr=0.05)
    g = torch.Generator().manual_seed(0)
    prompt = torch.arange(PROMPTS).repeat_interleave(G).repeat(REPEATS)  # (N,)
    sampled, valid = torch.ones(len(prompt), 1).bool(), torch.ones(len(prompt)).bool()
    rows = lambda d: PoseDistribution(d.chart[prompt], d.logits[prompt], d.mean[prompt], d.log_std[prompt])  # noqa: E731
    average = [torch.zeros_like(p) for p in parameters]
    for step in range(steps):
        distribution = rows(PoseDistribution(reference.chart, *pose))
        with torch.no_grad():
            tokens = torch.multinomial(logits.softmax(-1)[prompt], 1, generator=g)
            x = distribution.sample(M, generator=g)
            token_adv = group_advantages(TOKEN_REWARD[prompt].gather(1, tokens)[:, 0], G, objective.scale_rewards)
            pose_reward = -0.5 * ((x - BEST_POSE[prompt][:, None]) ** 2).sum(-1)
            pose_adv = pose_advantages(pose_reward, G, objective.scale_rewards, valid)
            token_adv *= -1 if flip == "token advantage" else 1
            pose_adv *= -1 if flip == "pose advantage" else 1
        logps = logits.log_softmax(-1)[prompt].gather(1, tokens)
        ref_logps = ref_logits.log_softmax(-1)[prompt].gather(1, tokens)
        old_log_prob = pose_log_probs(distribution, x).detach()
        loss = hybrid_loss(
            token_loss(logps, logps.detach(), ref_logps, sampled, token_adv, objective, 1)[0],
            pose_loss(distribution, rows(reference), x, old_log_prob, pose_adv, valid, objective)[0],
            objective,
        )
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if step >= steps - steps // 3:
            average = [a + p.detach() / (steps // 3) for a, p in zip(average, parameters, strict=True)]
    logits, *pose = average
    return logits.softmax(-1), PoseDistribution(reference.chart, *pose)


@pytest.mark.parametrize("flip", [None, "token advantage", "pose advantage", "token kl", "pose kl"])
def test_both_halves_reach_the_known_optimum_and_a_wrong_sign_does_not(flip):
    tokens, poses = optimise(flip)
    weights, mean, variance = pose_optimum()
    tokens_off = (tokens - token_optimum()).abs().max().item()
    weights_off = (poses.logits.softmax(-1) - weights).abs().max().item()
    mean_off = (poses.mean - mean).abs().max().item()
    std_off = (poses.log_std - 0.5 * math.log(variance)).abs().max().item()
    print(f"{flip}: tokens {tokens_off:.3f}, weights {weights_off:.3f}, means {mean_off:.3f}, log-std {std_off:.3f}")
    token_reached = tokens_off < 0.03 and torch.equal(tokens.argmax(-1), TOKEN_REWARD.argmax(-1))
    pose_reached = weights_off < 0.05 and mean_off < 0.1 and std_off < 0.1
    start = toy_reference()[1].mode()
    pose_reached &= ((poses.mode() - BEST_POSE).norm(dim=-1) < 0.5 * (start - BEST_POSE).norm(dim=-1)).all().item()
    assert token_reached == (flip not in ("token advantage", "token kl"))
    assert pose_reached == (flip not in ("pose advantage", "pose kl"))
