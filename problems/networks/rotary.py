"""A decoder whose attention knows distances, not places: rotary positions, parallel blocks.

    each block:   h <- h + attention(LN_1(h)) W_out + gelu(LN_2(h) W_up) W_down
    logits = LN(h) W_head

    attention: of each head's D channels the first R are turned by an angle that grows with the
    place t, in planes (i, i + R/2):
        (a, b) -> (a cos tω_i - b sin tω_i,  a sin tω_i + b cos tω_i),   ω_i = base^{-2i/R}
    so q_t · k_s depends on t - s only.

Source: rotation: Su et al. 2021, arXiv:2104.09864, eq. 34; parallel block, R = D/4 and untied head:
GPT-NeoX, arXiv:2204.06745, whose small relatives the Pythia models are. Differs: no weight decay
groups, initial values as in `transformer`.
"""
import numpy as np

import minigrad as mg
from minigrad.backend import xp
from minigrad.kinds import expects, positive, whole

from problems.initialisers import dense, norm, table
from problems.sampling import rows_of_tokens, sample

NORM_EPS = 1e-5


class Rotary:
    """A decoder-only transformer over V tokens.

    vocabulary V   layers   width C   heads (must divide C)   context: longest T it can read
    share     of a head's channels that are turned (1/4); R is the even number nearest below
    base      of the angles

    Parameters  {"E" (V, C), "blocks": [{"norm1", "qkv", "out", "norm2", "up", "down"}], "norm",
                 "head" {"W" (C, V), "b"}}
    """

    batched = False

    @expects(vocabulary=whole(1), layers=whole(1), width=whole(1), heads=whole(1), context=whole(1),
             share=positive, base=positive)
    def __init__(self, vocabulary, layers=2, width=64, heads=4, context=64, share=0.25,
                 base=10_000.0):
        if width % heads:
            raise ValueError(f"Rotary: width {width} cannot be cut into {heads} heads. "
                             "Use a multiple of heads.")
        self.vocabulary, self.layers, self.width = vocabulary, layers, width
        self.heads, self.context = heads, context
        self.turned = int(share * (width // heads)) // 2 * 2
        if not share <= 1:
            raise ValueError(f"Rotary: share must lie in (0, 1], got {share}.")
        if self.turned < 2:
            raise ValueError(f"Rotary: share {share} of {width // heads} channels leaves none to "
                             "turn. Use a larger share, or fewer heads.")
        angles = np.arange(context)[:, None] * base ** (-2.0 * np.arange(self.turned // 2)
                                                        / self.turned)
        self.cos, self.sin = np.cos(angles), np.sin(angles)                     # (context, R/2)

    def init(self, rng):
        """Draw the parameters, float64."""
        C = self.width
        return {"E": table(rng, self.vocabulary, C),
                "blocks": [{"norm1": norm(C), "qkv": dense(rng, C, 3 * C), "out": dense(rng, C, C),
                            "norm2": norm(C), "up": dense(rng, C, 4 * C),
                            "down": dense(rng, 4 * C, C)} for _ in range(self.layers)],
                "norm": norm(C), "head": dense(rng, C, self.vocabulary)}

    def apply(self, params, x, *, rng=None):
        """Logits (B, T, V) of tokens x (B, T): row t scores the token that follows x[:, t]."""
        B, T = rows_of_tokens("Rotary", x)
        if T > self.context:
            raise ValueError(f"Rotary: {T} tokens are more than its context of {self.context}. "
                             "Cut the text, or build it with a longer context.")
        h = mg.reshape(mg.embedding(params["E"], x), shape=(B * T, self.width))
        for block in params["blocks"]:
            seen = self.attend(linear(normed(h, block["norm1"]), block["qkv"]), B, T)
            up = mg.gelu(linear(normed(h, block["norm2"]), block["up"]))
            h = h + linear(seen, block["out"]) + linear(up, block["down"])
        logits = linear(normed(h, params["norm"]), params["head"])
        return mg.reshape(logits, shape=(B, T, self.vocabulary))

    def attend(self, qkv, B, T):
        """Causal attention of qkv (B T, 3C), queries and keys turned: (B T, C)."""
        H, D = self.heads, self.width // self.heads
        qkv = mg.transpose(mg.reshape(qkv, shape=(B, T, 3, H, D)), axes=(2, 0, 3, 1, 4))
        seen = mg.attention(self.turn(qkv[0]), self.turn(qkv[1]), qkv[2], causal=True)
        return mg.reshape(mg.transpose(seen, axes=(0, 2, 1, 3)), shape=(B * T, self.width))

    def turn(self, q):
        """The first R channels of q (B, H, T, D), turned by their places."""
        T, half = q.shape[2], self.turned // 2
        cos, sin = (xp.asarray(a[:T], dtype=q.dtype) for a in (self.cos, self.sin))
        a, b, rest = q[..., :half], q[..., half:2 * half], q[..., 2 * half:]
        return mg.concatenate([a * cos - b * sin, a * sin + b * cos, rest], axis=-1)

    def loss(self, params, batch, *, rng=None):
        """Mean cross-entropy in nats of batch = (tokens (B, T), next tokens (B, T))."""
        tokens, following = batch
        return mg.softmax_cross_entropy(self.apply(params, tokens), following)

    def sample(self, params, prompt, count, rng, temperature=1.0):
        """Continue the tokens of `prompt` by `count` more: see `problems.sampling`."""
        return sample(self, params, prompt, count, rng, temperature)


def linear(h, layer):
    return mg.linear(h, layer["W"], layer["b"])


def normed(h, layer):
    return mg.layer_norm(h, layer["gain"], layer["shift"], eps=NORM_EPS)
