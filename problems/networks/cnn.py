"""Small convolutional network: two convolutions, each pooled and rectified, and a linear layer.

    h <- relu(max_pool(conv(h, K_1) + b_1))          C -> F_1 channels, image halved
    h <- relu(max_pool(conv(h, K_2) + b_2))          F_1 -> F_2 channels, image halved again
    logits = flatten(h) W + b

The number of filters F_2 is the width that arXiv:2601.09236's CNN experiment varies; the paper
does not give F_1 and the kernel size: 16 filters of 5 x 5 are our choice. Images come as (B, C,
H, W), as data sets store them; inside, channels are last, and so is the order of the flattened
features.
"""
import minigrad as mg
from minigrad.kinds import expects, whole, wholes

from problems.initialisers import convolution, dense, rule_of


class CNN:
    """Two convolutions and a linear classifier.

    image     (C, H, W) of one input    classes   number of labels
    filters   (F_1, F_2)                kernel    odd side of the kernels; padding keeps the size
    init      rule of `problems.initialisers`

    Parameters  {"conv1" {"K" (F_1, C, k, k), "b" (F_1,)}, "conv2" {"K" (F_2, F_1, k, k), "b"},
                 "head" {"W" (features, classes), "b"}}
    """

    batched = False

    @expects(image=wholes(1, 3), classes=whole(1), filters=wholes(1, 2), kernel=whole(1),
             init=rule_of)
    def __init__(self, image=(1, 28, 28), classes=10, filters=(16, 32), kernel=5, init="uniform"):
        if kernel % 2 == 0:
            raise ValueError(f"CNN: kernel must be odd, got {kernel}.")
        if min(image[1:]) < 4:
            raise ValueError(f"CNN: images of {image[1:]} are too small to be halved twice. "
                             "Use at least 4 x 4 pixels.")
        self.image, self.classes, self.filters = image, classes, filters
        self.kernel, self.rule = kernel, init

    def init(self, rng):
        """Draw the parameters, float64."""
        (C, H, W), (F1, F2) = self.image, self.filters
        return {"conv1": convolution(rng, C, F1, self.kernel, self.rule),
                "conv2": convolution(rng, F1, F2, self.kernel, self.rule),
                "head": dense(rng, (H // 4) * (W // 4) * F2, self.classes, self.rule)}

    def apply(self, params, x, *, rng=None):
        """Logits (B, classes) of images x (B, C, H, W).

        rng      not used: there is no dropout
        """
        h = mg.transpose(x, axes=(0, 2, 3, 1))
        for name in "conv1", "conv2":
            layer = params[name]
            h = mg.conv2d(h, layer["K"], layer["b"], padding=self.kernel // 2)
            h = mg.relu(mg.max_pool(h, size=2))
        h = mg.reshape(h, shape=(h.shape[0], -1))
        return mg.linear(h, params["head"]["W"], params["head"]["b"])

    def loss(self, params, batch, *, rng=None):
        """Mean cross-entropy of batch = (images (B, C, H, W), labels (B,))."""
        images, labels = batch
        return mg.softmax_cross_entropy(self.apply(params, images, rng=rng), labels)
