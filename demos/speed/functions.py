"""Test functions with their gradients, float64: one point, and 10,000 points at once.

On the tape a function is written in elementary operations, as a reader would; the library's own
Rastrigin is one fused primitive; "replayed" is the tape's list of array calls, repeated
(`minigrad.replay`). By hand means NumPy for the value and the derivative. Rosenbrock's function is
there for micrograd, which has no cosine; a perceptron of 16 units for small networks.
"""
import math

import numpy as np

import minigrad as mg
from demos.speed.mlp import compared, jitted
from demos.speed.timing import Case, Compared
from problems import Network
from problems.functions import rastrigin
from problems.networks.mlp import MLP

TAU = 2.0 * math.pi


def tape(x):
    """sum (x^2 - 10 cos 2 pi x + 10), in elementary operations."""
    return mg.sum(x * x - 10.0 * mg.cos(TAU * x) + 10.0, axis=-1)


def by_hand(x):
    a = TAU * x
    return (x * x - 10.0 * np.cos(a) + 10.0).sum(axis=-1), 2.0 * x + (10.0 * TAU) * np.sin(a)


def valley(x):
    """Rosenbrock's function of two coordinates, in operators alone."""
    a, b = x[0], x[1]
    r, s = b - a * a, 1.0 - a
    return 100.0 * (r * r) + s * s


def valley_by_hand(x):
    a, b = x
    r, s = b - a * a, 1.0 - a
    return 100.0 * (r * r) + s * s, np.array([-400.0 * a * r - 2.0 * s, 200.0 * r])


def with_gradient(f):
    """x (..., d) -> heights (...) and gradients (..., d)."""
    return mg.value_and_grad(f, each=True)


def engines(x):
    """The engines on points x; each returns the heights and the gradients."""
    found = {"tape": lambda: with_gradient(tape)(x), "fused": lambda: with_gradient(rastrigin)(x),
             "hand": lambda: by_hand(x)}
    try:
        import torch
        torch.set_num_threads(1)
        t = torch.tensor(x, requires_grad=True)

        def with_torch():
            y = (t * t - 10.0 * torch.cos(TAU * t) + 10.0).sum(-1)
            g, = torch.autograd.grad(y.sum(), t)
            return y.detach().numpy(), g.numpy()
        found["torch"] = with_torch
    except ImportError:
        pass
    try:
        import autograd
        import autograd.numpy as anp

        def theirs(x):
            return anp.sum(x * x - 10.0 * anp.cos(TAU * x) + 10.0)
        gradient = autograd.value_and_grad(theirs)
        found["autograd"] = lambda: gradient(x)
    except ImportError:
        pass
    found |= in_jax(lambda jnp: lambda x: jnp.sum(x * x - 10.0 * jnp.cos(TAU * x) + 10.0), x)
    if x.ndim == 1:
        replayed = mg.replay(tape, x)
        found["replayed"] = lambda: replayed(x)
    return {label: Compared(work, sum_and_norm) for label, work in found.items()}


def sum_and_norm(result):
    """The sum of the heights and the norm of the gradients."""
    heights, gradients = result
    return float(np.sum(heights)), float(np.sqrt((gradients**2).sum()))


def in_jax(loss, x):
    """jax, compiled, on one array."""
    return {label: (lambda: (lambda y, g: (y, g[0]))(*work()))
            for label, work in jitted(lambda jnp: lambda parts: loss(jnp)(parts[0]), [x]).items()}


def valley_engines(x):
    replayed, slope = mg.replay(valley, x), mg.value_and_grad(valley)
    found = {"tape": lambda: slope(x), "replayed": lambda: replayed(x),
             "hand": lambda: valley_by_hand(x)} | in_jax(lambda jnp: valley, x)
    try:
        from micrograd.engine import Value

        def with_micrograd():
            a, b = Value(float(x[0])), Value(float(x[1]))
            y = valley((a, b))
            y.backward()
            return y.data, np.array([a.grad, b.grad])
        found["micrograd"] = with_micrograd
    except ImportError:
        pass
    return {label: Compared(work, sum_and_norm) for label, work in found.items()}


def perceptron(units):
    rng = np.random.default_rng(0)
    batch = rng.standard_normal((16, 4)), rng.integers(0, 3, 16)
    problem = Network(MLP((4, units, 3)), batch)
    theta = problem.start(rng)
    replayed, gradient = mg.replay(problem.loss, theta), mg.value_and_grad(problem.loss)
    return Case(f"perceptron of {units} units", {
        label: compared(lambda work=work: (lambda y, g: (y, [g]))(*work(theta)))
        for label, work in (("tape", gradient), ("replayed", replayed))},
        [(f"perceptron 4-{units}-3, 16 examples: replayed / tape", "replayed", "tape", 0.5)],
        agree=[["tape", "replayed"]])


def cases():
    rng = np.random.default_rng(0)
    one, many = rng.uniform(-5.12, 5.12, 2), rng.uniform(-5.12, 5.12, (10_000, 2))
    everyone = ["hand", "tape", "fused", "replayed", "torch", "autograd", "jax"]
    return [
        Case("one point", engines(one), agree=[everyone], ratios=[
            ("Rastrigin, one point: tape / torch", "tape", "torch", 0.65),
            ("Rastrigin, one point: tape / autograd", "tape", "autograd", 0.35),
            ("Rastrigin, one point: fused / hand-written", "fused", "hand", 2.5),
            ("Rastrigin, one point: replayed / tape", "replayed", "tape", 0.3),
            ("Rastrigin, one point: replayed / hand-written", "replayed", "hand", 1.5),
            ("Rastrigin, one point: replayed / jax, compiled", "replayed", "jax", 0.8)]),
        Case("Rosenbrock", valley_engines(one),
             agree=[["hand", "tape", "replayed", "jax", "micrograd"]], ratios=[
            ("Rosenbrock, one point: replayed / tape", "replayed", "tape", 0.3),
            ("Rosenbrock, one point: replayed / hand-written", "replayed", "hand", 1.5),
            ("Rosenbrock, one point: replayed / jax, compiled", "replayed", "jax", 0.8),
            ("Rosenbrock, one point: replayed / micrograd", "replayed", "micrograd", 0.7)]),
        *map(perceptron, (8, 16, 64)),
        Case("10,000 points", engines(many), agree=[everyone], ratios=[
            ("Rastrigin, 10,000 points: tape / torch", "tape", "torch", 0.7),
            ("Rastrigin, 10,000 points: fused / torch", "fused", "torch", 0.5),
            ("Rastrigin, 10,000 points: tape / hand-written", "tape", "hand", 0.9),
            ("Rastrigin, 10,000 points: tape / jax, compiled", "tape", "jax", 0.8)])]
