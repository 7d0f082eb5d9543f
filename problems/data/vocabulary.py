"""Symbols and numbers: a text as integers, cut into windows for a next-symbol model."""

import numpy as np

from minigrad.backend import to_host, xp
from minigrad.kinds import expects, whole
from minigrad.kinds import tokens as some_tokens

from .dataset import Split


class Vocabulary:
    """The distinct symbols of a text, numbered from 0: characters of a string, or words.

    symbols  a string (character level) or a list of words (word level), in the wanted order

    len(vocabulary) is V; encode and decode are each other's inverse.
    """

    def __init__(self, symbols):
        if not isinstance(symbols, (str, list, tuple)):
            raise TypeError(f"Vocabulary: symbols must be a string or a list of words, got "
                            f"{type(symbols).__name__}.")
        self.symbols = tuple(symbols)
        self.index = {symbol: i for i, symbol in enumerate(self.symbols)}
        self.joint = "" if isinstance(symbols, str) else " "
        if len(self.index) < len(self.symbols):
            twice = next(s for i, s in enumerate(self.symbols) if self.index[s] != i)
            raise ValueError(f"Vocabulary: {twice!r} occurs twice. Give each symbol once.")

    def __len__(self):
        return len(self.symbols)

    def encode(self, text):
        """Tokens (N,) int64, on the host, of a string of characters or a list of words."""
        try:
            return np.array([self.index[symbol] for symbol in text], np.int64)
        except KeyError as missing:
            raise ValueError(
                f"encode: {missing.args[0]!r} is not among the {len(self)} symbols. "
                "Leave it out, or build the vocabulary from a text that has it.") from None

    def decode(self, tokens):
        """The text of tokens (N,): characters joined, words joined by blanks."""
        tokens = to_host(tokens)
        if len(tokens) and not (0 <= tokens.min() and tokens.max() < len(self)):
            raise ValueError(f"decode: tokens must lie in [0, {len(self)}), got "
                             f"{tokens.min()} to {tokens.max()}. Use the text's own vocabulary.")
        return self.joint.join(self.symbols[i] for i in tokens)


@expects(tokens=some_tokens, context=whole())
def windows(tokens, context):
    """Non-overlapping windows and their next symbols: (N,) to inputs and targets (n, T).

        inputs[i]  = tokens[iT : iT + T],   targets[i] = tokens[iT + 1 : iT + T + 1],   T = context

    n = floor((N - 1) / T): the last symbol that has no successor, and what does not fill a
    window, are left out.
    """
    n = (len(tokens) - 1) // context if context > 0 else 0
    if n < 1:
        raise ValueError(f"windows: a context of {context} does not fit into {len(tokens)} tokens. "
                         "Use a context from 1 to one less than the tokens.")
    return (tokens[:n * context].reshape(n, context),
            tokens[1:n * context + 1].reshape(n, context))


def text_split(tokens, context):
    """The windows of a host token array as a Split on the backend."""
    return Split(*map(xp.asarray, windows(tokens, context)))
