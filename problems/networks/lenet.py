"""LeNet-5 in its modern form: two convolutions with pooling, three dense layers.

    h <- pool(phi(conv(h, K_1) + b_1))         1 -> 6 channels, 5 x 5, padded: 28 x 28 -> 14 x 14
    h <- pool(phi(conv(h, K_2) + b_2))         6 -> 16 channels, 5 x 5, not padded: 14 x 14 -> 5 x 5
    h <- phi(h W + b)                          400 -> 120 -> 84,   then 84 -> 10 without phi

pool is the mean over 2 x 2 pixels: 61,706 parameters. Images come as (B, 1, 28, 28); inside,
channels are last.

Source: LeCun et al. 1998, Proc. IEEE 86, 2278, with every feature map connected to every other;
the form in which arXiv:2602.21276 uses it (its text: relu, its code: softplus).
"""
import minigrad as mg
from minigrad.kinds import expects

from problems.initialisers import convolution, dense, rule_of
from problems.networks.mlp import ACTIVATIONS

DENSE = (400, 120, 84, 10)


class LeNet:
    """Two convolutions and three dense layers, for 28 x 28 images of ten classes.

    activation   phi: softplus, relu, tanh, ...
    init         rule of `problems.initialisers`

    Parameters   {"conv1" {"K" (6, 1, 5, 5), "b"}, "conv2" {"K" (16, 6, 5, 5), "b"},
                  "layers": [{"W" (400, 120), "b"}, {"W" (120, 84), "b"}, {"W" (84, 10), "b"}]}
    Raises       ValueError for an unknown activation
    """

    batched = False

    @expects(init=rule_of)
    def __init__(self, activation="softplus", init="uniform"):
        if activation not in ACTIVATIONS:
            raise ValueError(f"LeNet: unknown activation {activation!r}. "
                             f"Use one of {', '.join(ACTIVATIONS)}.")
        self.activation, self.rule = activation, init

    def init(self, rng):
        """Draw the parameters, float64."""
        return {"conv1": convolution(rng, 1, 6, 5, self.rule),
                "conv2": convolution(rng, 6, 16, 5, self.rule),
                "layers": [dense(rng, n_in, n_out, self.rule)
                           for n_in, n_out in zip(DENSE[:-1], DENSE[1:])]}

    def apply(self, params, x, *, rng=None):
        """Logits (B, 10) of images x (B, 1, 28, 28).   rng is not used: there is no dropout."""
        if x.shape[1:] != (1, 28, 28):
            raise ValueError(f"LeNet: images must be (B, 1, 28, 28), got {tuple(x.shape)}.")
        phi = ACTIVATIONS[self.activation]
        h = mg.transpose(x, axes=(0, 2, 3, 1))
        for layer, padding in ((params["conv1"], 2), (params["conv2"], 0)):
            h = phi(mg.conv2d(h, layer["K"], layer["b"], padding=padding))
            h = mg.average_pool(h, size=2)
        h = mg.reshape(h, shape=(h.shape[0], -1))
        *hidden, head = params["layers"]
        for layer in hidden:
            h = phi(mg.linear(h, layer["W"], layer["b"]))
        return mg.linear(h, head["W"], head["b"])

    def loss(self, params, batch, *, rng=None):
        """Mean cross-entropy of batch = (images (B, 1, 28, 28), labels (B,))."""
        images, labels = batch
        return mg.softmax_cross_entropy(self.apply(params, images), labels)
