"""The landscape as an optimizer sees it: heights, gradients, curvature, and what they cost.

Every comparison of optimizers in this project is per evaluation, so the objective counts them.
"""
import inspect
import math

import numpy as np

from minigrad import Layout, graph, hvp, sum as total, value_and_grad
from minigrad.arguments import generator, numbers, point, real, short
from minigrad.backend import float_of, xp
from minigrad.kinds import flag
from minigrad.replay.often import Recordings
from minigrad.tape import in_transform


class Objective:
    """Height, gradient and Hessian-vector products of a landscape, counted per point.

        Objective(f)                 f(theta (..., d)) -> heights (...), any differentiable function
        Objective(problem)           a Problem, on its own data
        Objective(problem, batch)    ... on one batch of data
        Objective(problem, batches=[b₁, ..., b_k])       ... on the union of several

    theta is one point (d,) or a batch of points (n, d); heights are () or (n,); gradients and
    products have theta's shape, each row being the height's own: row i of the gradient is that of
    height i, since no height depends on another row. (The first batch of points is tried on that:
    the height of one row, asked for alone, must be the same.)

    Over several batches everything is the mean over examples, batch by batch, so that memory is
    that of one batch; batches of unequal size give what one big batch would:

        L = Σ_b N_b L_b / Σ_b N_b,       g, H v likewise              N_b examples in batch b
        g ← g clip / max(|g|, clip)                                   (if clip is given)

    A problem with a layout is differentiated over its tree of weights, and raveled once.

    f         a Problem, or a function of theta; with `batches`: of theta and one of them
    batches   list of batches; a batch is a tuple of arrays with examples along the first axis
    weights   the N_b; default: read off the batches
    noise     Generator to draw one seed for each batch from: the problem's random choices
              (dropout) then stand still, so that the landscape is a function. None: no noise
    clip      largest |g| over all parameters jointly, per point; the direction stays. Products
              are those of the unclipped height
    replay    True: gradients at points of one shape are recorded and replayed once they come often
              (`minigrad.replay`), the same numbers in a third to a half of the time where points
              are small. What the heights read besides theta, the data too, must then not change

    values      points whose height was asked for alone, once for each batch
    gradients   points whose gradient was asked for (the height comes with it and is not counted
                again); linearising for Hessian-vector products costs one too
    hvps        Hessian-vector products, per point
    loss        the height that the last `value_and_grad` gave
    layers      what it saw, if it was told to watch: for each batch the height with its history and
                the layers in it, (Tensor, [graph.Layer])
    """

    def __init__(self, f, batch=None, *, batches=None, weights=None, noise=None, clip=None,
                 replay=False):
        self.layout = f.layout if isinstance(getattr(f, "layout", None), Layout) else None
        if self.layout is None and not hasattr(f, "loss"):
            if not callable(f):
                raise TypeError("Objective: needs a function of theta or a Problem, got "
                                f"{type(f).__name__}.")
            if batch is not None:
                raise TypeError("Objective: a batch needs a Problem, got a plain function. "
                                "Close over the data.")
        self.takes_batch = batches is not None or hasattr(f, "loss") or self.layout is not None
        self.f = f.tree_loss if self.layout is not None else getattr(f, "loss", f)
        self.clip = clip
        self.batches = [batch] if batches is None else list_of(batches)
        self.shares = shares(self.batches, weights)
        if clip is not None:
            self.clip = real("Objective", "clip", clip, low=1e-300)
        if noise is not None:
            generator("Objective", noise)
        self.seeds = None if noise is None else [int(noise.integers(2**63)) for _ in self.batches]
        self.loops = not getattr(f, "batched", True)
        self.replay, self.recordings = bool(flag("Objective", "replay", replay)), {}
        self.rows_seen = noise is not None              # masks are drawn for all rows together
        self.values = self.gradients = self.hvps = 0
        self.loss, self.layers = None, []

    @classmethod
    def of(cls, f, batches=None, where="Objective"):
        """An Objective as it is; a Problem or a function (of theta, or theta and a batch) as one.

        This is the door of every tool that looks at a landscape. `where` names it in messages.
        """
        if hasattr(f, "value_and_grad"):
            if batches is not None:
                raise TypeError(f"{where}: an Objective has its own batch. To average over batches "
                                "give the Problem, or a function of theta and a batch.")
            return f
        if batches is not None and len(list_of(batches, where)) == 0:
            raise ValueError(f"{where}: the list of batches is empty. Give at least one, or None.")
        return cls(f, batches=batches)

    def __call__(self, theta):
        return self.value(theta)

    @property
    def batch(self):
        """The data, where it is one batch; may be set anew between steps."""
        return self.batches[0]

    @batch.setter
    def batch(self, batch):
        self.batches, self.shares, self.recordings = [batch], [1.0], {}

    def value(self, theta):
        """Heights (...) of points (..., d)."""
        self.check(theta, "value")
        self.values += points(theta) * len(self.batches)
        if len(self.batches) == 1:
            return self.heights(theta, 0)
        return average(self.shares, (self.heights(theta, b) for b in range(len(self.batches))))

    def value_and_grad(self, theta, watch=False):
        """Heights (...) and gradients (..., d); told to watch, it keeps `layers`, at no cost but
        the memory of the graph."""
        self.check(theta, "value_and_grad")
        self.gradients += points(theta) * len(self.batches)
        self.layers = []
        if len(self.batches) == 1:
            self.loss, g = self.heights_and_gradients(theta, 0, watch)
        else:
            heights = []

            def gradient(b):
                height, g = self.heights_and_gradients(theta, b, watch)
                heights.append(height)
                return g

            g = average(self.shares, map(gradient, range(len(self.batches))))
            self.loss = average(self.shares, heights)
        if self.clip is not None:
            norm = xp.sqrt(xp.sum(g * g, axis=-1, keepdims=True))
            g = g * (self.clip / xp.maximum(norm, self.clip))
        return self.loss, g

    def hvp(self, theta):
        """The function v (..., d) -> H v (..., d); the landscape is linearised once, here."""
        self.check(theta, "hvp")
        self.gradients += points(theta) * len(self.batches)
        products = [self.linearised(theta, b) for b in range(len(self.batches))]

        def product(v):
            if getattr(v, "shape", None) != theta.shape:
                raise ValueError(f"Objective.hvp: a product needs a direction of theta's shape "
                                 f"{theta.shape}, got {getattr(v, 'shape', short(v))}.")
            self.hvps += points(v) * len(products)
            return average(self.shares, (H(v) for H in products))
        return product

    def hessian(self, theta):
        """The whole matrices (..., d, d), symmetrised, from d products."""
        product, columns = self.hvp(theta), []
        for j in range(theta.shape[-1]):
            e = xp.zeros_like(theta)
            e[..., j] = 1.0
            columns.append(product(e))
        H = xp.stack(columns, axis=-1)
        return 0.5 * (H + xp.swapaxes(H, -1, -2))

    # ------------------------------------------------------------------ one batch of data

    def height(self, x, b):
        """The height over batch b, as a function of a point, or of the tree of weights."""
        if not self.takes_batch:
            return self.f(x)
        if self.seeds is None:
            return self.f(x, self.batches[b])
        return self.f(x, self.batches[b], rng=np.random.default_rng(self.seeds[b]))

    def heights(self, theta, b):
        if self.loops and theta.ndim > 1:
            return over_rows(lambda row: xp.asarray(self.height(self.unravel(row), b)), theta)
        return check_heights(self.height(self.unravel(theta), b), theta)

    def heights_and_gradients(self, theta, b, watch=False):
        if self.loops and theta.ndim > 1:
            return over_rows(lambda row: self.heights_and_gradients(row, b, watch), theta)

        if self.replay and not watch and self.seeds is None and not in_transform():
            return self.recording(b)(theta)

        def height(x):
            y = check_heights(self.height(x, b), theta)
            if watch:
                self.layers.append((y, graph.layers(y, x)))
            return y
        heights, gradients = value_and_grad(height, each=True)(self.unravel(theta))
        return heights, self.ravel(gradients)

    def recording(self, b):
        if b not in self.recordings:
            self.recordings[b] = Recordings(lambda x: check_heights(
                self.height(self.unravel(x), b), x), each=True)
        return self.recordings[b]

    def linearised(self, theta, b):
        """v -> H v over batch b. Rows do not meet, so the Hessian of the sum of the heights has
        theirs as its blocks."""
        if self.loops and theta.ndim > 1:
            rows = [self.linearised(row, b) for row in theta.reshape(-1, theta.shape[-1])]

            def product(v):
                vs = v.reshape(-1, v.shape[-1])
                return xp.stack([H(row) for H, row in zip(rows, vs)]).reshape(v.shape)
            return product
        product = hvp(lambda x: total(self.height(x, b)), self.unravel(theta))
        return lambda v: self.ravel(product(self.unravel(v)))

    def unravel(self, theta):
        return theta if self.layout is None else self.layout.unravel(theta)

    def ravel(self, tree):
        return tree if self.layout is None else self.layout.ravel(tree)

    def check(self, theta, asked):
        """Refuses what is no point; once, compares a row of a batch with the same row alone."""
        if not (isinstance(theta, xp.ndarray) and theta.dtype.kind == "f" and theta.ndim):
            point(f"Objective.{asked}", theta)
        if not self.rows_seen and theta.ndim > 1 and not self.loops and points(theta) > 1:
            self.rows_seen = rows_are_separate(lambda x: self.heights(x, 0), theta)


def rows_are_separate(heights, theta):
    """Whether the first row of a batch (n, d) was seen to lie where it lies alone.

    False if this batch cannot show it (rows that equal each other, heights that are all 0 or not
    finite, a function written for batches only): ask again with the next one.
    Raises ValueError if the heights mix rows.
    """
    rows = theta.reshape(-1, theta.shape[-1])
    square = rows.shape[0] == rows.shape[1]
    if bool(xp.all(rows == rows[0])) or (square and bool(xp.all(rows == rows.T))):
        return False
    with np.errstate(all="ignore"):
        try:
            alone = float_of(xp.asarray(heights(rows[0])))
        except (IndexError, TypeError, ValueError):
            return False
        together = xp.asarray(heights(theta)).ravel()
        scale = float_of(xp.max(xp.abs(together)))
        gap = abs(float_of(together[0]) - alone)
    if not (math.isfinite(scale) and math.isfinite(alone)) or scale < 1e-9:
        return False
    if gap > (1e-6 if theta.dtype.itemsize == 8 else 1e-2) * scale:
        raise ValueError(f"Objective: the height of a point depends on the other points of its "
                         f"batch: {float_of(together[0]):.6g} among {len(rows)}, {alone:.6g} "
                         "alone. Write coordinate i as theta[..., i], and reduce over the last "
                         "axis only.")
    return True


def check_heights(heights, theta):
    if getattr(heights, "shape", ()) != theta.shape[:-1]:
        raise ValueError(f"Objective: heights must have shape {theta.shape[:-1]} for points "
                         f"{theta.shape}, got {heights.shape}. Reduce over the last axis only.")
    return heights


def shares(batches, weights=None):
    """N_b / Σ N_b for each batch: what it counts in a mean over all examples."""
    if len(batches) == 1 and weights is None:
        return [1.0]
    if not batches:
        raise ValueError("Objective: the list of batches is empty. Give at least one.")
    sizes = [examples(batch) for batch in batches]
    if weights is not None:
        sizes = numbers("Objective", "weights", weights, ndim=1).tolist()
    if len(sizes) != len(batches) or not all(0 < n < math.inf for n in sizes):
        raise ValueError(f"Objective: {len(batches)} batches need as many weights, numbers of "
                         f"examples above 0, got {sizes}.")
    return [size / sum(sizes) for size in sizes]


def list_of(batches, where="Objective"):
    """The batches as a list; one batch alone, a tuple of arrays, is no list of them."""
    if not isinstance(batches, (list, tuple)):
        raise TypeError(f"{where}: batches must be a list of batches, got {short(batches)}. "
                        "Put a single one into a list.")
    return list(batches)


def examples(batch):
    """Length of the first array of a batch; 1 for a batch that is no collection."""
    first = batch[0] if isinstance(batch, (tuple, list)) and len(batch) else batch
    return len(first) if getattr(first, "ndim", 0) else 1


def average(shares, items):
    """Σ share · item, one item in memory at a time; a single one is given back as it is."""
    mean = None
    for share, item in zip(shares, items):
        if share == 1.0:
            return item
        item = item * share
        mean = item if mean is None else mean + item
    return mean


def points(theta):
    return math.prod(theta.shape[:-1])


def over_rows(f, theta):
    """f applied to each point of a batch, the results stacked again."""
    results = [f(row) for row in theta.reshape(-1, theta.shape[-1])]
    shape = theta.shape[:-1]
    if isinstance(results[0], tuple):
        return tuple(xp.stack([xp.asarray(r) for r in part]).reshape(shape + part[0].shape)
                     for part in zip(*results))
    return xp.stack(results).reshape(shape)


def takes_noise(problem):
    """Whether problem.tree_loss has an argument `rng` for the noise of training, and uses it:
    a Network over a model without noise is not `noisy`."""
    tree_loss = getattr(problem, "tree_loss", None)
    return (tree_loss is not None and "rng" in inspect.signature(tree_loss).parameters
            and getattr(problem, "noisy", True))
