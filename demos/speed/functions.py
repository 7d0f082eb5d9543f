"""Rastrigin's function with its gradient: one point, and 10,000 points at once, float64.

On the tape it is written in elementary operations, as a reader would; the library's own is one
fused primitive. By hand means NumPy for the value and the derivative, with plain cos and sin.
"""
import math

import numpy as np

import minigrad as mg
from demos.speed.timing import Case, Compared
from problems.functions import rastrigin

TAU = 2.0 * math.pi


def tape(x):
    """sum (x^2 - 10 cos 2 pi x + 10), in elementary operations."""
    return mg.sum(x * x - 10.0 * mg.cos(TAU * x) + 10.0, axis=-1)


def by_hand(x):
    a = TAU * x
    return (x * x - 10.0 * np.cos(a) + 10.0).sum(axis=-1), 2.0 * x + (10.0 * TAU) * np.sin(a)


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
    return {label: Compared(work, sum_and_norm) for label, work in found.items()}


def sum_and_norm(result):
    """The sum of the heights and the norm of the gradients."""
    heights, gradients = result
    return float(np.sum(heights)), float(np.sqrt((gradients**2).sum()))


def cases():
    rng = np.random.default_rng(0)
    one, many = rng.uniform(-5.12, 5.12, 2), rng.uniform(-5.12, 5.12, (10_000, 2))
    everyone = ["hand", "tape", "fused", "torch", "autograd"]
    return [
        Case("one point", engines(one), agree=[everyone], ratios=[
            ("Rastrigin, one point: tape / torch", "tape", "torch", 0.65),
            ("Rastrigin, one point: tape / autograd", "tape", "autograd", 0.35),
            ("Rastrigin, one point: fused / hand-written", "fused", "hand", 2.5)]),
        Case("10,000 points", engines(many), agree=[everyone], ratios=[
            ("Rastrigin, 10,000 points: tape / torch", "tape", "torch", 0.7),
            ("Rastrigin, 10,000 points: fused / torch", "fused", "torch", 0.5)])]
