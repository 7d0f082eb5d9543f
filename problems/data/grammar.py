"""Grammar text: lines whose exact entropy is known, so that a text model has a floor to reach.

Four kinds of line, ended by a newline, with their probabilities:

    0.55  a sentence     the king that the old dogs know wanders.   verbs agree with their noun
    0.20  arithmetic     47-9=38                                    one and two digits
    0.15  brackets       ([]{})()                                   three sorts, up to 4 deep
    0.10  a reversal     bad|dab                                    3 to 6 letters

While it writes, `grammar_text` adds up -log2 p of every random choice. A line can come about in
one way only (each choice shows in the next word or symbol), so the sum is the exact information
in the text, and divided by its length it is the **loss floor**: the score of a model that knows
the rules, below which none can expect to get. A model that sees only the last few characters
misses the agreement across clauses, the sums, the brackets to close and the reversal; that is
the room between the best n-gram and the floor. Measured with 400,000 characters to learn from and
40,000 to score, seeds 0 to 2: floor 0.66 to 0.67 bits per character, 6-gram 0.91 to 0.92.
"""

import math
from bisect import bisect_right
from itertools import accumulate

import numpy as np

from minigrad.arguments import generator
from minigrad.kinds import expects, source, whole

from .dataset import Dataset
from .vocabulary import Vocabulary, text_split


class Choices:
    """A distribution over finitely many options: option i has p = weights[i] / their sum."""

    def __init__(self, options, weights=None):
        weights = weights or [1] * len(options)
        total = sum(weights)
        self.options = options
        self.bits = [-math.log2(w / total) for w in weights]
        self.cumulative = [c / total for c in accumulate(weights)][:-1]


def zipf(words):
    """The r-th word of the list, from 1, has weight 1 / r."""
    return Choices(words, [1 / r for r in range(1, len(words) + 1)])


def yes(p):
    return Choices((True, False), [p, 1 - p])


# A noun or verb is (singular, plural): "the cat runs", "the cats run".
NOUNS = zipf([(word, word + "s") for word in (
    "farmer teacher soldier painter doctor writer king baker sister brother neighbour "
    "dog cat horse friend student singer sailor miller hunter guest wizard").split()])
SEES = zipf([(word + "s", word) for word in  # takes an object
             "follow remember greet visit help know admire thank trust call".split()])
ACTS = zipf([(word + "s", word) for word in  # takes none
             "wander listen laugh sleep sing wait smile dance".split()])
ADJECTIVES = zipf("young clever gentle old brave tall silent proud weary kind".split())

KIND = Choices(("sentence", "arithmetic", "brackets", "reversal"), [0.55, 0.20, 0.15, 0.10])
NUMBER = Choices((0, 1))  # singular, plural
ADJECTIVE, OBJECT = yes(0.6), yes(0.6)
THAT, DEEPEST = yes(0.2), 3  # a noun carries a clause, unless it is already DEEPEST clauses down
DIGITS, SIGN = Choices((1, 2), [0.75, 0.25]), Choices("+-")
NATURAL = {1: Choices(range(10)), 2: Choices(range(10, 100))}
BRACKET, OPENS, GOES_ON, TALLEST = Choices(("()", "[]", "{}")), yes(0.4), yes(0.25), 4
LENGTH, LETTER = Choices((3, 4, 5, 6)), Choices("abcdef")

SYMBOLS = "\n .+-=|()[]{}0123456789abcdefghiklmnoprstuvwyz"


def load(seed=0, n_train=400_000, n_valid=40_000, n_test=40_000, context=64):
    """Grammar text of one seed as a Dataset of windows; the parts come from three streams of it.

    n_*      characters of each part, to the next end of line
    context  T, length of a window

    inputs, targets (N, T) int64; facts["floor_bits"] the entropy per character of the test part,
    facts["floor_nats"] the same as a cross-entropy, facts["tokens"] the three token arrays.
    Both are floors for a model that has read the whole line: a window that begins inside a
    line hides its beginning, so short windows cost a little more.
    """
    vocabulary = Vocabulary(SYMBOLS)
    tokens, bits = {}, {}
    for stream, (part, n) in enumerate([("train", n_train), ("valid", n_valid), ("test", n_test)]):
        text, total = grammar_text(np.random.default_rng([seed, stream]), n)
        tokens[part], bits[part] = vocabulary.encode(text), total / len(text)
    splits = {part: text_split(tokens[part], context) for part in tokens}
    return Dataset("grammar", **splits, vocabulary=vocabulary,
                   about=f"grammar text, generated (seed {seed})",
                   facts={"floor_bits": bits["test"], "floor_nats": bits["test"] * math.log(2),
                          "tokens": tokens})


@expects(rng=source, n=whole(1))
def grammar_text(rng, n):
    """Whole lines of at least n characters, and -log2 of their probability: (text, bits)."""
    generator("grammar_text", rng)
    writer = Writer(rng)
    lines, length = [], 0
    while length < n:
        line = getattr(writer, writer.pick(KIND))() + "\n"
        lines.append(line)
        length += len(line)
    return "".join(lines), writer.bits


class Writer:
    """Makes the choices and keeps the account: `bits` is -log2 of their joint probability."""

    def __init__(self, rng):
        self.rng = rng
        self.bits = 0.0

    def pick(self, choices):
        i = bisect_right(choices.cumulative, self.rng.random())
        self.bits += choices.bits[i]
        return choices.options[i]

    def sentence(self):
        """noun phrase, then a verb in its number, with an object or without."""
        subject, number = self.noun_phrase(0)
        if self.pick(OBJECT):
            return f"{subject} {self.pick(SEES)[number]} {self.noun_phrase(0)[0]}."
        return f"{subject} {self.pick(ACTS)[number]}."

    def noun_phrase(self, depth):
        """the [adjective] noun [that noun-phrase verb]: the words, and the noun's number.

        The verb of the clause agrees with the noun phrase inside the clause.
        """
        adjective = self.pick(ADJECTIVES) + " " if self.pick(ADJECTIVE) else ""
        number = self.pick(NUMBER)
        words = f"the {adjective}{self.pick(NOUNS)[number]}"
        if depth < DEEPEST and self.pick(THAT):
            inner, inner_number = self.noun_phrase(depth + 1)
            words += f" that {inner} {self.pick(SEES)[inner_number]}"
        return words, number

    def arithmetic(self):
        """a+b=c or a-b=c, with a and b of one or two digits; c may be negative."""
        a, b = (self.pick(NATURAL[self.pick(DIGITS)]) for _ in range(2))
        sign = self.pick(SIGN)
        return f"{a}{sign}{b}={a + b if sign == '+' else a - b}"

    def brackets(self):
        """A balanced line: inside, the next symbol opens or closes; outside, it opens or ends."""
        line, closers = "", []
        while True:
            if not closers:
                opens = not line or self.pick(GOES_ON)
            else:
                opens = len(closers) < TALLEST and self.pick(OPENS)
            if opens:
                pair = self.pick(BRACKET)
                line += pair[0]
                closers.append(pair[1])
            elif closers:
                line += closers.pop()
            else:
                return line

    def reversal(self):
        """A string, a bar, the string read backwards."""
        string = "".join(self.pick(LETTER) for _ in range(self.pick(LENGTH)))
        return f"{string}|{string[::-1]}"
