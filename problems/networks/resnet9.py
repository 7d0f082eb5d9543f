"""ResNet-9: eight convolutions, two short-cuts, a linear layer; small and quick to train.

    conv 64 - conv 128, pool - residual(128) - conv 256, pool - conv 512, pool - residual(512)
    - largest value of each channel - dropout - linear

where "conv" stands for relu(BN(conv 3x3)) and residual(h) = h + conv(conv(h)). The widths are
multiples of the first one. It is the nine-layer net of the fast CIFAR training recipes;
arXiv:2601.09236 names it without giving its layers, so this is our reading: no scaling of the
logits, dropout before the classifier.
"""
import minigrad as mg
from minigrad.kinds import expects, real, whole, wholes

from problems.initialisers import convolution, dense, norm, rule_of
from problems.networks.resnet import Norms, fresh_statistics


class ResNet9:
    """The nine-layer residual network.

    width     channels of the first layer (64); the others are 2, 4 and 8 times that
    image     (C, H, W) of one input, H and W multiples of 8      classes   number of labels
    dropout   of the classifier's input, in training only (when an rng is given)
    init      rule of `problems.initialisers`

    Parameters  {name: {"conv" {"K", "b"}, "norm" {"gain", "shift"}}} for the eight convolutions,
                and "head" {"W", "b"}
    Statistics  as in `problems.resnet`
    """

    batched = False

    @expects(width=whole(1), image=wholes(1, 3), classes=whole(1), dropout=real, init=rule_of)
    def __init__(self, width=64, image=(3, 32, 32), classes=10, dropout=0.0, init="uniform"):
        if not 0.0 <= dropout < 1.0:
            raise ValueError(f"ResNet9: dropout must lie in [0, 1), got {dropout}.")
        if image[1] % 8 or image[2] % 8:
            raise ValueError(f"ResNet9: images of {image[1:]} cannot be halved three times. "
                             "Use sides that are multiples of 8.")
        self.width, self.image, self.classes = width, image, classes
        self.dropout, self.rule = dropout, init

    def plan(self):
        """{name: (channels in, channels out)} of the convolutions, in order."""
        w = self.width
        return {"conv1": (self.image[0], w), "conv2": (w, 2 * w),
                "residual1a": (2 * w, 2 * w), "residual1b": (2 * w, 2 * w),
                "conv3": (2 * w, 4 * w), "conv4": (4 * w, 8 * w),
                "residual2a": (8 * w, 8 * w), "residual2b": (8 * w, 8 * w)}

    def init(self, rng):
        """Draw the parameters, float64."""
        params = {name: {"conv": convolution(rng, n_in, n_out, 3, self.rule), "norm": norm(n_out)}
                  for name, (n_in, n_out) in self.plan().items()}
        params["head"] = dense(rng, 8 * self.width, self.classes, self.rule)
        return params

    def statistics(self):
        """Running statistics before any batch was seen: mean 0, variance 1 of every channel."""
        return {f"{name}.norm": fresh_statistics(n_out) for name, (_, n_out) in self.plan().items()}

    def apply(self, params, x, *, rng=None, statistics=None, seen=None):
        """Logits (B, classes) of images x (B, C, H, W); arguments as `ResNet.apply`."""
        norms = Norms(statistics, seen)

        def conv(h, name):
            layer = params[name]
            h = mg.conv2d(h, layer["conv"]["K"], layer["conv"]["b"], padding=1)
            return mg.relu(norms(h, layer["norm"], f"{name}.norm"))

        h = conv(mg.transpose(x, axes=(0, 2, 3, 1)), "conv1")
        h = mg.max_pool(conv(h, "conv2"), size=2)
        h = h + conv(conv(h, "residual1a"), "residual1b")
        h = mg.max_pool(conv(h, "conv3"), size=2)
        h = mg.max_pool(conv(h, "conv4"), size=2)
        h = h + conv(conv(h, "residual2a"), "residual2b")
        h = mg.max(h, axis=(1, 2))
        h = mg.dropout(h, rate=self.dropout, rng=rng)
        return mg.linear(h, params["head"]["W"], params["head"]["b"])

    def loss(self, params, batch, *, rng=None, seen=None):
        """Mean cross-entropy of batch = (images (B, C, H, W), labels (B,)), norms by the batch."""
        images, labels = batch
        return mg.softmax_cross_entropy(self.apply(params, images, rng=rng, seen=seen), labels)
