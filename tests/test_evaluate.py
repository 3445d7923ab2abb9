"""The figures about words: shares, reading, variety, the everyday exam."""

from types import SimpleNamespace

import pytest
import roma
import torch

from finetune import evaluate, everyday, variety, word_evaluation
from finetune.data import datasets, families
from posegen import posecodes
from posegen.distribution import PoseDistribution, to_tangent
from posegen.reader import Reading

REST = torch.eye(3).expand(24, 3, 3)


def certain(axis_angle: torch.Tensor, log_std: float = -7.0) -> PoseDistribution:
    """One narrow Gaussian around each pose (B, 24, 3), or a mixture of K for (B, K, 24, 3)."""
    mean = to_tangent(roma.rotvec_to_rotmat(axis_angle), REST)
    mean = mean[:, None] if mean.dim() == 2 else mean
    chart = REST.expand(len(mean), 24, 3, 3)
    return PoseDistribution(chart, torch.zeros(mean.shape[:2]), mean, torch.full_like(mean, log_std))


@pytest.fixture(scope="module")
def told() -> word_evaluation.Told:
    return word_evaluation.of_families(60, 0)


@pytest.fixture(scope="module")
def pool() -> datasets.PosePool:
    """400 poses of families, all as likely."""
    drawn = families.sample(400, 0)
    axis_angle = torch.from_numpy(drawn.axis_angle)
    scores = posecodes.scores(roma.rotvec_to_rotmat(axis_angle))
    n = len(scores)
    return datasets.PosePool(
        axis_angle, torch.full((n,), 3), drawn.names, torch.full((n,), -1), scores, torch.full((n,), 1 / n).double()
    )


def a_reading(probabilities):
    return Reading(probabilities, torch.full((len(probabilities),), -1))


class Knowing:
    """Reads the captions of `told` without a mistake and answers with their own poses."""

    def __init__(self, told):
        self.told = told

    def read(self, texts):
        return a_reading(self.told.wanted[[self.told.texts.index(text) for text in texts]])

    def distribution(self, statements):
        rows = (statements[:, None] == self.told.wanted[None]).all(-1).float().argmax(1)
        return certain(self.told.axis_angle[rows])


class Answering:
    """Reads nothing and answers everybody with the same mixture of poses (K, 24, 3)."""

    def __init__(self, axis_angle):
        self.axis_angle = axis_angle

    def read(self, texts):
        return a_reading(torch.zeros(len(texts), len(posecodes.NAMES)))

    def distribution(self, statements):
        return certain(self.axis_angle.expand(len(statements), *self.axis_angle.shape))


def test_share_held_counts_only_what_was_said():
    scores = torch.tensor([[0.5, -0.5, -2.0], [-2.0, 0.0, 0.0]])
    wanted = torch.tensor([[1.0, 1.0, 1.0], [1.0, 1.0, 0.0]])
    torch.testing.assert_close(word_evaluation.share_held(scores, wanted), torch.tensor([2 / 3, 1 / 2]))
    strict = word_evaluation.share_held(scores, wanted, tolerant=False)
    torch.testing.assert_close(strict, torch.tensor([1 / 3, 1 / 2]))


def test_best_of_several_is_the_best_for_each_caption():
    scores = torch.tensor([[[0.5, -2.0], [-0.5, -0.5]], [[-2.0, -2.0], [0.0, -2.0]]])
    wanted = torch.ones(2, 2)
    assert word_evaluation.held(scores, wanted) == {"tolerant": 75.0, "strict": 50.0}
    assert word_evaluation.held(scores[:, 0], wanted) == {"tolerant": 25.0, "strict": 25.0}


def test_reading_counts_left_right_confusions():
    n = len(posecodes.NAMES)
    left, right = posecodes.INDEX["left_hand_above_head"], posecodes.INDEX["right_hand_above_head"]
    wanted, read = torch.zeros(2, n), torch.zeros(2, n)
    wanted[:, left] = 1
    read[0, left], read[1, right] = 0.9, 0.9
    figures = word_evaluation.reading(read, wanted)
    assert figures == {"precision": 50.0, "recall": 50.0, "exact": 50.0, "left_right_confused": 50.0}


def test_captions_of_validation_clips_are_true_and_reproducible(pose_data):
    path = str(pose_data / "mocap" / "poses.npz")
    told = word_evaluation.of_clips(path, 40, 0)
    assert len(told) == 40 and len(set(told.texts)) > 35
    assert word_evaluation.share_held(told.scores, told.wanted, tolerant=False).min() == 1
    assert word_evaluation.of_clips(path, 40, 0).texts == told.texts
    unseen, _ = datasets.mocap(path, "val")
    assert all((unseen == pose).flatten(1).all(1).any() for pose in told.axis_angle)


def test_captions_of_families_are_true_and_of_other_poses_than_training(told, pool):
    assert word_evaluation.share_held(told.scores, told.wanted, tolerant=False).min() == 1
    assert torch.cdist(told.axis_angle.flatten(1), pool.axis_angle.flatten(1)).min() > 0.1


def test_figures_of_a_policy_that_knows_every_pose(told, pool):
    retrieved = {"nearest_tfidf": told.scores.roll(1, 0), "nearest_lm_features": torch.full_like(told.scores, -9)}
    out = word_evaluation.figures(Knowing(told), told, retrieved, pool, seed=0)
    for row in ("mode", "sample_t0.5", "sample_t1", "best_of_8", "true_pose"):
        assert out[row]["tolerant"] == 100
    assert out["nearest_lm_features"] == {"tolerant": 0, "strict": 0}
    assert out["margin_over_retrieval"]["tolerant"] == pytest.approx(100 - out["nearest_tfidf"]["tolerant"])
    assert out["shuffled_drop"]["tolerant"] == pytest.approx(100 - out["shuffled_t1"]["tolerant"]) and (
        out["shuffled_t1"]["tolerant"] < 60 and out["random_training_pose"]["tolerant"] < 60
    )
    assert out["reading"]["exact"] == 100
    lines = "\n".join(word_evaluation.table({"clips": out, "families": out}))
    assert "| | clips | families |" in lines and "| sample t1 | 100.0 / " in lines


def test_variety_of_a_policy_that_answers_as_training_poses_do_is_one(pool):
    train = word_evaluation.Told(["words"] * 50, None, pool.axis_angle[:50], None)
    out = variety.evaluate(Answering(pool.axis_angle), pool, train, seed=0, count=50)
    assert out["ratio"] == pytest.approx(1, abs=0.05)
    assert out["distinct"] > 50 and out["distinct_training_poses"] == 100


def test_variety_sees_a_collapsed_policy(pool):
    train = word_evaluation.Told(["words"] * 50, None, pool.axis_angle[:50], None)
    out = variety.evaluate(Answering(pool.axis_angle[:1]), pool, train, seed=0, count=50)
    assert out["ratio"] < 0.05 and out["distinct"] == 0
    assert "of 50 captions 0.0 % are distinct" in variety.table_line(out)


def test_variety_compares_with_poses_that_satisfy_what_was_read(pool):
    policy = Answering(pool.axis_angle)
    statement = int((pool.scores >= 0).float().mean(0).sub(0.4).abs().argmin())  # true of some poses
    read = torch.zeros(len(posecodes.NAMES))
    read[statement] = 1
    policy.read = lambda texts: a_reading(read.expand(len(texts), -1))
    train = word_evaluation.Told(["words"] * 2, None, pool.axis_angle[:2], None)
    fitting = pool.axis_angle[pool.scores[:, statement] >= 0]
    out = variety.evaluate(policy, pool, train, seed=0, count=2)
    alone = variety.evaluate(Answering(fitting), pool, train, seed=0, count=2)
    assert out["vague"][0]["understood"] == [posecodes.NAMES[statement]]
    assert out["training_poses_mm"] == pytest.approx(alone["samples_mm"], rel=0.05)


def test_distinct_poses_are_farther_than_five_centimetres_from_every_other():
    joints = torch.zeros(4, 24, 3)
    joints[:, :, 0] = torch.tensor([0.0, 0.04, 0.2, 0.4])[:, None]
    assert variety.distinct(joints) == 50


def test_everyday_words_tell_what_failed_and_how_it_was_understood(monkeypatch, pool):
    answers = [everyday.Answer(p.text, [i < 30], [("kneeling", 0.876)]) for i, p in enumerate(everyday.EVERYDAY)]
    monkeypatch.setattr(everyday, "examine", lambda policy, num_samples, temperature, seed: answers)
    out = word_evaluation.everyday_words(SimpleNamespace(), pool, seed=0, num_random=50)
    assert (out["prompts"], out["passed"], out["interval_95"]) == (120, 25.0, [17.5, 33.7])  # Clopper and Pearson
    assert 0 < out["random_training_pose"] < 25
    assert len(out["failed"]) == 90
    assert out["failed"][0] == {"prompt": everyday.EVERYDAY[30].text, "understood": {"kneeling": 0.88}}


def test_report_leaves_out_what_was_not_measured():
    report = {"policy": "p", "seed": 0, "machine": "m", "seconds": 1}
    report["everyday"] = {
        "prompts": 120, "passed": 25.0, "interval_95": [17.5, 33.7], "random_training_pose": 3.0, "failed": []
    }  # fmt: skip
    lines = evaluate.table(report).splitlines()
    assert lines[2].startswith("Everyday words: 25.0 % of 120 prompts") and len(lines) == 3
