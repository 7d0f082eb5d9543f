"""The entropy of the grammar text in closed form: bits a character of an endless text.

    h = H / E[n],    H = bits of the choices in a line,    E[n] = characters of a line

A line comes about in one way only, so the bits of its choices are its information; lines are
independent, so the rate of the text is the ratio of the two means. Either mean is that of a
recursion: a noun phrase may hold a noun phrase, a bracket a bracket. The text that `grammar_text`
writes has an information of its own, a sample that scatters about h.
"""
import math

from .grammar import (ACTS, ADJECTIVE, ADJECTIVES, BRACKET, DEEPEST, DIGITS, GOES_ON, KIND, LENGTH,
                      LETTER, NATURAL, NOUNS, NUMBER, OBJECT, OPENS, SEES, SIGN, TALLEST, THAT)


def entropy_rate():
    """Bits a character: 0.66969."""
    means = {kind: mean() for kind, mean in (("sentence", sentence), ("arithmetic", arithmetic),
                                             ("brackets", brackets), ("reversal", reversal))}
    p = {kind: 2.0**-bits for kind, bits in zip(KIND.options, KIND.bits)}
    bits = entropy(KIND) + sum(p[kind] * means[kind][0] for kind in p)
    characters = 1 + sum(p[kind] * means[kind][1] for kind in p)        # 1: the newline
    return bits / characters


def entropy(choices):
    """Sum of -p log2 p."""
    return sum(2.0**-b * b for b in choices.bits)


def chance(choices):
    """P(True)"""
    return 2.0**-choices.bits[choices.options.index(True)]


def letters(choices):
    """Mean length of the word chosen; of a pair (singular, plural), either form half the time."""
    forms = [option if isinstance(option, tuple) else (option,) for option in choices.options]
    return sum(2.0**-b * sum(map(len, form)) / len(form) for b, form in zip(choices.bits, forms))


def noun_phrase(depth=0):
    """(bits, characters) of: the [adjective] noun [that noun-phrase verb]."""
    adjective, clause = chance(ADJECTIVE), chance(THAT)
    bits = (entropy(ADJECTIVE) + adjective * entropy(ADJECTIVES) + entropy(NUMBER) + entropy(NOUNS))
    characters = len("the ") + adjective * (letters(ADJECTIVES) + 1) + letters(NOUNS)
    if depth < DEEPEST:
        inner_bits, inner = noun_phrase(depth + 1)
        bits += entropy(THAT) + clause * (inner_bits + entropy(SEES))
        characters += clause * (len(" that ") + inner + 1 + letters(SEES))
    return bits, characters


def sentence():
    """Noun phrase, then a verb with an object or one without, and a full stop."""
    (bits, characters), with_object = noun_phrase(), chance(OBJECT)
    return (bits + entropy(OBJECT) + with_object * (entropy(SEES) + bits)
            + (1 - with_object) * entropy(ACTS),
            characters + 1 + with_object * (letters(SEES) + 1 + characters)
            + (1 - with_object) * letters(ACTS) + 1)


def arithmetic():
    """a+b=c or a-b=c; c follows from the rest."""
    numbers = [(2.0**-bits / len(NATURAL[d].options), value, len(str(value)))
               for d, bits in zip(DIGITS.options, DIGITS.bits) for value in NATURAL[d].options]
    bits = 2 * (entropy(DIGITS) + sum(2.0**-b * entropy(NATURAL[d])
                                      for d, b in zip(DIGITS.options, DIGITS.bits))) + entropy(SIGN)
    result = sum(p * q * (len(str(a + b)) + len(str(a - b))) / 2
                 for p, a, _ in numbers for q, b, _ in numbers)
    return bits, 2 * sum(p * length for p, _, length in numbers) + len("+=") + result


def brackets():
    """Groups side by side; at depth d < TALLEST another bracket opens with chance `OPENS`.

        V(d) = (entropy(OPENS) + p (one bracket + V(d + 1))) / (1 - p),   V(TALLEST) = 0

    is what comes between standing at depth d and closing it.
    """
    p, inside_bits, inside_pairs = chance(OPENS), 0.0, 0.0
    for _ in range(TALLEST - 1):
        inside_bits = (entropy(OPENS) + p * (entropy(BRACKET) + inside_bits)) / (1 - p)
        inside_pairs = p * (1 + inside_pairs) / (1 - p)
    groups = 1 / (1 - chance(GOES_ON))
    return (groups * (entropy(BRACKET) + inside_bits + entropy(GOES_ON)),
            groups * 2 * (1 + inside_pairs))


def reversal():
    """A string, a bar, the string again."""
    n = sum(2.0**-b * length for b, length in zip(LENGTH.bits, LENGTH.options))
    return entropy(LENGTH) + n * entropy(LETTER), 2 * n + 1
