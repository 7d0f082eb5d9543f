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

BEST_SINGLE = (0.610796701793, 3.408466977899)    # v, w of the best single neuron for NeuronSwap
SINGLE_LOSS = 0.001668324523                      # and its loss


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

    y = tanh(2x) - ½ tanh(0.6x) on 61 points of [-3, 3]. On any path from (w_1, w_2) to (w_2, w_1)
    the difference w_1 - w_2 changes sign, so somewhere w_1 = w_2, where two neurons do what one
    does: the barrier is at least the least loss of one neuron, 0.0016683245. It is exactly that if
    a path finds its way down to that network from both ends. Renaming the neurons of one end makes
    both ends one point, and there is no barrier.
    """

    bounds = ((-1.5, 2.0), (-1.5, 2.0), (-1.0, 4.0), (-1.0, 4.0))

    def __init__(self):
        x = np.linspace(-3.0, 3.0, 61)
        super().__init__(x, np.tanh(2.0 * x) - 0.5 * np.tanh(0.6 * x), 2)
        start, end = (1.0, -0.5, 2.0, 0.6), (-0.5, 1.0, 0.6, 2.0)
        self.minima, self.minima_heights = (start, end), (0.0, 0.0)
        self.routes = {"swap": Route(start, end, SINGLE_LOSS, 0.01766881)}
