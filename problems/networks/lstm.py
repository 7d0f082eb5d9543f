"""LSTM language model: read the tokens one by one, predict each next one from the state.

    x_t = E[token_t],     h^1 = lstm(x),  h^2 = lstm(h^1), ...,     logits_t = h^L_t W + b

With tied weights W = E^T, so a token scores high when its embedding points along the state. One
layer of all time steps is one operation, `minigrad.lstm`, which also gives the formula of the
cell.
"""
import math

import minigrad as mg
from minigrad.backend import xp
from minigrad.kinds import expects, real, whole

from problems.initialisers import dense, draw, table
from problems.sampling import rows_of_tokens, sample


class LSTM:
    """A recurrent language model over a vocabulary of V tokens.

    vocabulary V   width: of the embedding, I   hidden: units of each layer, H   layers
    context        tokens read again for each sampled one (training windows may have any length)
    tied           use E^T as output matrix (needs width = hidden), with a bias of its own
    dropout        on the embeddings and on each layer's output, in training only
    init           "uniform": recurrent weights and biases on +-1 / sqrt(H), as torch has it;
                   "lecun": truncated normals of variance 1/fan_in and zero biases

    Parameters  {"E" (V, I), "layers": [{"W" (I, 4H), "U" (H, 4H), "b" (4H,)}, ...],
                 "head" {"W" (H, V), "b" (V,)}, without "W" when tied}
    """

    batched = False

    @expects(vocabulary=whole(1), width=whole(1), hidden=whole(1), layers=whole(1), context=whole(1),
             dropout=real)
    def __init__(self, vocabulary, width=128, hidden=128, layers=1, context=64, tied=False,
                 dropout=0.0, init="uniform"):
        if tied and width != hidden:
            raise ValueError(f"LSTM: tied weights need width = hidden, got {width} and {hidden}.")
        if init not in ("uniform", "lecun"):
            raise ValueError(f"LSTM: unknown init {init!r}. Use one of uniform, lecun.")
        if not 0.0 <= dropout < 1.0:
            raise ValueError(f"LSTM: dropout must lie in [0, 1), got {dropout}.")
        self.vocabulary, self.width, self.hidden = vocabulary, width, hidden
        self.layers, self.context, self.tied = layers, context, tied
        self.dropout, self.rule = dropout, init

    def init(self, rng):
        """Draw the parameters, float64."""
        H = self.hidden
        params = {"E": table(rng, self.vocabulary, self.width), "layers": []}
        for k in range(self.layers):
            width_in = self.width if k == 0 else H
            params["layers"].append({"W": self.cell(rng, (width_in, 4 * H)),
                                     "U": self.cell(rng, (H, 4 * H)),
                                     "b": self.cell(rng, (4 * H,))})
        params["head"] = dense(rng, H, self.vocabulary, self.rule)
        if self.tied:
            del params["head"]["W"]
        return params

    def cell(self, rng, shape):
        """One array of a layer, by the rule."""
        if self.rule == "uniform":
            bound = 1.0 / math.sqrt(self.hidden)
            return xp.asarray(rng.uniform(-bound, bound, shape))
        return xp.zeros(shape) if len(shape) == 1 else draw(rng, shape, self.rule)

    def apply(self, params, x, *, rng=None):
        """Logits (B, T, V) of tokens x (B, T), starting from zero states.

        rng      draws the dropout masks in training; None in evaluation
        """
        return mg.transpose(self.logits(params, x, rng), axes=(1, 0, 2))

    def logits(self, params, x, rng=None):
        """The same with time first, (T, B, V): the order in which they are computed."""
        B, T = rows_of_tokens("LSTM", x)
        h = mg.embedding(params["E"], x.T)                      # (T, B, I)
        zero = xp.zeros((B, self.hidden), dtype=h.dtype)
        for layer in params["layers"]:
            h = self.drop(h, rng)
            y = mg.lstm(h, layer["W"], layer["U"], layer["b"], zero, zero)
            h = y[0]
        rows = mg.reshape(self.drop(h, rng), shape=(T * B, self.hidden))
        W = mg.transpose(params["E"]) if self.tied else params["head"]["W"]
        return mg.reshape(mg.linear(rows, W, params["head"]["b"]),
                          shape=(T, B, self.vocabulary))

    def drop(self, h, rng):
        return mg.dropout(h, rate=self.dropout, rng=rng)

    def loss(self, params, batch, *, rng=None):
        """Mean cross-entropy in nats of batch = (tokens (B, T), next tokens (B, T))."""
        tokens, following = batch
        return mg.softmax_cross_entropy(self.logits(params, tokens, rng), following.T)

    def sample(self, params, prompt, count, rng, temperature=1.0):
        """Continue the tokens of `prompt` by `count` more: see `problems.sampling`."""
        return sample(self, params, prompt, count, rng, temperature)
