"""Policies side by side: intervals, recall, Frechet distance, the frontier, the whole command."""

import json
from types import SimpleNamespace

import numpy as np
import pytest
import roma
import torch

from finetune import comparison, evaluate, everyday, matcher
from finetune.data import families
from finetune.word_evaluation import of_families
from posegen import posecodes
from posegen.camera import FOCAL, Camera
from posegen.distribution import PoseDistribution, to_tangent
from posegen.photo import LIMB_LANDMARKS
from posegen.policy import PolicyError
from posegen.skeleton import LIMBS, forward_kinematics

REST = torch.eye(3).expand(24, 3, 3)


@pytest.fixture(scope="module")
def poses() -> torch.Tensor:
    """(60, 24, 3) axis-angle of families."""
    return torch.from_numpy(families.sample(60, 1).axis_angle)


@pytest.fixture(scope="module")
def wanted(poses) -> torch.Tensor:
    """(60, S) all that is true of each pose."""
    return (posecodes.scores(roma.rotvec_to_rotmat(poses)) >= 0).float()


class Knowing:
    """Answers all that is true of a pose with it; log_std says how surely."""

    def __init__(self, poses, wanted, log_std):
        self.mean, self.wanted, self.log_std = to_tangent(roma.rotvec_to_rotmat(poses), REST), wanted, log_std

    def distribution(self, given):
        mean = self.mean[(given[:, None] == self.wanted).all(-1).float().argmax(1)][:, None]
        log_std = torch.full_like(mean, self.log_std)
        return PoseDistribution(REST.expand(len(given), 24, 3, 3), torch.zeros(len(given), 1), mean, log_std)


def paired(a, b, seed=0):
    """Both policies' figure "x" of values a and b (n,)."""
    figures = comparison.summary({"A": comparison.means({"x": a}, seed), "B": comparison.means({"x": b}, seed)})
    return figures["x"]["A"], figures["x"]["B"]


def test_intervals_are_those_of_the_normal_law_and_pairs_are_resampled_together():
    rng = np.random.default_rng(0)
    a = rng.normal(50, 20, 500)
    b = a + rng.normal(3, 2, 500)
    first, second = paired(a, b)
    half = 1.96 * a.std() / np.sqrt(500)
    assert first["value"] == pytest.approx(a.mean(), abs=1e-4) and "difference" not in first
    assert first["interval_95"] == pytest.approx([a.mean() - half, a.mean() + half], abs=0.1 * half)
    assert second["difference"] == pytest.approx((b - a).mean(), abs=1e-3)
    half = 1.96 * (b - a).std() / np.sqrt(500)  # 0.17; had the two been resampled apart, 2.5
    low, high = second["difference_interval_95"]
    assert high - low == pytest.approx(2 * half, rel=0.1) and low < second["difference"] < high
    assert paired(a, b) == (first, second) and paired(a, b, seed=1) != (first, second)


def test_intervals_hold_the_truth_as_often_as_they_say():
    rng = np.random.default_rng(0)
    inside = 0
    for _ in range(200):
        low, high = paired(np.zeros(60), rng.exponential(1.0, 60))[1]["difference_interval_95"]
        inside += low < 1 < high
    assert 0.88 < inside / 200 < 0.98


def test_recall_is_the_matchers_and_exact_in_pools():
    generator = torch.Generator().manual_seed(0)
    texts = torch.nn.functional.normalize(torch.randn(128, 16, generator=generator), dim=1)
    noise = torch.randn(128, 16, generator=generator)
    poses = torch.nn.functional.normalize(texts + 0.3 * noise, dim=1)
    hits = comparison.recall_hits(texts, poses)
    for protocol, ways in matcher.recalls(texts, poses).items():
        for way, at in ways.items():
            for k, value in at.items():
                tolerance = 0.051 if protocol == "full_set" else 2.5  # those are ten draws of pools
                assert hits[f"{protocol}/{way}/{k}"].mean() == pytest.approx(value, abs=tolerance)
    assert set(hits["full_set/text_to_pose/R@1"]) == {0.0, 100.0} and len(hits) == 12


def test_equals_count_against_recall():
    same = torch.nn.functional.normalize(torch.ones(64, 4), dim=1)
    assert all(hit.max() == 0 for hit in comparison.recall_hits(same, same).values())


def test_frechet_distance_is_that_of_gaussians():
    rng = np.random.default_rng(0)
    real = rng.normal(0, 1, (4000, 3))
    moved = real * [1, 2, 3] + [1, 0, 0]  # in closed form: (1 - 1)^2 + (2 - 1)^2 + (3 - 1)^2, and the shift 1
    once = np.ones((1, 4000), int)
    assert comparison.frechet(moved, real, once)[0] == pytest.approx(6, rel=0.1)
    assert comparison.frechet(real, real, once)[0] == pytest.approx(0, abs=1e-9)
    counts = np.zeros((1, 4000), int)
    counts[0, :1000] = 4
    repeated = comparison.frechet(moved, real, counts)[0]
    assert repeated == pytest.approx(comparison.frechet(np.repeat(moved[:1000], 4, 0), real, once)[0], rel=1e-9)


def test_frontier_trades_obedience_for_diversity_and_ranks_policies(poses, wanted, tmp_path):
    spread = {"sure": -3.0, "vague": -1.0}
    distributions = {name: Knowing(poses, wanted, log_std).distribution(wanted) for name, log_std in spread.items()}
    points = comparison.frontier(distributions, wanted, seed=0)
    assert [p["temperature"] for p in points if p["policy"] == "sure"] == [0.0, 0.2, 0.4, 0.6, 0.8, 1.0, 1.2]
    vague = [p for p in points if p["policy"] == "vague"]
    assert vague[0]["held"] == 100 and vague[0]["diversity_mm"] == 0
    for cold, warm in zip(vague, vague[1:], strict=False):
        assert warm["held"] < cold["held"] and warm["diversity_mm"] > cold["diversity_mm"]
    sure = [p for p in points if p["policy"] == "sure"][5]
    assert sure["held"] > vague[5]["held"] and sure["diversity_mm"] < vague[5]["diversity_mm"]
    assert all(p["held_interval_95"][0] <= p["held"] <= p["held_interval_95"][1] for p in points)
    comparison.plot_frontier(points, tmp_path / "frontier.png")
    assert (tmp_path / "frontier.png").read_bytes().startswith(b"\x89PNG")


def test_photos_of_the_true_pose_have_no_error_and_of_another_the_error_it_has(poses):
    rotations = roma.rotvec_to_rotmat(poses)
    joints = forward_kinematics(rotations)[0].numpy()
    n, size = len(joints), 500
    translation = np.tile(np.float32([0.1, 0.2, -4.0]), (n, 1))
    landmarks = np.zeros((n, 33, 2))
    for i in range(n):
        seen = Camera(FOCAL * size, translation[i]).project(joints[i, list(LIMBS)], size, size)
        landmarks[i, list(LIMB_LANDMARKS)] = seen
    renders = {
        "joints": joints, "focal": np.full(n, FOCAL * size), "translation": translation,
        "frame": np.full((n, 2), size), "landmarks_2d": landmarks, "landmarks_world": np.zeros((n, 33, 3)),
        "visibility": np.ones((n, 33)),
    }  # fmt: skip

    def lifting(estimated):
        mean = to_tangent(estimated, REST)[:, None]
        given = PoseDistribution(REST.expand(n, 24, 3, 3), torch.zeros(n, 1), mean, torch.zeros_like(mean))
        return SimpleNamespace(lift=lambda *readings: given)

    right = comparison.people(lifting(rotations), renders)
    assert all(values.shape == (n,) and values.max() < 0.1 for values in right.values())
    wrong = comparison.people(lifting(rotations.roll(1, 0)), renders)
    away = np.linalg.norm((np.roll(joints, 1, 0) - joints)[:, list(LIMBS)], axis=-1).mean()
    assert 1000 * away * 0.7 < wrong["mpjpe_mm"].mean() < 1000 * away * 1.3
    assert 5 < wrong["reprojection"].mean() < 50 and wrong["pa_mpjpe_mm"].mean() < wrong["mpjpe_mm"].mean()


def config(tmp_path, policy, **settings):
    settings = {"num_captions": 32, "everyday": True, "num_photos": 0} | settings
    return evaluate.EvaluateConfig(policy=policy, report=str(tmp_path / "report.json"), **settings)


@pytest.fixture
def two_policies(policy, monkeypatch, pose_data):
    """The command with small parts: one policy under two names, untrained matchers, few everyday prompts."""
    torch.manual_seed(0)
    matchers = {kind: matcher.Matcher(kind).eval() for kind in ("judge", "reward")}
    monkeypatch.setattr(comparison.Matcher, "load", lambda path: matchers[path.stem])
    monkeypatch.setattr(comparison.PosePolicy, "from_pretrained", lambda path: policy)
    monkeypatch.setattr(comparison, "find_folder", lambda path: path)
    monkeypatch.setattr(comparison, "read_config", lambda path: {})
    monkeypatch.setattr(comparison, "LIKE_PROMPTS", (50, 20, 30))
    monkeypatch.setattr(comparison, "NUM_REPLIES", 3)
    monkeypatch.setattr(everyday, "EVERYDAY", everyday.EVERYDAY[:2])
    monkeypatch.setattr(evaluate, "training_pool", lambda config: None)  # takes minutes; other poses for the named ones
    monkeypatch.setattr(comparison, "of_unseen_wordings", lambda pool, count, seed: of_families(count, seed + 1))
    return str(pose_data / "mocap" / "poses.npz")


def test_the_command_writes_a_report_in_which_equal_policies_do_not_differ(two_policies, tmp_path):
    report = evaluate.run(config(tmp_path, "runs/a,runs/b", poses=two_policies))
    assert json.loads((tmp_path / "report.json").read_text()) == report
    figures = report["figures"]
    assert report["policies"] == ["runs/a", "runs/b"] and report["prompts"] == 32
    assert len(figures) == 6 + 24 + 2 * 6 + 2 + 1
    for figure, rows in figures.items():
        row = rows["runs/b"]
        assert row["difference"] == 0 and row["difference_interval_95"] == [0, 0], figure
        assert row["interval_95"][0] <= row["value"] <= row["interval_95"][1]
    held = [figures[figure]["runs/a"]["value"] for figure in ("held_mode", "held_t1", "unguided/held_t1")]
    assert 100 >= held[0] >= held[1] > held[2] > 40  # such plain prompts that guidance leaves nothing to miss
    assert figures["format_greedy"]["runs/a"]["value"] == 100
    alone = [p for p in report["frontier"] if p["policy"] == "runs/a, unguided"]
    assert alone[5]["held"] == pytest.approx(held[2], abs=0.01)
    at_one = next(point for point in report["frontier"] if point["temperature"] == 1)
    assert at_one["held"] == pytest.approx(figures["held_t1"]["runs/a"]["value"], abs=0.01)
    assert at_one["diversity_mm"] == pytest.approx(figures["diversity_mm"]["runs/a"]["value"], abs=0.06)
    lines = (tmp_path / "report.md").read_text().splitlines()
    assert "| | runs/a | runs/b |" in lines and "| | runs/a | runs/a, unguided | runs/b | runs/b, unguided |" in lines
    assert sum(line.startswith("| temperature") for line in lines) == 7
    assert (tmp_path / "report.png").stat().st_size > 5000
    assert not any(prompt.text in (tmp_path / "report.json").read_text() for prompt in everyday.EVERYDAY)


def test_bad_input_is_told_before_anything_is_measured(tmp_path):
    with pytest.raises(ValueError, match="each once"):
        evaluate.run(config(tmp_path, "runs/a,runs/a"))
    with pytest.raises(ValueError, match="each once"):
        evaluate.run(config(tmp_path, "runs/a,"))
    with pytest.raises(ValueError, match="pools of 32"):
        evaluate.run(config(tmp_path, "runs/a,runs/b", num_captions=31))
    with pytest.raises(PolicyError, match="no policy folder"):
        evaluate.run(config(tmp_path, f"{tmp_path}/a,{tmp_path}/b"))
