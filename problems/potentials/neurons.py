"""Barriers between small networks that can be computed exactly.

Both networks have tanh units without biases and mean squared error, and both arguments are of one
kind: every path from one end to the other must pass through networks of a smaller class, so the
best member of that class is a bound, and a path that reaches it shows the bound to be the barrier.
"""
import numpy as np

import minigrad as mg
from minigrad.backend import xp
from minigrad.kinds import expects, real

from .potential import Potential, Route


class TanhUnits(Potential):
    """L(v, w) = ½ mean_x ( Σ_i v_i tanh(w_i x) - y(x) )²,    θ = (v_1..v_h, w_1..w_h)

    x, y    the data (n,)
    units   h
    """

    def __init__(self, x, y, units):
        self.data, self.units = (np.asarray(x, float), np.asarray(y, float)), units

    def loss(self, theta, batch=None):
        x, y = (xp.asarray(part, dtype=theta.dtype) for part in self.data)
        v, w = theta[..., :self.units, None], theta[..., self.units:, None]
        residual = mg.sum(v * mg.tanh(w * x), axis=-2) - y
        return 0.5 * mg.mean(residual * residual, axis=-1)


class OneNeuron(TanhUnits):
    """v tanh(w x) between (v, w) and (-v, -w), the same function with its sign turned twice.

    Any path has w = 0 somewhere, where the network is 0 and the loss ½ mean y². Scaling v down to
    0 first reaches that and no more, so the barrier is exactly ½ mean y².

    v, w   the neuron that made the data: y = v tanh(w x) on 61 points of [-3, 3]
    """

    @expects(v=real, w=real)
    def __init__(self, v=0.8, w=1.5):
        x = np.linspace(-3.0, 3.0, 61)
        y = v * np.tanh(w * x)
        super().__init__(x, y, 1)
        self.minima, self.minima_heights = ((v, w), (-v, -w)), (0.0, 0.0)
        self.bounds = ((-1.5 * abs(v), 1.5 * abs(v)), (-1.5 * abs(w), 1.5 * abs(w)))
        self.routes = {"sign": Route(*self.minima, float(0.5 * np.mean(y * y)))}


class NeuronSwap(TanhUnits):
    """Two tanh neurons, between a network and the same network with its neurons exchanged.

    On any path from (w_1, w_2) to (w_2, w_1) the difference w_1 - w_2 changes sign, so somewhere
    w_1 = w_2, where two neurons do what one does: the barrier is at least the least loss of one
    neuron, 0.0016683245 for the default. It is exactly that if a path finds its way down to that
    network from both ends. Renaming the neurons of one end makes both ends one point, and there is
    no barrier.

    v, w   the two neurons that made the data: y = Σ_i v_i tanh(w_i x) on 61 points of [-3, 3]

    single   (v, w) of the best single neuron
    """

    def __init__(self, v=(1.0, -0.5), w=(2.0, 0.6)):
        (v1, v2), (w1, w2) = v, w
        if w1 == w2:
            raise ValueError(f"NeuronSwap: the neurons must differ, got w = {w1} twice.")
        x = np.linspace(-3.0, 3.0, 61)
        super().__init__(x, v1 * np.tanh(w1 * x) + v2 * np.tanh(w2 * x), 2)
        self.single, loss = best_single(*self.data)
        start, end = (v1, v2, w1, w2), (v2, v1, w2, w1)
        self.minima, self.minima_heights = (start, end), (0.0, 0.0)
        far = max(abs(value) for value in start) + 1.0
        self.bounds = ((-far, far),) * 4
        default = (start == (1.0, -0.5, 2.0, 0.6))
        self.routes = {"swap": Route(start, end, loss, 0.01766881 if default else None)}


def best_single(x, y):
    """((v, w), loss) of the network v tanh(w x) that fits (x, y) best.

    For each w the best v is <y, t>/<t, t>, t = tanh(w x), so the search is in one number: a fine
    grid, then golden section to 1e-9.
    """
    def loss(w):
        t = np.tanh(np.asarray(w)[..., None] * x)
        v = (t @ y) / (t * t).sum(axis=-1)
        return 0.5 * ((v[..., None] * t - y) ** 2).mean(axis=-1), v

    grid = np.geomspace(1e-3, 60.0, 2000)
    i = int(np.clip(loss(grid)[0].argmin(), 1, len(grid) - 2))
    low, high, r = grid[i - 1], grid[i + 1], 0.5 * (5.0**0.5 - 1.0)
    while high - low > 1e-9:
        a, b = high - r * (high - low), low + r * (high - low)
        low, high = (low, b) if loss(a)[0] <= loss(b)[0] else (a, high)
    w = 0.5 * (low + high)
    height, v = loss(w)
    return (float(v), float(w)), float(height)
