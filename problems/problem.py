"""A landscape: where to start, how high each point lies, and what is known about it.

Everything above the engine sees a point as one flat array theta (d,), and a batch of points as
(n, d). A network's weights are a tree of arrays; `Network` makes a landscape of it, with `Layout`
doing the translation.
"""

import numpy as np

import minigrad as mg
from minigrad import Layout, xp


class Problem:
    """A function from points to heights.

        loss(theta (..., d), batch=None) -> heights (...)
        start(rng) -> theta (d,)

    layout   names and shapes of the parts of theta, or None if theta is just a vector
    data     the default batch, or None
    batched  False if `loss` evaluates a batch of points one by one

    A problem with a layout also has `tree_loss(params, batch)`, the same height as a function of
    the tree of arrays: optimizers differentiate that one, and ravel the gradient once. Calling a
    problem is calling its loss.
    """

    layout = None
    data = None
    batched = True

    def start(self, rng):
        raise NotImplementedError(f"{type(self).__name__} does not say where to start.")

    def loss(self, theta, batch=None):
        raise NotImplementedError(f"{type(self).__name__} does not say how high a point lies.")

    def __call__(self, theta, batch=None):
        return self.loss(theta, batch)


class Network(Problem):
    """A model on data, seen as a landscape over all its weights.

    model   settings of a network: init(rng) -> params, loss(params, batch) -> height, and
            batched: may the weights carry leading axes of points?
    data    (inputs, targets), the whole set over which the height is taken unless a batch is named
    dtype   of the points; inputs are cast to it, integer labels and tokens stay what they are
    """

    def __init__(self, model, data=None, dtype="float64"):
        self.model, self.dtype = model, dtype
        self.batched = model.batched
        self.layout = Layout(model.init(np.random.default_rng(0)))
        self.data = None if data is None else tuple(self._cast(part) for part in data)

    def _cast(self, array):
        array = xp.asarray(array)
        return array.astype(self.dtype) if array.dtype.kind == "f" else array

    def start(self, rng):
        return self.layout.ravel(self.model.init(rng)).astype(self.dtype)

    def params(self, theta):
        """theta (..., d) as the model's tree of arrays (..., *shape)."""
        return self.layout.unravel(theta)

    def tree_loss(self, params, batch=None, rng=None):
        """The model's loss; `rng` draws the noise of training (dropout), None: there is none."""
        batch = self.data if batch is None else batch
        if batch is None:
            raise ValueError("Network: no data to take the loss over. "
                             "Give data to Network, or a batch to the loss.")
        noise = {} if rng is None else {"rng": rng}
        return self.model.loss(params, batch, **noise)

    def loss(self, theta, batch=None):
        if self.batched or theta.ndim == 1:
            return self.tree_loss(self.params(theta), batch)
        heights = [self.loss(theta[i], batch) for i in range(theta.shape[0])]
        return mg.stack(heights)
