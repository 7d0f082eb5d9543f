"""Recommendation: numbers and categories become vectors, and what counts is how they meet.

    z_0 = bottom MLP of the numbers,     z_t = row of table t for category t        all of width C
    logit = top MLP of (z_0, and all z_s · z_t with s < t)

The loss is the logistic one on a click 0 or 1.

Source: Naumov et al. 2019, arXiv:1906.00091, section 2: the model whose small form the AlgoPerf
benchmark trains on Criteo's clicks. Differs from the paper: the tables are one array, with an
offset each, so that all categories are one lookup.
"""
import numpy as np

import minigrad as mg
from minigrad.backend import check_range, xp
from minigrad.kinds import expects, whole, wholes

from problems.initialisers import dense, rule_of, table


class DLRM:
    """A click model.

    numbers  of real features      categories  (V_1, ..., V_T) sizes of the tables
    width    C of every vector     bottom, top hidden widths of the two perceptrons
    init     rule of `problems.initialisers`

    Parameters  {"tables" (V_1 + ... + V_T, C), "bottom": [{"W", "b"}, ...], "top": [...]}
    """

    batched = False

    @expects(numbers=whole(1), categories=wholes(1), width=whole(1), bottom=wholes(1), top=wholes(1),
             init=rule_of)
    def __init__(self, numbers=8, categories=(20, 20, 20), width=8, bottom=(16,), top=(32, 16),
                 init="uniform"):
        if not categories:
            raise ValueError(f"DLRM: categories must be positive table sizes, got {categories}.")
        self.numbers, self.categories, self.width = numbers, categories, width
        self.bottom, self.top, self.rule = bottom, top, init
        self.offsets = np.cumsum((0, *self.categories[:-1]))
        count = len(self.categories) + 1
        self.pairs = [s * count + t for s in range(count) for t in range(s + 1, count)]

    def init(self, rng):
        """Draw the parameters, float64."""
        def perceptron(widths):
            return [dense(rng, a, b, self.rule) for a, b in zip(widths, widths[1:])]

        return {"tables": table(rng, sum(self.categories), self.width),
                "bottom": perceptron((self.numbers, *self.bottom, self.width)),
                "top": perceptron((self.width + len(self.pairs), *self.top, 1))}

    def apply(self, params, x, *, rng=None):
        """Logits (B,) of x (B, n + T): the numbers, and the category chosen of each table."""
        if x.ndim != 2 or x.shape[1] != self.numbers + len(self.categories):
            raise ValueError(f"DLRM: x must be (B, {self.numbers + len(self.categories)}), "
                             f"{self.numbers} numbers and {len(self.categories)} categories, got "
                             f"{tuple(x.shape)}.")
        numbers, chosen = x[:, :self.numbers], x[:, self.numbers:].astype("int64")
        B, T = chosen.shape
        z = rectified(numbers, params["bottom"], last=True)
        for t, size in enumerate(self.categories):          # beyond its end lies the next table
            check_range("DLRM", f"category {t}", chosen[:, t], size, wait=False)
        rows = mg.embedding(params["tables"], chosen + xp.asarray(self.offsets))
        vectors = mg.concatenate([mg.reshape(z, shape=(B, 1, self.width)), rows], axis=1)
        meet = mg.matmul(vectors, mg.swapaxes(vectors, a=-1, b=-2))
        meet = mg.reshape(meet, shape=(B, (T + 1) ** 2))[:, xp.asarray(self.pairs)]
        out = rectified(mg.concatenate([z, meet], axis=1), params["top"], last=False)
        return mg.reshape(out, shape=(B,))

    def loss(self, params, batch, *, rng=None):
        """Mean logistic loss of batch = (x (B, n + T), clicks (B,) of 0 and 1)."""
        return mg.mean(self.losses(params, batch))

    def losses(self, params, batch):
        """The logistic loss of each example: (B,)."""
        x, clicks = batch
        if clicks.shape != x.shape[:1]:
            raise ValueError(f"DLRM: {x.shape[0]} examples have clicks ({x.shape[0]},), got shape "
                             f"{tuple(clicks.shape)}. Use clicks.reshape(-1).")
        check_range("DLRM", "clicks", clicks, 2, wait=False)
        z = self.apply(params, x)
        return mg.softplus(z) - z * clicks.astype(z.dtype)


def rectified(h, layers, last):
    """The layers with relu between them, and behind the last one too if `last`."""
    for k, layer in enumerate(layers):
        h = mg.linear(h, layer["W"], layer["b"])
        h = mg.relu(h) if last or k < len(layers) - 1 else h
    return h
