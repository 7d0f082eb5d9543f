"""The frame of methods for matrices: parts as stored, one's own rule, schedules, bad input."""
import numpy as np
import pytest

from minigrad import Layout
from minigrad.backend import to_host, xp
from optim import SGD, Objective, linear
from optim.lmo.matrix import MatrixMethod


class Halves(MatrixMethod):
    """Every matrix is halved at rate 1; for the rest, plain descent."""

    def __init__(self, layout, lr=1.0, matrices=None):
        self.configure(lr=lr, decay=0.0)
        self.split(layout, SGD(0.5 if not callable(lr) else lr), matrices)

    def rule(self, D, part, g, lr, t, state):
        D[...] = -0.5 * lr * state["theta"][part.where].reshape(part.shape)

    def prepare(self, g, t, state):
        return g


def layout_of(**shapes):
    return Layout({name: xp.zeros(shape) for name, shape in shapes.items()})


def test_parts():
    layout = layout_of(b=(4,), W=(3, 4), K=(4, 2, 3, 3), E=(6, 3))
    method = Halves(layout)
    W, K = method.matrices
    assert (W.name, W.shape, W.d_out, W.d_in, W.axis) == ("W", (3, 4), 4, 3, 0)
    assert (K.name, K.shape, K.d_out, K.d_in, K.axis) == ("K", (4, 18), 4, 18, 1)
    assert method.rest == [slice(0, 4), slice(88, 106)]


def test_a_rule_of_ones_own_and_a_schedule_for_both():
    layout = layout_of(W=(2, 3), b=(2,))
    f = Objective(lambda x: (x * x).sum(-1) / 2)
    method, theta = Halves(layout, lr=linear(1.0, 2)), xp.ones(8)
    state = method.init(theta) | {"theta": theta}
    after, state, _ = method.step(f, theta, state)
    np.testing.assert_array_equal(to_host(after), [0.5] * 6 + [0.0] * 2)
    state["theta"] = after
    after, state, _ = method.step(f, after, state)              # at half the rate
    np.testing.assert_array_equal(to_host(after), [0.375] * 6 + [0.0] * 2)
    again, _, _ = method.step(f, xp.ones(8), state)             # the schedule has ended at 0
    np.testing.assert_array_equal(to_host(again), np.ones(8))
    slower = Halves(layout, lr=1.0).scheduled(0.5)
    assert slower.lr == 0.5 and slower.fallback.lr == 0.25


def test_bad_input():
    layout = layout_of(W=(2, 3), b=(2,))
    with pytest.raises(ValueError, match=r"Halves\.init: theta must be one point \(8,\) .* \(4, "):
        Halves(layout).init(xp.zeros((4, 8)))
    with pytest.raises(ValueError, match=r"Halves: b has shape \(2,\), which is no matrix"):
        Halves(layout, matrices=lambda entry: True)
    with pytest.raises(NotImplementedError, match="MatrixMethod has no rule for a matrix"):
        MatrixMethod().rule(None, None, None, 0.1, 1, {})


def test_kernels_as_matrices_need_their_outputs_first_or_last():
    """(height, width, in, out) and (out, in, height, width) become (fan in, out) and (out, fan in)."""
    kernel = xp.zeros((3, 5, 2, 4))
    last, = Halves(Layout({"k": kernel}, {"k": ("weight", -1)})).matrices
    first, = Halves(Layout({"k": kernel}, {"k": ("weight", 0)})).matrices
    assert (last.shape, last.d_out, last.axis) == ((30, 4), 4, 0)
    assert (first.shape, first.d_out, first.axis) == ((3, 40), 3, 1)
    with pytest.raises(ValueError, match=r"Halves: k has shape \(3, 5, 2, 4\) and its outputs along "
                       "axis 2. Put them first or last"):
        Halves(Layout({"k": kernel}, {"k": ("weight", 2)}))
