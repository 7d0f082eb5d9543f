"""A landscape: where to start, how high each point lies, and what is known about it.

Everything above the engine sees a point as one flat array theta (d,), and a batch of points as
(n, d). A network's weights are a tree of arrays; `Network` makes a landscape of it, with `Layout`
doing the translation.
"""
import functools
import inspect

import numpy as np

import minigrad as mg
from minigrad import Layout, xp
from minigrad.arguments import generator, point, short


class Problem:
    """A function from points to heights.

        loss(theta (..., d), batch=None) -> heights (...)
        start(rng) -> theta (d,)

    layout   names and shapes of the parts of theta, or None if theta is just a vector
    data     the default batch, or None
    batched  False if `loss` evaluates a batch of points one by one
    coordinates   d, where points of d coordinates have a height and no others; None: `loss` looks
             itself. (A formula that reads θ_0 and θ_1 gives a height to three of them as well.)

    A problem with a layout also has `tree_loss(params, batch)`, the same height as a function of
    the tree of arrays: optimizers differentiate that one, and ravel the gradient once. Calling a
    problem is calling its loss.

    What `start` and `loss` say to an argument that is no Generator, no point, stands here for all
    problems: see `explained`.
    """

    layout = None
    data = None
    batched = True
    coordinates = None

    def __init_subclass__(cls, **settings):
        super().__init_subclass__(**settings)
        for name in {"start", "loss", "parts", "__call__"} & vars(cls).keys():
            if not getattr(vars(cls)[name], "__isabstractmethod__", False):
                setattr(cls, name, explained(vars(cls)[name], name))

    def start(self, rng):
        raise NotImplementedError(f"{type(self).__name__} does not say where to start.")

    def loss(self, theta, batch=None):
        raise NotImplementedError(f"{type(self).__name__} does not say how high a point lies.")

    def __call__(self, theta, batch=None):
        return self.loss(theta, batch)


def explained(method, name):
    """The method, with a sentence for a first argument that is none of its kind.

    A height is asked for at arrays and Tensors only: a list or a number might broadcast to a wrong
    one; so might a point of another dimension. For the rest, the argument is looked at when the
    method has failed, so that a call that succeeds pays nothing for it.
    """
    height = name != "start"

    @functools.wraps(method)
    def call(self, given=None, *rest, **named):
        try:
            if height and not isinstance(given, (xp.ndarray, mg.Tensor)):
                raise TypeError
            if height and self.coordinates and given.shape[-1:] != (self.coordinates,):
                who = getattr(self, "name", type(self).__name__)
                raise ValueError(f"{who}.{name}: points have {self.coordinates} coordinates along "
                                 f"the last axis, got shape {tuple(given.shape)}.")
            return method(self, given, *rest, **named)
        except Exception:
            where = f"{getattr(self, 'name', type(self).__name__)}.{name}"
            if height:
                point(where, given, tensors=True)
            else:
                generator(where, given)
            raise
    return call


def floating(dtype):
    """The dtype of points as it was given, if it is one of floating-point numbers."""
    try:
        known = isinstance(dtype, (str, type, np.dtype)) and np.dtype(dtype).kind == "f"
    except TypeError:                                   # a name that NumPy does not know
        known = False
    if not known:
        raise TypeError(f"Network: dtype must be that of floating-point numbers, got {dtype!r}. "
                        "Give 'float64' or 'float32'.")
    return dtype


class Network(Problem):
    """A model on data, seen as a landscape over all its weights.

    model   any object with
              init(rng) -> params         a tree (dict, list, tuple) of floating-point arrays
              loss(params, batch) -> height, for a batch (inputs, targets); the mean over examples
            and, where it has them,
              loss(params, batch, *, rng=None)      the noise of training (dropout) drawn from rng
              apply(params, inputs) -> outputs      asked by `error_rate`, `sample`, symmetries
              batched = True                        the weights may carry leading axes of points:
                                                    the loss is then (n,)
              kinds = {name: (kind, filter_axis)}   what an array is for, where neither its name
                                                    nor its number of axes tells: see minigrad.Layout
    data    (inputs, targets), the whole set over which the height is taken unless a batch is named
    dtype   of the points; inputs are cast to it, integer labels and tokens stay what they are

    Raises  TypeError for a model without init or loss, or a loss that takes something else
    """

    def __init__(self, model, data=None, dtype="float64"):
        self.noisy = check_model(model)
        self.model, self.dtype = model, floating(dtype)
        self.batched = getattr(model, "batched", False)
        self.layout = Layout(model.init(np.random.default_rng(0)), getattr(model, "kinds", None))
        self.data = None if data is None else examples(*map(self._cast, pair(data)))

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
        noise = {} if rng is None or not self.noisy else {"rng": rng}
        try:
            return self.model.loss(params, batch, **noise)
        except Exception:
            pair(batch)
            if not hasattr(self.model, "loss"):
                raise TypeError(f"Network: the model {type(self.model).__name__} has no "
                                "loss(params, batch). Write one to train it.") from None
            raise

    def loss(self, theta, batch=None):
        if self.batched or theta.ndim == 1:
            return self.tree_loss(self.params(theta), batch)
        heights = [self.loss(theta[i], batch) for i in range(theta.shape[0])]
        return mg.stack(heights)


def check_model(model):
    """Whether the model's loss takes the noise of training, `rng`; TypeError where it is no model.
    """
    name = type(model).__name__
    has = [method for method in ("init", "loss", "apply")
           if not isinstance(model, type) and callable(getattr(model, method, None))]
    if "init" not in has or len(has) < 2:
        raise TypeError(f"Network: a model needs init(rng) and loss(params, batch), {short(model)} "
                        f"has {', '.join(has) or 'neither'}. See the docstring of "
                        "problems.Network.")
    if "loss" not in has:                               # its symmetries may be asked, no height
        return False
    try:
        signature = inspect.signature(model.loss)
    except (TypeError, ValueError):                     # written in C: nothing is known of it
        return False
    noisy = "rng" in signature.parameters
    try:
        signature.bind(None, None, **({"rng": None} if noisy else {}))
    except TypeError as error:
        raise TypeError(f"Network: {name}.loss must be called as loss(params, batch), and this is "
                        f"loss{signature}. Give other arguments a default.") from error
    return noisy


def examples(inputs, targets):
    """The data of a network, if they are numbers, one target or row of targets an example."""
    if min(inputs.ndim, targets.ndim) < 1 or len(inputs) != len(targets) or not (
            inputs.dtype.kind in "fiub" and targets.dtype.kind in "fiub"):
        raise ValueError(f"Network: data must be arrays of numbers, inputs (N, ...) and targets "
                         f"(N, ...), got {inputs.dtype}{list(inputs.shape)} and "
                         f"{targets.dtype}{list(targets.shape)}.")
    return inputs, targets


def pair(batch):
    """The batch, if it is one: (inputs, targets)."""
    if not isinstance(batch, (tuple, list)) or len(batch) != 2:
        raise TypeError(f"Network: a batch is a pair (inputs, targets) of arrays, got "
                        f"{short(batch)}.")
    return batch
