"""PoseDistribution: exact densities, temperature, chart."""

import math

import numpy as np
import pytest
import roma
import torch
from scipy.stats import multivariate_normal

from posegen.distribution import DIM, PoseDistribution, from_tangent, to_tangent
from posegen.skeleton import MOVING


def mixture(batch=3, components=4, seed=0, spread=0.3):
    g = torch.Generator().manual_seed(seed)
    chart = roma.rotvec_to_rotmat(0.3 * torch.randn(batch, 24, 3, generator=g))
    draw = lambda *shape: torch.randn(*shape, generator=g)  # noqa: E731
    return PoseDistribution(
        chart, draw(batch, components), spread * draw(batch, components, DIM), -2 + 0.2 * draw(batch, components, DIM)
    )


def test_log_prob_equals_scipy():
    d = mixture()
    x = 0.3 * torch.randn(3, 5, DIM, generator=torch.Generator().manual_seed(1))
    expected = np.zeros((3, 5))
    for b in range(3):
        weights = d.logits[b].softmax(-1).numpy()
        for m in range(5):
            each = [
                multivariate_normal.logpdf(
                    x[b, m].numpy(), d.mean[b, k].numpy(), np.diag(np.exp(2 * d.log_std[b, k].numpy()))
                )
                for k in range(4)
            ]
            expected[b, m] = np.logaddexp.reduce(np.array(each) + np.log(weights))
    np.testing.assert_allclose(d.log_prob(x).numpy(), expected, rtol=1e-4, atol=1e-3)
    np.testing.assert_allclose(d.log_prob(x[:, 0]).numpy(), expected[:, 0], rtol=1e-4, atol=1e-3)


def test_density_integrates_to_one_in_one_dimension():
    x = torch.linspace(-10, 10, 20001)[:, None]
    d = PoseDistribution(
        torch.eye(3), torch.tensor([[0.2, 1.0]]), torch.tensor([[[-1.0], [2.0]]]), torch.tensor([[[0.1], [-0.7]]])
    )
    assert torch.trapezoid(d.log_prob(x[None])[0].exp(), x[:, 0]).item() == pytest.approx(1, abs=1e-4)


def test_tangent_and_rotations_are_inverse():
    d = mixture()
    x = d.sample(6, generator=torch.Generator().manual_seed(2))
    assert (d.tangent(d.rotations(x)) - x).abs().max() < 1e-4
    still = [j for j in range(24) if j not in MOVING]
    assert torch.equal(d.rotations(x)[:, :, still], d.chart[:, None, still].expand(-1, 6, -1, -1, -1))


def test_nearly_equal_handstands_are_near():
    eye = torch.eye(3).expand(24, 3, 3)
    poses = torch.zeros(2, 24, 3)
    poses[0, 0, 0], poses[1, 0, 0] = math.radians(178), math.radians(-178)
    x = to_tangent(roma.rotvec_to_rotmat(poses), eye)
    assert (x[0] - x[1]).norm() < 0.1
    assert torch.allclose(from_tangent(x, eye), roma.rotvec_to_rotmat(poses), atol=1e-5)


def test_sampling_follows_the_density_the_seed_and_the_temperature():
    d = mixture(batch=1, components=2)
    x = d.sample(20_000, generator=torch.Generator().manual_seed(3))[0]
    weights = d.logits.softmax(-1)[0]
    expected = (weights[:, None] * d.mean[0]).sum(0)
    assert (x.mean(0) - expected).abs().max() < 0.02
    again = d.sample(20_000, generator=torch.Generator().manual_seed(3))[0]
    assert torch.equal(x, again)
    cold = d.sample(500, 0.1, torch.Generator().manual_seed(3))[0]
    best = d.logits[0].argmax()
    near = 0.1 * d.log_std[0, best].exp() * 6
    assert ((cold - d.mode()[0]).abs() < near).float().mean() > 0.99
    assert torch.equal(d.sample(3, 0.0)[0], d.mode().expand(3, -1))


def test_kl_is_zero_to_itself_exact_for_one_gaussian_and_bounds_the_mixture():
    d, other = mixture(), mixture(seed=5)
    assert d.kl(d).abs().max() < 1e-4
    one, two = (PoseDistribution(m.chart, m.logits[:, :1], m.mean[:, :1], m.log_std[:, :1]) for m in (d, other))
    normal = lambda m: torch.distributions.Normal(m.mean[:, 0], m.log_std[:, 0].exp())  # noqa: E731
    exact = torch.distributions.kl_divergence(normal(one), normal(two)).sum(-1)
    torch.testing.assert_close(one.kl(two), exact, rtol=1e-4, atol=1e-3)
    x = d.sample(2000, generator=torch.Generator().manual_seed(6))
    sampled = (d.log_prob(x) - other.log_prob(x)).mean(1)
    assert (d.kl(other) > sampled - 3).all()


def test_entropy_bounds_the_sampled_entropy():
    d = mixture()
    sampled = -d.log_prob(d.sample(2000, generator=torch.Generator().manual_seed(7))).mean(1)
    assert ((d.entropy() - sampled) > -0.5).all() and ((d.entropy() - sampled) < 2).all()


def test_gradients_are_right():
    d = mixture(batch=1, components=2)
    x = d.sample(1, generator=torch.Generator().manual_seed(8))[:, 0, :6].double()

    def f(logits, mean, log_std):
        return PoseDistribution(d.chart, logits, mean, log_std).log_prob(x)

    inputs = [t.double().clone().requires_grad_() for t in (d.logits, d.mean[..., :6], d.log_std[..., :6])]
    assert torch.autograd.gradcheck(f, inputs)


def test_spread_is_the_angle_from_the_mean_rotation():
    chart = torch.eye(3).expand(1, 24, 3, 3)
    mean, log_std = torch.zeros(1, 2, DIM), torch.full((1, 2, DIM), -20.0)
    elbow, knee = 3 * MOVING.index(18), 3 * MOVING.index(4)
    mean[0, :, elbow + 1] = torch.tensor([0.9, -0.9]) * torch.pi  # two centres across the wrap: 36 degrees apart
    log_std[0, :, knee : knee + 3] = np.log(np.radians(6.0) / 3**0.5)
    spread = PoseDistribution(chart, torch.zeros(1, 2), mean, log_std).spread()[0]
    assert spread[18] == pytest.approx(18, abs=0.1) and spread[4] == pytest.approx(6, abs=0.01)
    assert spread[[j for j in range(24) if j not in (4, 18)]].max() < 0.05
