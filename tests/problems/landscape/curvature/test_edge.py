"""Thresholds against the eigenvalues of the iteration itself; the tracker on a network that sharpens."""
import numpy as np
import pytest

import minigrad as mg
from minigrad.backend import xp
from optim import SAM, SGD, Objective
from problems.landscape.curvature.edge import EdgeTracker, gradient_flow, sam_threshold, threshold


def growth(lam, lr, beta, kind):
    """Spectral radius of one step on lam w^2 / 2 in the variables (w, v)."""
    if kind == "nesterov":
        rows = [[1 - lr * lam, beta * (1 - lr * lam)], [-lr * lam, beta * (1 - lr * lam)]]
    else:
        rows = [[1 - lr * lam, beta], [-lr * lam, beta]]
    return max(abs(np.linalg.eigvals(np.array(rows))))


@pytest.mark.parametrize("kind, beta", [("gd", 0.0), ("momentum", 0.5), ("momentum", 0.9), ("nesterov", 0.5),
                                        ("nesterov", 0.9)])
@pytest.mark.parametrize("lr", [0.1, 0.02])
def test_the_threshold_is_where_the_iteration_starts_to_grow(kind, beta, lr):
    edge = threshold(lr, beta, kind)
    assert growth(edge * 0.999, lr, beta, kind) < 1.0 < growth(edge * 1.001, lr, beta, kind)


def test_sam_threshold_solves_its_equation_and_stays_below_two_over_lr():
    for norm in (1e-6, 0.1, 30.0, 1e9):
        lam = sam_threshold(0.1, 0.05, norm)
        assert 0.1 * lam * (1 + 0.05 * lam / norm) == pytest.approx(2.0, rel=1e-12)
        assert lam < 20.0
    assert sam_threshold(0.1, 0.05, 1e9) == pytest.approx(20.0, rel=1e-7)
    as_printed = 0.3 / (2 * 0.05) * (np.sqrt(1 + 8 * 0.05 / (0.1 * 0.3)) - 1)
    assert sam_threshold(0.1, 0.05, 0.3) == pytest.approx(as_printed, rel=1e-12)


@pytest.mark.parametrize("share, shrinks", [(0.99, False), (1.01, True)])
def test_sam_shrinks_the_point_exactly_above_its_edge(share, shrinks):
    """At the |g| whose edge is lam, |w| = |g| / lam repeats itself; a smaller gradient has a lower edge."""
    lam, lr, rho = 12.0, 0.1, 0.05
    norm = rho * lam / (2.0 / (lr * lam) - 1.0)                # solves lr lam (1 + rho lam / norm) = 2
    assert sam_threshold(lr, rho, norm) == pytest.approx(lam, rel=1e-12)
    w = xp.asarray([share * norm / lam])
    optimizer, objective = SAM(SGD(lr), rho), Objective(lambda w: 0.5 * lam * mg.sum(w * w, axis=-1))
    new, _, _ = optimizer.step(objective, w, optimizer.init(w))
    assert (abs(float(new[0])) < abs(float(w[0]))) == shrinks


def test_gradient_descent_sharpens_to_the_edge_and_stays():
    """A scalar net (1 - abc)^2 / 2 from a flat start: lambda_max rises, then settles at 2 / lr.

    Minima abc = 1 have lambda_max = sum 1/w_i^2 >= 3; from (.1, 3, 2) the flow ends above the edge.
    """
    objective = Objective(lambda w: 0.5 * (1.0 - w[..., 0] * w[..., 1] * w[..., 2]) ** 2)
    w, rng = xp.asarray([0.05, 3.0, 1.2]), np.random.default_rng(0)
    flow = list(gradient_flow(objective, w, 3.0, rng, cap=0.05, every=20))
    assert flow[-1][3] > 11.0 and flow[-1][2] < 1e-6            # where descent would go if it could
    tracker = EdgeTracker(lr=0.2)
    tracker.track(SGD(0.2), objective, w, 400, rng, every=5)
    assert tracker.sharpness[-1] <= 10.0 * 1.001
    assert max(tracker.residuals) < 1e-6
    assert tracker.steps[0] == 0 and tracker.steps[-1] == 400


def test_gradient_flow_on_a_quadratic_decays_as_the_exponential():
    """Fifty steps, each with the local error (lam h)^5 / 120 of RK4: 1.4e-6 on the fast coordinate."""
    lam = xp.asarray([1.0, 4.0])
    objective = Objective(lambda w: 0.5 * mg.sum(lam * w * w, axis=-1))
    for t, w, loss, sharpness in gradient_flow(objective, xp.asarray([1.0, 2.0]), 1.0, np.random.default_rng(0),
                                               cap=0.02):
        np.testing.assert_allclose([float(w[0]), float(w[1])], [np.exp(-t), 2 * np.exp(-4 * t)], rtol=2e-6)
        assert sharpness == pytest.approx(4.0, rel=1e-10)
    assert t == 1.0


def test_settled_is_the_tail():
    tracker = EdgeTracker(lr=0.1)
    tracker.sharpness = [1.0, 2.0, 3.0, 19.0, 20.0, 21.0, 18.0, 22.0, 20.0]
    assert tracker.settled() == (20.0, 18.0, 22.0)


@pytest.mark.parametrize("call, match", [
    (lambda: threshold(0.1, kind="adam"), r"unknown kind 'adam'. Use one of gd, momentum, nesterov"),
    (lambda: threshold(-0.1), r"needs lr > 0"),
    (lambda: threshold(0.1, 0.9), r"kind 'gd' has no momentum"),
    (lambda: sam_threshold(0.1, 0.0, 1.0), r"sam_threshold: needs positive numbers"),
    (lambda: EdgeTracker(0.1).settled(), r"nothing measured yet"),
])
def test_bad_arguments(call, match):
    with pytest.raises(ValueError, match=match):
        call()
