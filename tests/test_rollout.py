"""Rollouts: answers as the policy gives them, and log-probs of exactly the tokens that were drawn."""

import pytest
import torch

from finetune import rollout
from posegen.policy import PosePolicy

PROMPTS = ["a man waving with his left hand", "kneeling"]


@pytest.fixture(scope="module")
def trainable():
    policy = PosePolicy.from_pretrained(trainable=True, dequantize=True)
    policy.backbone.model.float()  # in bfloat16 padding decides between tokens that are nearly as likely
    return policy


def drawn(policy, temperature, max_completion_length=12, seed=0):
    generator = torch.Generator().manual_seed(seed)
    distribution = policy.distribution(policy.read(PROMPTS).probabilities)
    out = rollout.draw_poses(distribution, 2, 3, generator)
    rollout.add_words(
        policy, PROMPTS, out, temperature, max_completion_length, lambda n: torch.rand(n, 1, generator=generator)
    )
    return out


def test_poses_alone(policy):
    distribution = policy.distribution(policy.read(PROMPTS).probabilities)
    out = rollout.draw_poses(distribution, 2, 3, torch.Generator().manual_seed(0))
    assert out.x.shape == (4, 3, 60) and out.rotations.shape == (4, 3, 24, 3, 3)
    again = distribution.rotations(out.x[2:3, :1].flatten(0, 1)[None].expand(2, -1, -1))
    torch.testing.assert_close(again[1, 0], out.rotations[2, 0])
    assert out.valid.all() and out.sampled.shape == (4, 0)
    part = out.rows(torch.tensor([2, 3]))
    assert torch.equal(part.x[1], out.x[3]) and len(part.completions) == 2


@pytest.mark.slow
def test_greedy_answers_are_the_policys_and_their_tokens_the_likeliest(trainable):
    out = drawn(trainable, 0.0, 40)
    assert out.valid.all()
    for i, prompt in enumerate(PROMPTS):
        said = trainable.reply(trainable.prefill(prompt).repeat(2), out.shown[2 * i : 2 * i + 2])
        assert out.completions[2 * i : 2 * i + 2] == said
    with torch.no_grad():
        logps = rollout.token_logps(trainable, out, 0.02)  # cold: the likeliest token has nearly all
    assert logps[out.sampled].exp().median() > 0.99 and (logps[out.sampled] > -1).float().mean() > 0.95
    assert (logps[~out.sampled] == 0).all()


@pytest.mark.slow
def test_drawn_tokens_vary_and_follow_the_seed(trainable):
    a, b, c = drawn(trainable, 1.0), drawn(trainable, 1.0), drawn(trainable, 1.0, seed=1)
    assert a.completions == b.completions != c.completions
    first = a.answer_ids[:, 0]
    assert torch.equal(a.valid, first == trainable.backbone.pose_id)
    assert (a.answer_ids[a.sampled] >= 0).all() and (a.answer_ids < 0).any()
    lengths = a.sampled.sum(1)
    assert lengths.max() <= 1 + 12 and (lengths[~a.valid] == 1).all()


@pytest.mark.slow
def test_an_answer_without_a_pose_ends_there(trainable, monkeypatch):
    backbone, choose, calls = trainable.backbone, trainable.backbone.choose, []

    def never(logits, temperature, uniform=None):
        calls.append(1)
        token = choose(logits, temperature, uniform)
        return token.index_fill(0, torch.tensor([1]), 28) if len(calls) == 1 else token

    monkeypatch.setattr(backbone, "choose", never)
    out = drawn(trainable, 0.0)
    assert out.valid.tolist() == [True, False, True, True]
    assert out.sampled[1].sum() == 1 and "<POSE>" not in out.completions[1]
    with torch.no_grad():
        assert torch.isfinite(rollout.token_logps(trainable, out, 1.0)).all()
