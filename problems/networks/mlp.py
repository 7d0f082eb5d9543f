"""Multilayer perceptron: alternate affine maps and an activation.

    h_0 = x,    h_k = phi(W_k^T h_{k-1} + b_k)  in the hidden layers,    output W_L^T h_{L-1} + b_L

In rows, as the code has it, a layer is `h @ W + b` with W (in, out). With `norm` every layer
after the first sees LN(h), the row shifted to mean 0 and divided by its deviation (no gain, no
shift); with `skip` a hidden-to-hidden layer is a step of a residual stream:

    h <- h + phi(W^T LN(h) + b)

The weights may carry leading point axes, W (n, in, out) and b (n, out): a batch of n networks is
then evaluated at once, and the loss has shape (n,). That is what makes sweeps and landscape
slices cheap.
"""
import minigrad as mg
from minigrad.kinds import expects, natural, wholes

from problems.initialisers import RULES, dense

ACTIVATIONS = {"gelu": mg.gelu, "tanh": mg.tanh, "relu": mg.relu, "silu": mg.silu,
               "sigmoid": mg.sigmoid, "softplus": mg.softplus}
LOSSES = ("cross_entropy", "mse")
OUTPUTS = ("linear", "sigmoid")
NORM_EPS = 1e-5


class MLP:
    """A perceptron of the given layer widths.

    sizes        (in, hidden, ..., out)
    activation   phi: gelu (tanh form), tanh, relu, silu, sigmoid, softplus
    init, gain   rule of `problems.initialisers` (lecun: flax) and its factor; biases start at zero
    loss         "cross_entropy" on integer labels (B,), or "mse" on targets (B, out) or (B,)
    skip, norm   residual stream and pre-normalisation, as in the module's formula
    bias         False: no layer has one
    output       "linear", or "sigmoid" for outputs in (0, 1), as an autoencoder of images has them

    Parameters   {"layers": [{"W" (in, out), "b" (out,)}, ...]}, each (n, ...) for n points
    Raises       ValueError for an unknown name, fewer than two sizes, skips between unequal widths
    """

    batched = True

    @expects(sizes=wholes(0), gain=natural)
    def __init__(self, sizes, activation="gelu", init="lecun", loss="cross_entropy",
                 skip=False, norm=False, gain=1.0, bias=True, output="linear"):
        if len(sizes) < 2 or min(sizes) < 1:
            raise ValueError(f"MLP: sizes must be two or more positive widths, got {sizes}. "
                             "Give (in, hidden, ..., out).")
        for what, name, known in (("activation", activation, ACTIVATIONS), ("init", init, RULES),
                                  ("loss", loss, LOSSES), ("output", output, OUTPUTS)):
            if name not in known:
                raise ValueError(f"MLP: unknown {what} {name!r}. Use one of {', '.join(known)}.")
        if skip and len(set(sizes[1:-1])) > 1:
            raise ValueError(f"MLP: skip connections need equal hidden widths, got {sizes[1:-1]}. "
                             "Make them equal or drop skip.")
        self.sizes, self.activation, self.rule, self.gain = sizes, activation, init, gain
        self.loss_name, self.skip, self.norm = loss, skip, norm
        self.bias, self.output = bias, output

    def init(self, rng):
        """Draw the parameters, float64."""
        layers = [dense(rng, n_in, n_out, self.rule, self.gain)
                  for n_in, n_out in zip(self.sizes[:-1], self.sizes[1:])]
        return {"layers": layers if self.bias else [{"W": layer["W"]} for layer in layers]}

    def apply(self, params, x, *, rng=None):
        """Outputs (..., B, out) of inputs x (B, in); leading axes are those of the weights.

        rng      not used: there is no dropout
        """
        phi = ACTIVATIONS[self.activation]
        layers, h = params["layers"], x
        for k, layer in enumerate(layers):
            first, last = k == 0, k == len(layers) - 1
            inside = mg.standardize(h, eps=NORM_EPS) if self.norm and not first else h
            z = mg.linear(inside, layer["W"], layer["b"]) if self.bias else inside @ layer["W"]
            if last:
                return mg.sigmoid(z) if self.output == "sigmoid" else z
            h = h + phi(z) if self.skip and not first else phi(z)

    def loss(self, params, batch, *, rng=None):
        """Mean loss over the examples of batch = (inputs, targets): (), or (n,) for n points."""
        inputs, targets = batch
        outputs = self.apply(params, inputs, rng=rng)
        if self.loss_name == "cross_entropy":
            return mg.softmax_cross_entropy(outputs, targets)
        if targets.ndim == 1:
            targets = targets.reshape(-1, 1)
        return mg.mean_squared_error(outputs, targets)
