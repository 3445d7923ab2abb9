"""Guidance: centres go where the statements hold, noise shrinks where it would break them; else nothing changes."""

import torch

from posegen import posecodes
from posegen.distribution import DIM, PoseDistribution
from posegen.guide import COMPONENTS, guide
from posegen.skeleton import INDEX as SMPL
from posegen.skeleton import MOVING

UP, DOWN = posecodes.INDEX["left_hand_above_head"], posecodes.INDEX["left_arm_down"]


def around_rest(stds, rows=1):
    """A component a standard deviation, all centred at the rest pose."""
    K = len(stds)
    log_std = torch.tensor(stds).log()[:, None].expand(rows, K, DIM)
    chart = torch.eye(3).expand(rows, 24, 3, 3)
    return PoseDistribution(chart, torch.arange(K, 0, -1.0).repeat(rows, 1), torch.zeros(rows, K, DIM), log_std)


def wanting(*statements, rows=1):
    wanted = torch.zeros(rows, len(posecodes.NAMES))
    wanted[:, list(statements)] = 1
    return wanted


def centre_scores(d, statement):
    return posecodes.scores(d.rotations(d.mean).flatten(0, 1)).unflatten(0, d.logits.shape)[..., statement]


def test_wide_components_reach_what_is_wanted_and_narrow_ones_lose_their_weight():
    d = around_rest([0.01, 0.5])
    assert (centre_scores(d, UP) < -3).all()
    out = guide(d, wanting(UP))
    order = out.log_std[0, :, 0].argsort()
    narrow, wide = centre_scores(out, UP)[0, order]
    assert wide > -1 and narrow < -3
    weight = out.logits.softmax(1)[0, order]
    assert weight[0] < 0.01 < 0.99 < weight[1]
    assert posecodes.holds(posecodes.scores(out.rotations(out.mode())))[0, UP]
    assert not posecodes.holds(posecodes.scores(d.rotations(d.mode())))[0, UP]


def test_noise_shrinks_where_it_would_break_what_is_wanted_and_nowhere_else(monkeypatch):
    monkeypatch.setattr("posegen.guide.STEPS", 6)  # an arm that hangs quite straight is in no danger
    d = around_rest([0.2])  # a T-pose
    out = guide(d, wanting(DOWN))
    change = (out.log_std - d.log_std)[0, 0].unflatten(0, (-1, 3))
    arm = [MOVING.index(SMPL[name]) for name in ("left_shoulder", "left_elbow")]
    other = [MOVING.index(SMPL[name]) for name in ("left_knee", "right_ankle", "right_elbow")]
    assert change[arm].amin() < -0.3 and change.amax() < 1e-4
    assert change[other].abs().amax() < 1e-4
    x = out.sample(64, 1.0, torch.Generator().manual_seed(0))
    loose = PoseDistribution(out.chart, out.logits, out.mean, d.log_std)
    y = loose.sample(64, 1.0, torch.Generator().manual_seed(0))
    held = [
        posecodes.holds(posecodes.scores(p.rotations(v)[0]))[:, DOWN].float().mean() for p, v in ((out, x), (loose, y))
    ]
    assert held[0] > held[1] + 0.1


def test_who_wants_nothing_gets_the_likeliest_components_as_they_were():
    d = around_rest([0.1 + 0.01 * k for k in range(COMPONENTS + 4)])
    out = guide(d, wanting())
    assert out.logits.shape == (1, COMPONENTS) and (out.mean == 0).all()
    torch.testing.assert_close(out.logits.softmax(1), d.logits[:, :COMPONENTS].softmax(1))
    torch.testing.assert_close(out.log_std, d.log_std[:, :COMPONENTS])


def test_rows_do_not_see_each_other():
    d = around_rest([0.3, 0.5], rows=70)  # more than a batch
    wanted = wanting(UP, rows=70)
    wanted[1::2] = 0
    out = guide(d, wanted)
    alone = guide(around_rest([0.3, 0.5]), wanting(UP))
    torch.testing.assert_close(out.mean[::2], alone.mean.expand(35, -1, -1), atol=1e-4, rtol=1e-3)
    assert (out.mean[1::2] == 0).all()


def test_the_density_is_the_moved_mixtures():
    out = guide(around_rest([0.3, 0.5]), wanting(UP))
    x = out.sample(5, 1.0, torch.Generator().manual_seed(0))
    component = torch.distributions.Independent(torch.distributions.Normal(out.mean[0], out.log_std[0].exp()), 1)
    mixture = torch.distributions.MixtureSameFamily(torch.distributions.Categorical(logits=out.logits[0]), component)
    torch.testing.assert_close(out.log_prob(x)[0], mixture.log_prob(x[0]), atol=1e-3, rtol=1e-4)
