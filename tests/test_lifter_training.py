"""The lifter's data and its calibration."""

import numpy as np
import pytest
import roma
import torch

from finetune import photo_evaluation, sft
from posegen.distribution import DIM
from posegen.head import Lifter
from posegen.refine import lift
from posegen.skeleton import INDEX, MOVING


def test_a_stated_share_of_draws_stands_straight():
    axis_angle = torch.zeros(100, 24, 3)
    axis_angle[10:, INDEX["left_knee"], 0] = 1.0
    weight = torch.rand(100, generator=torch.Generator().manual_seed(0)).double()
    changed = sft.stand_more(weight, axis_angle)
    assert (changed[:10].sum() / changed.sum()).item() == pytest.approx(sft.STANDING)
    ratio = changed / weight
    assert ratio[:10].std() < 1e-9 and ratio[10:].std() < 1e-9  # nothing else changes
    assert torch.equal(sft.stand_more(weight[10:], axis_angle[10:]), weight[10:])  # nobody stands


@pytest.mark.parametrize("wrong_by", [-0.4, 0.6])
def test_calibration_finds_the_true_spread(wrong_by, monkeypatch):
    """Truths are drawn with the lifter's spread times e^wrong_by; then that is what it must say."""
    monkeypatch.setattr("posegen.refine.STEPS", 0)  # the pull onto landmarks would mix in: they are noise here
    torch.manual_seed(0)
    lifter = Lifter(201, width=16, depth=1).eval()
    n, rng = 200, np.random.default_rng(0)
    renders = {
        "landmarks_2d": rng.uniform(100, 300, (n, 33, 2)).astype(np.float32),
        "landmarks_world": rng.normal(0, 0.4, (n, 33, 3)).astype(np.float32),
        "visibility": np.ones((n, 33), np.float32), "frame": np.full((n, 2), 400),
    }  # fmt: skip
    distribution = lift(lifter, *photo_evaluation.readings_of(renders))
    distribution.log_std = distribution.log_std + wrong_by
    truth = distribution.rotations(distribution.sample(1, 1.0, torch.Generator().manual_seed(1)))[:, 0]
    renders["axis_angle"] = roma.rotmat_to_rotvec(truth).detach().numpy()
    before = lifter.net.leave.bias.detach().clone()
    sft.calibrate(lifter, renders)
    change = lifter.net.leave.bias.detach() - before
    assert change[: 6 * len(MOVING)].abs().max() == 0 and len(change) == 6 * len(MOVING) + DIM
    assert change[-1].item() == pytest.approx(wrong_by, abs=0.12)
    after = photo_evaluation.calibration(lift(lifter, *photo_evaluation.readings_of(renders)), truth)
    assert after["angles_inside"] == pytest.approx(68.3, abs=0.3)
