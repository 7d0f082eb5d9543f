"""Grammar text: the entropy account against a parser, the rules, the n-gram scores.

The oracle reads a line without knowing how it was drawn and adds up the probabilities of what it
sees; it shares only the table of words with the generator.
"""

import itertools
import math
import re

import numpy as np
import pytest

from minigrad.backend import to_host
from problems import data
from problems.data.grammar import ACTS, ADJECTIVES, NOUNS, SEES, SYMBOLS, grammar_text
from problems.data.ngram import ngram_bits

LEARN, SCORE = 400_000, 40_000


def zipf_p(words, rank):
    return 1 / (rank + 1) / sum(1 / r for r in range(1, len(words.options) + 1))


def read_noun_phrase(words, depth):
    """p of a noun phrase at the head of `words`, and its number; the words read are removed."""
    assert words.pop(0) == "the"
    p = 0.4
    if words[0] in ADJECTIVES.options:
        p = 0.6 * zipf_p(ADJECTIVES, ADJECTIVES.options.index(words.pop(0)))
    noun = words.pop(0)
    rank, number = next((r, pair.index(noun)) for r, pair in enumerate(NOUNS.options)
                        if noun in pair)
    p *= 0.5 * zipf_p(NOUNS, rank)
    if words and words[0] == "that":
        words.pop(0)
        inner, inner_number = read_noun_phrase(words, depth + 1)
        return p * 0.2 * inner * read_verb(words, SEES, inner_number), number
    return p * (0.8 if depth < 3 else 1.0), number


def read_verb(words, verbs, number):
    verb = words.pop(0)
    rank = next(r for r, pair in enumerate(verbs.options) if pair[number] == verb)  # agreement
    return zipf_p(verbs, rank)


def read_line(line):
    """Probability of a line."""
    if line.endswith("."):
        words = line[:-1].split(" ")
        p, number = read_noun_phrase(words, 0)
        if any(words[0] in pair for pair in SEES.options):
            p *= 0.6 * read_verb(words, SEES, number) * read_noun_phrase(words, 0)[0]
        else:
            p *= 0.4 * read_verb(words, ACTS, number)
        assert not words
        return 0.55 * p
    if sums := re.fullmatch(r"(\d\d?)([+-])(\d\d?)=(-?\d+)", line):
        a, sign, b, c = sums.groups()
        assert int(c) == (int(a) + int(b) if sign == "+" else int(a) - int(b))
        return 0.20 * math.prod(0.75 / 10 if len(s) == 1 else 0.25 / 90 for s in (a, b)) / 2
    if set(line) <= set("()[]{}"):
        p, closers = 0.15, []
        for i, symbol in enumerate(line):
            opens = symbol in "([{"
            if not closers:
                p *= 1 if i == 0 else 0.25
                assert opens
            elif len(closers) < 4:
                p *= 0.4 if opens else 0.6
            if opens:
                p /= 3
                closers.append(")]}"["([{".index(symbol)])
            else:
                assert closers.pop() == symbol
        assert not closers
        return p * 0.75
    string, mirrored = line.split("|")
    assert mirrored == string[::-1] and 3 <= len(string) <= 6
    return 0.10 / 4 / 6 ** len(string)


@pytest.mark.parametrize("seed", range(3))
def test_the_account_is_the_probability_of_the_text(seed):
    text, bits = grammar_text(np.random.default_rng(seed), 20_000)
    lines = text.splitlines()
    assert text.endswith("\n") and len(text) >= 20_000
    # both are sums of the same ~4,000 logarithms in another order
    assert bits == pytest.approx(-sum(math.log2(read_line(line)) for line in lines), rel=1e-9)


def test_probabilities_of_all_short_lines_match_their_frequencies():
    """The lines of one kind with few members: probabilities and counts agree within the noise."""
    text, _ = grammar_text(np.random.default_rng(0), 300_000)
    lines = text.splitlines()
    short = ["()", "[]", "{}", "()()", "(())", "the farmer wanders.", "1+1=2", "aaa|aaa"]
    for line in short:
        expected = len(lines) * read_line(line)
        assert abs(lines.count(line) - expected) < 5 * math.sqrt(expected) + 1


def test_every_rule_occurs():
    text, _ = grammar_text(np.random.default_rng(1), 200_000)
    assert set(text) == set(SYMBOLS) and len(SYMBOLS) == 46 == len(set(SYMBOLS))
    assert re.search(r"that the [a-z ]* that the [a-z ]* that the ", text)
    assert "((((" in re.sub(r"[\[{]", "(", text) and "(((((" not in re.sub(r"[\[{]", "(", text)
    assert re.search(r"=-\d", text)


def test_same_seed_same_text():
    a, b = (grammar_text(np.random.default_rng(5), 1000) for _ in range(2))
    assert a == b and a != grammar_text(np.random.default_rng(6), 1000)


def test_dataset():
    made = data.load("grammar", seed=3, n_train=2000, n_valid=500, n_test=500, context=16)
    tokens = made.facts["tokens"]
    text = made.vocabulary.decode(tokens["test"])
    bits = -sum(math.log2(read_line(line)) for line in text.splitlines())
    assert made.facts["floor_bits"] == pytest.approx(bits / len(text), rel=1e-9)
    assert made.facts["floor_nats"] == pytest.approx(made.facts["floor_bits"] * math.log(2))
    assert made.train.inputs.shape == ((len(tokens["train"]) - 1) // 16, 16)
    assert to_host(made.train.targets)[0, 0] == tokens["train"][1]
    assert made.vocabulary.decode(tokens["train"])[:50] != text[:50]


def test_ngram_against_the_formula_in_plain_python():
    """Probabilities by counting in dictionaries, order 3 over a short text."""
    rng = np.random.default_rng(0)
    train, test = rng.integers(0, 3, 60), rng.integers(0, 3, 20)

    def p(symbol, history):
        lower = 1 / 3 if not history else p(symbol, history[1:])
        if history is None:
            return lower
        n = len(history)
        followers = [train[i + n] for i in range(len(train) - n)
                     if tuple(train[i:i + n]) == history]
        if not followers:
            return lower
        kinds = len(set(followers))
        return (followers.count(symbol) + kinds * lower) / (len(followers) + kinds)

    for n in (1, 2, 3):
        bits = [-math.log2(p(c, tuple(test[max(0, i - n + 1):i]))) for i, c in enumerate(test)]
        assert ngram_bits(train, test, 3, (n,))[n] == pytest.approx(np.mean(bits), rel=1e-12)


def test_ngram_probabilities_sum_to_one():
    train = np.array([0, 1, 2, 0, 1, 1, 0, 2, 0, 1])
    for history in itertools.product(range(3), repeat=2):
        p = []
        for c in range(3):
            whole, head = (ngram_bits(train, np.array(t), 3, (3,))[3] * len(t)
                           for t in ((*history, c), history))
            p.append(2 ** -(whole - head))
        assert sum(p) == pytest.approx(1, rel=1e-12)


def test_ngram_refuses():
    with pytest.raises(ValueError, match="order 12 over 46 symbols does not fit 63 bits"):
        ngram_bits(np.arange(46), np.arange(46), 46, (12,))


def test_floor_and_best_ngram():
    """Floor 0.66 to 0.67 bits per character, 6-gram 0.91 to 0.92, and no order below the floor."""
    encode = data.Vocabulary(SYMBOLS).encode
    learn, _ = grammar_text(np.random.default_rng([0, 0]), LEARN)
    score, bits = grammar_text(np.random.default_rng([0, 2]), SCORE)
    floor = bits / len(score)
    scores = ngram_bits(encode(learn), encode(score), 46, (1, 2, 3, 4, 5, 6, 8))
    assert 0.655 < floor < 0.675
    assert min(scores, key=scores.get) == 6 and 0.905 < scores[6] < 0.925
    assert scores[1] > scores[2] > scores[3] > scores[4] > scores[5] > scores[6] < scores[8]


@pytest.mark.data
def test_ngram_on_shakespeare(real):
    """Scores another implementation gave: 400,000 characters to learn, the last 40,000."""
    real("tinyshakespeare")
    text = data.load("tinyshakespeare", download=False).facts["tokens"]
    tokens = np.concatenate(list(text.values()))
    scores = ngram_bits(tokens[:LEARN], tokens[-SCORE:], 65, (1, 2, 3, 4, 5, 6, 8))
    assert [round(bits, 2) for bits in scores.values()] == [
        4.83, 3.73, 3.33, 3.07, 3.05, 3.17, 3.48]
