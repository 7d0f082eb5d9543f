"""Vision transformer: an image is cut into patches, which attend to one another like words.

    h <- patches W_patch + P                                     one row a patch, and its place
    each block:   h <- h + attention(LN(h)) W_out                every patch looks at all others
                  h <- h + gelu(LN(h) W_up) W_down               each patch by itself
    logits = mean over patches of LN(h) W_head                   (+ biases, everywhere)

Blocks are those of `transformer`, without a mask. The mean over patches takes the place of a class
token, which needs longer training.

Source: Dosovitskiy et al. 2020, arXiv:2010.11929; the mean: Beyer et al. 2022, arXiv:2205.01580.
"""
import minigrad as mg
from minigrad.kinds import expects, whole, wholes

from problems.initialisers import dense, norm, table
from problems.networks.transformer import normed


class ViT:
    """A vision transformer on images (C, H, W).

    image     (C, H, W) of one input       patch   side of a patch, divides H and W
    classes   number of labels             layers, width C', heads (divides it), feedforward

    Parameters  {"patch" {"W" (C patch², C'), "b"}, "P" (patches, C'), "blocks": [{"norm1", "qkv",
                 "out", "norm2", "up", "down"}, ...], "norm", "head" {"W" (C', classes), "b"}}
    """

    batched = False

    @expects(image=wholes(1, 3), patch=whole(1), classes=whole(1), layers=whole(1), width=whole(1),
             heads=whole(1), feedforward=whole(1))
    def __init__(self, image=(3, 32, 32), patch=8, classes=10, layers=2, width=64, heads=4,
                 feedforward=None):
        if image[1] % patch or image[2] % patch:
            raise ValueError(f"ViT: images of {image[1:]} cannot be cut into patches of {patch} x "
                             f"{patch}. Use a divisor of both sides.")
        if width % heads:
            raise ValueError(f"ViT: width {width} cannot be cut into {heads} heads. "
                             "Use a multiple of heads.")
        self.image, self.patch, self.classes = image, patch, classes
        self.layers, self.width, self.heads = layers, width, heads
        self.feedforward = 4 * width if feedforward is None else feedforward
        self.patches = (image[1] // patch) * (image[2] // patch)

    def init(self, rng):
        """Draw the parameters, float64."""
        C, F = self.width, self.feedforward
        params = {"patch": dense(rng, self.image[0] * self.patch**2, C),
                  "P": table(rng, self.patches, C)}
        params["blocks"] = [
            {"norm1": norm(C), "qkv": dense(rng, C, 3 * C), "out": dense(rng, C, C),
             "norm2": norm(C), "up": dense(rng, C, F), "down": dense(rng, F, C)}
            for _ in range(self.layers)]
        params["norm"], params["head"] = norm(C), dense(rng, C, self.classes)
        return params

    def cut(self, x):
        """Images (B, C, H, W) -> rows (B patches, C patch²), patches row by row."""
        B, (C, H, W), p = x.shape[0], self.image, self.patch
        if x.shape[1:] != self.image:
            raise ValueError(f"ViT: images must be (B, {C}, {H}, {W}), got {tuple(x.shape)}.")
        x = mg.reshape(x, shape=(B, C, H // p, p, W // p, p))
        x = mg.transpose(x, axes=(0, 2, 4, 1, 3, 5))
        return mg.reshape(x, shape=(B * self.patches, C * p * p))

    def apply(self, params, x, *, rng=None):
        """Logits (B, classes) of images x (B, C, H, W).

        rng  not used: there is no dropout
        """
        B, C = x.shape[0], self.width
        h = linear(self.cut(x), params["patch"])
        h = mg.reshape(h, shape=(B, self.patches, C)) + params["P"]
        h = mg.reshape(h, shape=(B * self.patches, C))
        for block in params["blocks"]:
            seen = self.attend(linear(normed(h, block["norm1"]), block["qkv"]), B)
            h = h + linear(seen, block["out"])
            h = h + linear(mg.gelu(linear(normed(h, block["norm2"]), block["up"])), block["down"])
        h = mg.reshape(normed(h, params["norm"]), shape=(B, self.patches, C))
        return linear(mg.mean(h, axis=1), params["head"])

    def attend(self, qkv, B):
        """Attention of qkv (B patches, 3C), every patch to all: (B patches, C)."""
        T, H, C = self.patches, self.heads, self.width
        qkv = mg.transpose(mg.reshape(qkv, shape=(B, T, 3, H, C // H)), axes=(2, 0, 3, 1, 4))
        seen = mg.attention(qkv[0], qkv[1], qkv[2])                 # (B, H, T, D)
        return mg.reshape(mg.transpose(seen, axes=(0, 2, 1, 3)), shape=(B * T, C))

    def loss(self, params, batch, *, rng=None):
        """Mean cross-entropy of batch = (images (B, C, H, W), labels (B,))."""
        images, labels = batch
        return mg.softmax_cross_entropy(self.apply(params, images, rng=rng), labels)


def linear(h, layer):
    return mg.linear(h, layer["W"], layer["b"])
