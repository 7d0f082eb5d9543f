"""An LSTM that reads an image row by row and names its class at the end.

    x_t = row t of the (permuted) pixels,   h_t, c_t = cell(x_t, h_{t-1}, c_{t-1}),   logits = h_T W

The cell's bias is the sum of two arrays, as torch stores it: one would do, but the number of
parameters is then that of arXiv:2602.21276, 15,456 for 28 rows of 28 pixels and 48 units. One fixed
permutation of the pixels, drawn once for all, takes away that neighbouring rows are alike.
"""
import math

import numpy as np

import minigrad as mg
from minigrad.backend import xp
from minigrad.kinds import expects, row, whole


class RowLSTM:
    """A recurrent classifier of sequences.

    steps, features   an input (steps * features,) is read as so many rows
    hidden, classes   units of the cell; outputs
    permutation       order in which the inputs are read, or None for their own

    Parameters  {"cell" {"W" (features, 4H), "U" (H, 4H), "b" (4H,), "b2" (4H,)}, "head" {"W" (H,
                 classes)}}, all uniform on +-1/sqrt(H); the gates lie in the order of `mg.lstm`
    Raises      ValueError for a permutation that is not one
    """

    batched = False

    @expects(steps=whole(1), features=whole(1), hidden=whole(1), classes=whole(1), permutation=row)
    def __init__(self, steps=28, features=28, hidden=48, classes=10, permutation=None):
        self.steps, self.features, self.hidden, self.classes = steps, features, hidden, classes
        n = steps * features
        if permutation is not None and not np.array_equal(np.sort(permutation), np.arange(n)):
            raise ValueError(f"RowLSTM: permutation must hold each of 0 ... {n - 1} once.")
        self.permutation = None if permutation is None else xp.asarray(permutation.astype("int64"))

    def init(self, rng):
        """Draw the parameters, float64."""
        H, bound = self.hidden, 1.0 / math.sqrt(self.hidden)

        def draw(*shape):
            return xp.asarray(rng.uniform(-bound, bound, shape))
        return {"cell": {"W": draw(self.features, 4 * H), "U": draw(H, 4 * H), "b": draw(4 * H),
                         "b2": draw(4 * H)}, "head": {"W": draw(H, self.classes)}}

    def apply(self, params, x, *, rng=None):
        """Logits (B, classes) of inputs x (B, ...) with steps * features numbers each."""
        B = len(x)
        rows = x.reshape(B, -1)
        if rows.shape[1] != self.steps * self.features:
            raise ValueError(f"RowLSTM: {self.steps} rows of {self.features} need "
                             f"{self.steps * self.features} numbers an input, got {rows.shape[1]}.")
        if self.permutation is not None:
            rows = rows[:, self.permutation]
        rows = rows.reshape(B, self.steps, self.features).swapaxes(0, 1)
        cell = params["cell"]
        zero = xp.zeros((B, self.hidden), dtype=cell["W"].dtype)
        states = mg.lstm(rows, cell["W"], cell["U"], cell["b"] + cell["b2"], zero, zero)
        return states[0, -1] @ params["head"]["W"]

    def loss(self, params, batch, *, rng=None):
        """Mean cross-entropy of batch = (inputs (B, ...), labels (B,))."""
        inputs, labels = batch
        return mg.softmax_cross_entropy(self.apply(params, inputs), labels)


def published_permutation():
    """The pixel order (784,) of arXiv:2602.21276's LSTM, as its code draws it with torch.

        p = 0 ... 783;    for i = 0 ... 782:  swap p_i and p_{i + u_i mod (784 - i)}

    with u the 32-bit output of a Mersenne twister of seed 1234: no torch is needed.
    """
    u = np.random.RandomState(1234).randint(0, 2**32, 783, dtype=np.uint32)
    p = np.arange(784)
    for i, draw in enumerate(u):
        j = i + int(draw) % (784 - i)
        p[i], p[j] = p[j], p[i]
    return p
