"""Whose memory is it? The table of all operations and all transforms.

    results     every array that a transform gives out is the caller's own: writable, and sharing
                memory with no other result, with nothing that was given, with nothing remembered
    inputs      nothing that was given is written into; and what was linearised does not change
                when the caller writes into his arrays afterwards (points, constants, masks,
                indices, cotangents, and the results he got)

for arrays below and above 1,024 numbers, where the engine takes different ways. The two exceptions
that the documentation states: `Layout.unravel` gives views, and operations on plain arrays give
what NumPy gives, which may be views.
"""
import numpy as np
import pytest

import minigrad as mg
from minigrad.backend import to_host, xp
from minigrad.tree import leaves_of as leaves_of_tree, names_of
from tests.minigrad.graphs.programs.drawn import NAMES, alone, graph
from tests.minigrad.graphs.programs.program import leaves_of, on_each_device, ours
from tests.minigrad.test_ownership import shares


class Given:
    """A program with all that the caller holds: points, directions, cotangents, constants."""

    def __init__(self, program, seed):
        rng = np.random.default_rng(seed)
        self.program, self.arrays = program, []
        self.x = [self.held(a) for a in leaves_of(program)]
        self.v = [self.held(xp.asarray(rng.standard_normal(a.shape))) for a in self.x]
        self.u = [self.held(xp.asarray(rng.standard_normal(a.shape)))
                  for a in program.slopes_of(program.values)]
        self.evaluate = ours(program, laid_out=self.held)

    def held(self, a):
        self.arrays.append(a)
        return a

    def values(self, x):
        """All values, the leaves themselves among them: what is handed through is an output too."""
        return self.program.slopes_of(self.evaluate(x))

    def sums(self, x):
        """A height whose cotangents are views of one number."""
        return sum(mg.sum(v) for v in self.values(x))

    def squares(self, x):
        return sum(mg.sum(v * v) for v in self.values(x)) / 2

    def applications(self):
        """{name: function that applies what is linearised here and now}, and values given out."""
        y, pull = mg.vjp(self.values, self.x)
        z, push = mg.jvp(self.values, self.x)
        H, K = mg.hvp(self.sums, self.x), mg.hvp(self.squares, self.x)
        leaves = [mg.tensor(a) for a in self.x]
        total = self.squares(leaves)

        def backward():
            total.backward()
            return [leaf.grad for leaf in leaves if leaf.grad is not None]
        return {"pullback": lambda: pull(self.u), "push": lambda: push(self.v),
                "hvp of sums": lambda: H(self.v), "hvp of squares": lambda: K(self.v),
                "backward": backward}, [*y, *z]

    def overwrite(self, arrays):
        """What a caller might do with arrays of his."""
        for a in arrays:
            if isinstance(a, xp.ndarray) and a.size:
                a[...] = ~a if a.dtype.kind == "b" else 0 if a.dtype.kind in "iu" else np.nan


def programs(name):
    """The operation alone, on small arrays and on some of more than 1,024 numbers."""
    for k in range(1):
        yield alone(name, k)
    for k in range(60):
        program = alone(name, k, long=True)
        if max(v.size for v in program.values) > 1024:
            yield program
            break


def declared(tree):
    """A Layout of leaves of any number of axes: three and more are to be declared."""
    leaves = zip(names_of(tree), leaves_of_tree(tree))
    return mg.Layout(tree, {name: ("weight", 0) for name, leaf in leaves if leaf.ndim > 2})


def check_results(program):
    """All results of all transforms, each the caller's own."""
    given = Given(program, 0)
    before = [to_host(a).copy() for a in given.arrays]
    results, constants = [], len(given.arrays)
    for f in (given.sums, given.squares):
        y, g = mg.value_and_grad(f)(given.x)
        results += [y, *g, *mg.grad(f)(given.x)]
    apply, out = given.applications()
    results += out
    for function in apply.values():
        results += function() + function()
    results += leaves_of_tree(declared(given.x).ravel(given.x)) if given.x else []
    arrays = [a for a in results if isinstance(a, xp.ndarray)]
    for a in arrays:
        a[...] = a + 1.0                                # raises where it is read-only
    for a, b in zip(given.arrays[:constants], before):
        np.testing.assert_array_equal(to_host(a), b)
    check_apart(arrays, given.arrays)
    return arrays


def bounds(a):
    """First and last address of an array, on the host or on a device."""
    low = high = a.ctypes.data if isinstance(a, np.ndarray) else a.data.ptr
    for n, stride in zip(a.shape, a.strides):
        low, high = low + min(0, (n - 1) * stride), high + max(0, (n - 1) * stride)
    return low, high + a.itemsize


def check_apart(arrays, given):
    """No two of `arrays` overlap, nor one of them and one of `given`; found by sorted addresses."""
    ends = []
    for k, a in enumerate([*arrays, *given]):
        host = getattr(a, "_host", a)
        if host.size:
            low, high = bounds(host)
            ends.append((low, high, k))
    ends.sort()
    for (_, high, i), (low, _, j) in zip(ends, ends[1:]):
        if low < high and min(i, j) < len(arrays):
            both = [([*arrays, *given][k]) for k in (i, j)]
            assert not shares(*both), f"results {i} and {j} of {len(arrays)}"


def check_later_writes(program):
    """What is linearised before the caller writes gives what it would have given."""
    once, again = Given(program, 1), Given(program, 1)
    right = {name: [to_host(a).copy() for a in apply()]
             for name, apply in once.applications()[0].items()}
    apply, out = again.applications()
    cotangents, directions = ([a.copy() for a in arrays] for arrays in (again.u, again.v))
    again.overwrite(again.arrays + out)
    again.u, again.v = cotangents, directions
    for name, function in apply.items():
        for _ in range(2):
            found = function()
            for a, b in zip(found, right[name]):
                np.testing.assert_array_equal(to_host(a), b, err_msg=name)
            if name != "backward":
                again.overwrite(found)                  # results are the caller's too


def check(function, label, program):
    try:
        return function(program)
    except Exception as error:
        raise AssertionError(f"{label}, {program.names()}: {error}") from error


@pytest.mark.parametrize("name", NAMES)
def test_every_result_is_the_caller_s_own(name):
    for program in programs(name):
        check(check_results, name, program)


@pytest.mark.parametrize("name", NAMES)
def test_what_is_linearised_sees_no_later_write(name):
    for program in programs(name):
        check(check_later_writes, name, program)


@pytest.mark.parametrize("function", [check_results, check_later_writes])
def test_random_graphs_share_nothing(function):
    for seed in range(on_each_device(12, 6)):
        check(function, f"graph {seed}", graph(seed))


@pytest.mark.slow
@pytest.mark.parametrize("function", [check_results, check_later_writes])
def test_a_thousand_random_graphs_share_nothing(function):
    for seed in range(12, 1000):
        check(function, f"graph {seed}", graph(seed))


def test_the_table_has_small_and_large_arrays():
    sizes = {name: [v.size for p in programs(name) for v in p.values] for name in NAMES}
    assert all(min(s) <= 1024 < max(s) for s in sizes.values()), sizes


# ---------------------------------------------------------------- the two exceptions, as documented

def test_unravel_gives_views_and_says_so():
    layout = mg.Layout({"a": xp.ones((2, 3)), "b": xp.ones(4)})
    theta = xp.zeros(10)
    layout.unravel(theta)["b"][...] = 1.0
    assert to_host(theta).tolist() == [0.0] * 6 + [1.0] * 4
    assert "views" in mg.Layout.unravel.__doc__


def test_operations_on_plain_arrays_are_numpy_s():
    x = xp.zeros((2, 3))
    assert shares(mg.reshape(x, shape=6), x) and mg.identity(x) is x
