"""One's own model: what a Network asks of it, and the sentences where it has something else."""
import re

import numpy as np
import pytest

import minigrad as mg
from minigrad.backend import xp
from optim import SGD, Objective, train
from problems import Network, functions
from problems.evaluation import error_rate, mean_loss
from problems.potentials import DoubleWell
from problems.saddles import Octopus, PSpin, RayleighQuartic, StrictSaddle


class Line:
    """The least a model needs: w x + b against y, no noise, no apply, no word on batches."""

    def init(self, rng):
        return {"w": xp.asarray(rng.standard_normal(1)), "b": xp.zeros(1)}

    def loss(self, params, batch):
        x, y = batch
        return mg.mean(mg.square(x * params["w"] + params["b"] - y))


class Noisy(Line):
    seen = ()

    def loss(self, params, batch, *, rng=None):
        self.seen = (*self.seen, None if rng is None else float(rng.random()))
        return super().loss(params, batch)


def data():
    x = xp.asarray(np.linspace(-1, 1, 10))
    return x, 3.0 * x - 1.0


def test_the_least_model_trains():
    net = Network(Line(), data())
    assert not net.batched and not net.noisy
    run = train(net, SGD(0.2), steps=200, rng=np.random.default_rng(0), progress=None)
    tree = net.params(run.theta)
    assert float(tree["w"][0]) == pytest.approx(3.0, abs=1e-6)
    assert float(tree["b"][0]) == pytest.approx(-1.0, abs=1e-6)
    both = xp.stack([run.theta, net.start(np.random.default_rng(1))])        # row by row
    heights, _ = Objective(net).value_and_grad(both)
    assert float(heights[1]) == pytest.approx(float(Objective(net).value(both[1])))


def test_a_model_with_noise_is_handed_the_generator():
    model = Noisy()
    train(Network(model, data()), SGD(0.1), steps=3, rng=np.random.default_rng(0), progress=None)
    assert len(set(model.seen)) == 3 and None not in model.seen
    model.seen = ()
    float(Network(model, data()).loss(xp.zeros(2)))
    assert model.seen == (None,)


def raising(error, match):
    return pytest.raises(error, match=match)


def test_what_is_no_model_is_refused_where_it_is_made():
    class NoInit:
        def loss(self, params, batch):
            return 0.0

    class Other(Line):
        def loss(self, params, inputs, targets):
            return 0.0

    with raising(TypeError, r"Network: a model needs init\(rng\) and loss\(params, batch\), .* has"):
        Network(NoInit())
    with raising(TypeError, r"Network: a model needs init.*has neither"):
        Network(3)
    with raising(TypeError, r"Network: a model needs init.*has neither"):
        Network(Line)                                       # the class, not a model
    with raising(TypeError, r"Other.loss must be called as loss\(params, batch\), and this is"):
        Network(Other())
    with raising(TypeError, r"Network: a batch is a pair \(inputs, targets\) of arrays, got 3"):
        Network(Line(), 3)
    net = Network(Line(), data())
    with raising(TypeError, r"Network: a batch is a pair \(inputs, targets\) of arrays, got 'ab"):
        net.loss(xp.zeros(2), "abc")
    with raising(TypeError, r"error_rate: needs a model with apply\(params, inputs\)"):
        error_rate(Line(), net.params(xp.zeros(2)), data())


@pytest.mark.parametrize("problem", [
    functions.beale, functions.rastrigin, DoubleWell(), Octopus(3), StrictSaddle(3),
    PSpin(4, rng=np.random.default_rng(0)), RayleighQuartic(np.diag([1.0, 2.0])),
    Network(Line(), data())], ids=lambda p: type(p).__name__)
def test_wrong_points_and_generators_are_named(problem):
    for wrong in (3, None, "abc", np.random.default_rng, object()):
        with raising(TypeError, r"\.start: rng must be a Generator, got .*default_rng\(seed\)"):
            problem.start(wrong)
    for wrong in ([1.0, 2.0], None, 3.0, "ab", {"x": 1}):
        for ask in (problem, problem.loss):
            with raising(TypeError, re.escape(": theta must be a floating-point array (d,)")):
                ask(wrong)


@pytest.mark.parametrize("make", [
    lambda n: StrictSaddle(n), lambda n: Octopus(n),
    lambda n: PSpin(n, rng=np.random.default_rng(0)), lambda n: functions.sphere.in_dimensions(n)])
@pytest.mark.parametrize("n", [2.5, "3", None, -1, 0, True])
def test_counts_are_whole_numbers(make, n):
    if n is True and "in_dimensions" in str(make.__code__.co_names):
        return                                              # True counts as 1 there: harmless
    with pytest.raises(ValueError):
        make(n)



class Perfect:
    def apply(self, params, x):
        return xp.eye(3)[x]

    def loss(self, params, batch):
        return xp.asarray(0.0)


def test_labels_of_another_shape_are_no_chance_level():
    x = xp.asarray([0, 1, 2, 1])
    assert error_rate(Perfect(), None, (x, x)) == 0.0
    with raising(ValueError, r"error_rate: \(4,\) labels belong to .*got \(4, 1\). Reshape"):
        error_rate(Perfect(), None, (x, x[:, None]))
    for rows in (-1, 0, 2.0, None):
        with raising(ValueError, "evaluation: rows must be a whole number >= 1"):
            mean_loss(Perfect(), None, (x, x), rows=rows)
    with raising(ValueError, "evaluation: 4 inputs and 3 targets"):
        mean_loss(Perfect(), None, (x, x[:3]))
    with raising(ValueError, "evaluation: 0 inputs and 0 targets"):
        mean_loss(Perfect(), None, (x[:0], x[:0]))


def test_a_model_declares_its_kernels():
    """An array of four axes under a name of its own: refused, or as the model says."""
    class Model:
        def init(self, rng):
            return {"kernel": mg.xp.zeros((3, 3, 2, 4))}

        def loss(self, params, batch):
            return mg.sum(params["kernel"] * params["kernel"])

    with pytest.raises(ValueError, match=r"Layout: kernel has shape \(3, 3, 2, 4\), and which of"):
        Network(Model())
    Model.kinds = {"kernel": ("weight", -1)}
    assert Network(Model()).layout["kernel"].filter_axis == 3
