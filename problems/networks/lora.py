"""Low-rank adaptation: a trained transformer stands still, thin factors beside its matrices learn.

    x W + b   becomes   x W + b + (s/r) (x A) B            A (in, r), B (r, out),  r small

B starts at zero, so the adapted network starts as the trained one. The two factors are matrices of
their own, with inputs of their own: x for A, and x A for B.

Source: Hu et al. 2021, arXiv:2106.09685, section 4.1.
"""
import minigrad as mg
from minigrad.arguments import short
from minigrad.backend import xp
from minigrad.kinds import expects, having, real, whole, words

from problems.initialisers import draw

PLACES = ("qkv", "out", "up", "down")


def tree_of_blocks(where, name, value):
    """The parameters of a Transformer."""
    if not isinstance(value, dict) or "blocks" not in value:
        raise TypeError(f"{where}: {name} must be the trained parameters of the Transformer, a dict "
                        f"with blocks, got {short(value)}.")
    return value


class LoRA:
    """A `Transformer` with factors beside the matrices of its blocks; the factors are what is
    trained.

    base     the Transformer     params   its trained parameters, constants from here on
    rank     r                   scale    s
    places   which layers of a block get factors

    Parameters  {"blocks": [{place: {"A" (in, r), "B" (r, out)}, ...}, ...]}
    """

    batched = False

    @expects(base=having("apply"), params=tree_of_blocks, rank=whole(), scale=real, places=words)
    def __init__(self, base, params, rank=4, scale=8.0, places=PLACES):
        unknown = set(places) - set(PLACES)
        if unknown or rank < 1:
            raise ValueError(f"LoRA: rank must be at least 1 and places among {', '.join(PLACES)}, "
                             f"got {rank} and {', '.join(sorted(unknown)) or 'these'}.")
        self.base, self.params, self.rank = base, params, rank
        self.scale, self.places = scale, places

    def init(self, rng):
        """A normal of variance 1/in, B zero; float64."""
        return {"blocks": [{place: self.factors(rng, block[place]["W"]) for place in self.places}
                           for block in self.params["blocks"]]}

    def factors(self, rng, W):
        return {"A": draw(rng, (W.shape[0], self.rank), "normal"),
                "B": xp.zeros((self.rank, W.shape[1]))}

    def merged(self, params):
        """The trained tree with the factors in their layers: what `Transformer.apply` reads."""
        blocks = []
        for block, factors in zip(self.params["blocks"], params["blocks"]):
            blocks.append({name: {**layer, **factors[name], "scale": self.scale / self.rank}
                           if name in factors else layer for name, layer in block.items()})
        return {**self.params, "blocks": blocks}

    def apply(self, params, x, *, rng=None):
        """Logits (B, T, V) of tokens x (B, T)."""
        return self.base.apply(self.merged(params), x, rng=rng)

    def loss(self, params, batch, *, rng=None):
        """Mean cross-entropy in nats of batch = (tokens (B, T), next tokens (B, T))."""
        tokens, following = batch
        return mg.softmax_cross_entropy(self.apply(params, tokens, rng=rng), following)
