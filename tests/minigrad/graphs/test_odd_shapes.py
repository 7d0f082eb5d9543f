"""What an operation accepts it also differentiates; what it does not accept it says at once.

Every operation alone, one of its inputs in another shape than it should have: an axis more or less,
longer, of length one, or all of them turned round. Either a sentence comes from the operation
itself, or value, gradient and second derivatives are right: never an error from the inside of the
backward pass, and never a derivative of something else.
"""
from dataclasses import replace

import numpy as np
import pytest

import minigrad as mg
from minigrad.backend import to_host, xp
from tests.minigrad.graphs.programs.drawn import NAMES, alone
from tests.minigrad.graphs.programs.program import by_minigrad, evaluate, on_each_device
from tests.minigrad.graphs.truth.reference import OPERATIONS

FROZEN = "batch_statistics"     # plain arrays: differences would see what the slope leaves out


def odd(shape, rng):
    """Another shape."""
    shape, kind = list(shape), int(rng.integers(6))
    if kind == 0:
        shape = shape[1:]
    elif kind == 1:
        shape = [int(rng.integers(1, 3))] + shape
    elif kind == 2 and shape:
        shape[int(rng.integers(len(shape)))] = 1
    elif kind == 3 and shape:
        shape[int(rng.integers(len(shape)))] += 1
    elif kind == 4:
        shape = shape[::-1]
    else:
        shape = shape[:-1]
    return tuple(shape)


def inputs_of(name, seed):
    """The leaves of a program, one of them in another shape; None where there is none."""
    program, rng = alone(name, seed), np.random.default_rng([4, seed])
    x = [xp.asarray(a) for a in program.leaves]
    if not x:
        return program, None
    k = int(rng.integers(len(x)))
    shape = odd(x[k].shape, rng)
    old = program.leaves[k] if program.leaves[k].size else np.ones(1)
    new = np.resize(old, shape) + 0.01 * np.arange(int(np.prod(shape))).reshape(shape)
    x[k] = xp.asarray(new)
    return program, x if shape != program.leaves[k].shape else None


def last(program):
    """What the program's last line gives, as a function of the leaves."""
    def given(a):
        return xp.asarray(a) if isinstance(a, np.ndarray) else "float64"

    def call(line, inputs, settings):                   # not by operators: arrays have their own
        return by_minigrad(replace(line, spelled=False), inputs, settings)
    return lambda x: evaluate(call, program, x, given)[-1]


def by_the_reference(program, x):
    """The same by the reference, or None where it finds no value."""
    def call(line, inputs, settings):
        return np.asarray(OPERATIONS[line.name](*inputs, **settings))
    try:
        with np.errstate(all="ignore"):
            return evaluate(call, program, [to_host(a) for a in x],
                            lambda a: a if isinstance(a, np.ndarray) else "float64")[-1]
    except (ValueError, IndexError, TypeError):
        return None


def outcome(name, seed):
    """"as before", "refused" or "right"; an AssertionError where it is neither."""
    program, x = inputs_of(name, seed)
    if x is None:
        return "as before"
    rng, f = np.random.default_rng(seed), last(program)
    leaves = [mg.tensor(a) for a in x]
    try:
        y = f(leaves)
    except (ValueError, TypeError, IndexError) as error:
        assert ": " in str(error) and "its rule gave" not in str(error), error
        return "refused"
    theirs = by_the_reference(program, x)
    if theirs is not None and np.isfinite(theirs).all():
        np.testing.assert_allclose(to_host(mg.constant(y)), theirs, rtol=1e-9, atol=1e-9)
    w = xp.asarray(rng.standard_normal(y.shape))
    g = lambda x: mg.sum(f(x) * w)
    mg.check_gradient(g, x, rng, rtol=1e-5)
    mg.check_hvp(g, x, rng, directions=1, rtol=1e-4)
    return "right"


def check_outcomes(name, seeds):
    for seed in seeds:
        try:
            outcome(name, seed)
        except Exception as error:
            shapes = [a.shape for a in inputs_of(name, seed)[1]]
            raise AssertionError(f"{name} {seed}, shapes {shapes}: {error}") from error


ALL = [name for name in NAMES if name != FROZEN]


@pytest.mark.parametrize("name", ALL)
def test_accepted_is_differentiated(name):
    check_outcomes(name, range(on_each_device(8, 3)))


@pytest.mark.slow
@pytest.mark.parametrize("name", ALL)
def test_accepted_is_differentiated_many_times(name):
    check_outcomes(name, range(8, 150))
