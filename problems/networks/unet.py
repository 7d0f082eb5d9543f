"""U-Net: an image goes down to a coarse one and up again, with bridges at every size.

    h_0 = double(x),     h_k = double(pool(h_{k-1}))                     down, k = 1 ... L
    u_L = h_L,           u_{k-1} = double(up(u_k) beside h_{k-1})        up
    y = 1 x 1 convolution of u_0

    double(h) = relu(conv 3x3(relu(conv 3x3(h)))),   up: every pixel becomes 2 x 2 equal ones

Level k has width · 2^k channels. Source: Ronneberger et al. 2015, arXiv:1505.04597, figure 1.
Differs from the paper: convolutions keep the size (the paper crops), and the way up repeats pixels
and leaves the learning to the 3 x 3 convolution behind (the paper learns a 2 x 2 one).
"""
import minigrad as mg
from minigrad.kinds import expects, whole

from problems.initialisers import convolution, rule_of


class UNet:
    """An image-to-image network with mean squared error.

    channels  of the image     width  channels of the first level     levels  number L of halvings
    init      rule of `problems.initialisers`

    Parameters  {"down": [pair, ...], "up": [pair, ...], "head" {"K", "b"}}, a pair
                {"a" {"K", "b"}, "b" {"K", "b"}}; "up" from the coarsest level to the finest
    """

    batched = False

    @expects(channels=whole(1), width=whole(1), levels=whole(), init=rule_of)
    def __init__(self, channels=1, width=8, levels=2, init="he"):
        if levels < 1:
            raise ValueError(f"UNet: needs at least one level, got {levels}.")
        self.channels, self.width, self.levels, self.rule = channels, width, levels, init

    def init(self, rng):
        """Draw the parameters, float64."""
        def pair(n_in, n_out):
            return {"a": convolution(rng, n_in, n_out, 3, self.rule),
                    "b": convolution(rng, n_out, n_out, 3, self.rule)}

        widths = [self.width * 2**k for k in range(self.levels + 1)]
        down = [pair(a, b) for a, b in zip([self.channels, *widths], widths)]
        up = [pair(b + a, a) for a, b in zip(widths[-2::-1], widths[:0:-1])]
        return {"down": down, "up": up,
                "head": convolution(rng, widths[0], self.channels, 1, self.rule)}

    def apply(self, params, x, *, rng=None):
        """Images (B, C, H, W) of images (B, C, H, W), H and W multiples of 2^levels."""
        if x.shape[2] % 2**self.levels or x.shape[3] % 2**self.levels:
            raise ValueError(f"UNet: images of {x.shape[2:]} cannot be halved {self.levels} times. "
                             f"Use sides that are multiples of {2**self.levels}.")
        h, bridges = mg.transpose(x, axes=(0, 2, 3, 1)), []
        for k, pair in enumerate(params["down"]):
            h = double(mg.max_pool(h, size=2) if k else h, pair)
            bridges.append(h)
        bridges.pop()
        for pair in params["up"]:
            h = double(mg.concatenate([doubled(h), bridges.pop()], axis=-1), pair)
        y = mg.conv2d(h, params["head"]["K"], params["head"]["b"])
        return mg.transpose(y, axes=(0, 3, 1, 2))

    def loss(self, params, batch, *, rng=None):
        """Mean squared error over batch = (images, wanted images), both (B, C, H, W)."""
        return mg.mean(self.losses(params, batch))

    def losses(self, params, batch):
        """The mean squared error of each image: (B,)."""
        x, wanted = batch
        if wanted.shape != x.shape:
            raise ValueError(f"UNet: the wanted images have shape {tuple(wanted.shape)}, the images "
                             f"{tuple(x.shape)}. They must be alike.")
        return mg.mean((self.apply(params, x) - wanted) ** 2, axis=(1, 2, 3))


def double(h, pair):
    for name in "a", "b":
        h = mg.relu(mg.conv2d(h, pair[name]["K"], pair[name]["b"], padding=1))
    return h


def doubled(h):
    """Every pixel of h (B, H, W, C) becomes 2 x 2 equal ones."""
    B, H, W, C = h.shape
    h = mg.broadcast_to(mg.reshape(h, shape=(B, H, 1, W, 1, C)), shape=(B, H, 2, W, 2, C))
    return mg.reshape(h, shape=(B, 2 * H, 2 * W, C))
