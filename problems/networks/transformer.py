"""Decoder-only transformer: predict the next token from those before it.

With LN a layer norm, C channels, and tokens embedded as rows,

    h <- E[tokens] + P[0..T-1]                                   embedding and learned positions
    each block:   h <- h + attention(LN(h)) W_out                every position looks back
                  h <- h + gelu(LN(h) W_up) W_down               each position by itself
    logits = LN(h) W_head                                        (+ biases, everywhere)

    attention: q, k, v = LN(h) W_qkv, cut into H heads of D = C / H channels,
               row t of a head = sum_{s <= t} softmax_s(q_t . k_s / sqrt(D)) v_s

Norms stand before their layer ("pre-norm"). In training, dropout acts at four places: on the
embeddings, on the attention weights, on the attention's output, and on the feed-forward output.

Source: architecture and initial values of the text experiment in arXiv:2509.03594 (its code, flax
defaults): truncated-normal kernels of variance 1/fan_in, embeddings N(0, 1/C), tanh-gelu.
"""
import minigrad as mg
from minigrad.kinds import expects, real, whole

from problems.initialisers import dense, norm, table
from problems.sampling import rows_of_tokens, sample

NORM_EPS = 1e-6


class Transformer:
    """A decoder-only transformer over a vocabulary of V tokens.

    vocabulary V   layers   width C   heads H (must divide C)   context: longest T it can read
    feedforward    width of the hidden feed-forward layer (default 4 C)
    dropout        probability of dropping, in training only (when an rng is given)
    tied           use E^T as output matrix, without bias, in place of a head of its own

    Parameters  {"E" (V, C), "P" (context, C), "blocks": [...], "norm", "head" {"W" (C, V), "b"}}
    with blocks {"norm1", "qkv", "out", "norm2", "up", "down"}; qkv is one matrix (C, 3C)
    """

    batched = False

    @expects(vocabulary=whole(1), layers=whole(1), width=whole(1), heads=whole(1), context=whole(1),
             feedforward=whole(1), dropout=real)
    def __init__(self, vocabulary, layers=4, width=128, heads=4, context=64, feedforward=None,
                 dropout=0.0, tied=False):
        if width % heads:
            raise ValueError(f"Transformer: width {width} cannot be cut into {heads} heads. "
                             "Use a multiple of heads.")
        if not 0.0 <= dropout < 1.0:
            raise ValueError(f"Transformer: dropout must lie in [0, 1), got {dropout}.")
        self.vocabulary, self.layers, self.width = vocabulary, layers, width
        self.heads, self.context, self.dropout, self.tied = heads, context, dropout, tied
        self.feedforward = 4 * width if feedforward is None else feedforward

    def init(self, rng):
        """Draw the parameters, float64."""
        C, F = self.width, self.feedforward
        params = {"E": table(rng, self.vocabulary, C), "P": table(rng, self.context, C)}
        params["blocks"] = [
            {"norm1": norm(C), "qkv": dense(rng, C, 3 * C), "out": dense(rng, C, C),
             "norm2": norm(C), "up": dense(rng, C, F), "down": dense(rng, F, C)}
            for _ in range(self.layers)]
        params["norm"] = norm(C)
        if not self.tied:
            params["head"] = dense(rng, C, self.vocabulary)
        return params

    def apply(self, params, x, *, rng=None):
        """Logits (B, T, V) of tokens x (B, T): row t scores the token that follows x[:, t].

        rng      draws the dropout masks in training; None in evaluation: nothing is dropped
        """
        B, T = rows_of_tokens("Transformer", x)
        if T > self.context:
            raise ValueError(f"Transformer: {T} tokens are more than its context of "
                             f"{self.context}. Cut the text, or build it with a longer context.")

        def drop(h):
            return mg.dropout(h, rate=self.dropout, rng=rng)

        h = drop(mg.embedding(params["E"], x) + params["P"][:T])
        h = mg.reshape(h, shape=(B * T, self.width))        # rows: every product is one of matrices
        for k, block in enumerate(params["blocks"]):
            inside = self.normed(h, block["norm1"], f"{k}.norm1")
            attended = self.attend(linear(inside, block["qkv"]), B, rng)
            h = h + drop(linear(attended, block["out"]))
            up = linear(self.normed(h, block["norm2"], f"{k}.norm2"), block["up"])
            h = h + drop(linear(mg.gelu(up), block["down"]))
        h = self.normed(h, params["norm"], "norm")
        if self.tied:
            logits = mg.matmul(h, mg.transpose(params["E"]))
        else:
            logits = linear(h, params["head"])
        return mg.reshape(logits, shape=(B, T, self.vocabulary))

    def normed(self, h, layer, name):
        """LN(h) of rows h (B T, C); `name` says which norm it is, to who puts another in its place.
        """
        return normed(h, layer)

    def attend(self, qkv, B, rng):
        """Causal attention of qkv (B T, 3C), all heads: (B T, C)."""
        BT, C = qkv.shape[0], self.width
        mask = None
        if rng is not None and self.dropout:
            mask = mg.dropout_mask((B, self.heads, BT // B, BT // B), qkv.dtype, self.dropout, rng)
        qkv = mg.reshape(qkv, shape=(B, BT // B, 3 * C))
        seen = mg.self_attention(qkv, heads=self.heads, mask=mask)
        return mg.reshape(seen, shape=(BT, C))

    def loss(self, params, batch, *, rng=None):
        """Mean cross-entropy in nats of batch = (tokens (B, T), next tokens (B, T))."""
        tokens, following = batch
        return mg.softmax_cross_entropy(self.apply(params, tokens, rng=rng), following)

    def sample(self, params, prompt, count, rng, temperature=1.0):
        """Continue the tokens of `prompt` by `count` more: see `problems.sampling`."""
        return sample(self, params, prompt, count, rng, temperature)


def linear(h, layer):
    """h W + b, and what low-rank factors beside W add (see `lora`)."""
    y = mg.linear(h, layer["W"], layer["b"])
    if "A" in layer:
        y = y + mg.matmul(mg.matmul(h, layer["A"]), layer["B"]) * layer["scale"]
    return y


def normed(h, layer):
    return mg.layer_norm(h, layer["gain"], layer["shift"], eps=NORM_EPS)
