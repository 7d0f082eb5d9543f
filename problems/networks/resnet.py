"""Residual networks for images: every block adds a correction to what it was given.

    block:  h <- relu(BN(conv(relu(BN(conv(h))))) + shortcut(h))

The shortcut is h itself, or BN(conv 1x1) of it where the number of channels or the size changes.
Batch norm BN subtracts each channel's mean and divides by its deviation, taken over the batch and
the pixels, then applies a gain and a shift. In evaluation running averages take the place of the
batch's:

    running <- 0.99 running + 0.01 batch

They are no parameters and no gradient reaches them, so they are a tree of their own, the
*statistics*: the loss collects the batch's in a dict, `updated` makes new running ones, `apply`
evaluates with them.

ResNet-18 is the CIFAR form of arXiv:2509.03594 (its code, flax defaults): 3 x 3 first layer, no
first pooling, biases in all convolutions. Kernels and strides are padded evenly as in He et al.
2016 (arXiv:1512.03385), 1 pixel on each side, where flax pads a strided layer on one side only.
"""
import minigrad as mg
from minigrad.backend import xp
from minigrad.kinds import expects, whole, wholes

from problems.initialisers import convolution, dense, norm, rule_of

BN_EPS = 1e-5
MOMENTUM = 0.99


class Norms:
    """The batch norms of one pass: what they use, and what they see.

    running   statistics {name: (mean (C,), variance (C,))} to normalise with; None: the batch's own
    seen      a dict that receives the batch's statistics under each norm's name; None: not wanted
    """

    def __init__(self, running=None, seen=None):
        self.running, self.seen = running, seen

    def __call__(self, h, layer, name):
        """h (B, H, W, C), normalised for each channel."""
        rows = mg.reshape(h, shape=(-1, h.shape[-1]))
        if self.seen is not None:
            self.seen[name] = mg.batch_statistics(rows)
        given = None
        if self.running is not None:
            given = tuple(s.astype(h.dtype) for s in self.running[name])
        rows = mg.batch_norm(rows, layer["gain"], layer["shift"], statistics=given, eps=BN_EPS)
        return mg.reshape(rows, shape=h.shape)


def fresh_statistics(width):
    """(mean, variance) = (0, 1) of `width` channels."""
    return xp.zeros(width), xp.ones(width)


def updated(running, seen, momentum=MOMENTUM):
    """momentum * running + (1 - momentum) * seen, for every statistic: a new tree."""
    return {name: tuple(momentum * old + (1.0 - momentum) * new
                        for old, new in zip(running[name], seen[name])) for name in running}


class ResNet:
    """Stages of residual blocks, a global mean, a linear classifier. The defaults are ResNet-18.

    widths    channels of each stage; every stage after the first halves the image
    blocks    residual blocks in each stage
    image     (C, H, W) of one input     classes   number of labels
    init      rule of `problems.initialisers` (lecun: flax)

    Parameters  {"stem" {"conv", "norm"}, "stages": [[{"conv1", "norm1", "conv2", "norm2",
                 "shortcut" {"conv", "norm"} where needed}, ...], ...], "head" {"W", "b"}}
                with conv {"K" (out, in, k, k), "b" (out,)} and norm {"gain", "shift"}
    Statistics  {"stem.norm": (mean (C,), variance (C,)), "stages.0.0.norm1": ..., ...}
    """

    batched = False

    @expects(widths=wholes(), blocks=whole(0), image=wholes(1, 3), classes=whole(1), init=rule_of)
    def __init__(self, widths=(64, 128, 256, 512), blocks=2, image=(3, 32, 32), classes=10,
                 init="lecun"):
        if not widths or blocks < 1:
            raise ValueError(f"ResNet: needs stages and blocks, got {widths} and {blocks}.")
        self.widths, self.blocks, self.image = widths, blocks, image
        self.classes, self.rule = classes, init

    def plan(self):
        """(stage, block, channels in, channels out, stride) of every block."""
        before = self.widths[0]
        for stage, width in enumerate(self.widths):
            for block in range(self.blocks):
                yield stage, block, before, width, 2 if stage > 0 and block == 0 else 1
                before = width

    def init(self, rng):
        """Draw the parameters, float64."""
        def conv(n_in, n_out, kernel=3):
            return convolution(rng, n_in, n_out, kernel, self.rule)
        stem = {"conv": conv(self.image[0], self.widths[0]), "norm": norm(self.widths[0])}
        params = {"stem": stem, "stages": [[] for _ in self.widths]}
        for stage, _, n_in, n_out, stride in self.plan():
            block = {"conv1": conv(n_in, n_out), "norm1": norm(n_out),
                     "conv2": conv(n_out, n_out), "norm2": norm(n_out)}
            if stride != 1 or n_in != n_out:
                block["shortcut"] = {"conv": conv(n_in, n_out, 1), "norm": norm(n_out)}
            params["stages"][stage].append(block)
        params["head"] = dense(rng, self.widths[-1], self.classes, self.rule)
        return params

    def statistics(self):
        """Running statistics before any batch was seen: mean 0, variance 1 of every channel."""
        found = {"stem.norm": fresh_statistics(self.widths[0])}
        for stage, k, n_in, n_out, stride in self.plan():
            names = ["norm1", "norm2"] + ["shortcut.norm"] * (stride != 1 or n_in != n_out)
            found.update({f"stages.{stage}.{k}.{name}": fresh_statistics(n_out)
                          for name in names})
        return found

    def apply(self, params, x, *, rng=None, statistics=None, seen=None):
        """Logits (B, classes) of images x (B, C, H, W).

        statistics  running ones to evaluate with; None: normalise by the batch
        seen        a dict that receives the batch's statistics, for `updated`
        """
        norms = Norms(statistics, seen)

        def conv(h, layer, **size):
            return mg.conv2d(h, layer["K"], layer["b"], **size)

        stem = params["stem"]
        h = conv(mg.transpose(x, axes=(0, 2, 3, 1)), stem["conv"], padding=1)
        h = mg.relu(norms(h, stem["norm"], "stem.norm"))
        for stage, k, _, _, stride in self.plan():
            block, name = params["stages"][stage][k], f"stages.{stage}.{k}"
            step = conv(h, block["conv1"], stride=stride, padding=1)
            step = mg.relu(norms(step, block["norm1"], f"{name}.norm1"))
            step = conv(step, block["conv2"], padding=1)
            step = norms(step, block["norm2"], f"{name}.norm2")
            if "shortcut" in block:
                short = conv(h, block["shortcut"]["conv"], stride=stride)
                h = norms(short, block["shortcut"]["norm"], f"{name}.shortcut.norm")
            h = mg.relu(h + step)
        h = mg.global_mean(h)
        return mg.linear(h, params["head"]["W"], params["head"]["b"])

    def loss(self, params, batch, *, rng=None, seen=None):
        """Mean cross-entropy of batch = (images (B, C, H, W), labels (B,)), norms by the batch."""
        images, labels = batch
        return mg.softmax_cross_entropy(self.apply(params, images, rng=rng, seen=seen), labels)
