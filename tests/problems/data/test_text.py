"""Vocabularies, windows, and the real texts (marker data)."""

import numpy as np
import pytest

from minigrad.backend import to_host, xp
from problems import data
from problems.data import text
from problems.data.vocabulary import Vocabulary, windows


def test_characters_there_and_back():
    v = Vocabulary("abc \n")
    tokens = v.encode("cab\n a")
    assert tokens.dtype == np.int64 and list(tokens) == [2, 0, 1, 4, 3, 0]
    assert v.decode(xp.asarray(tokens)) == "cab\n a" and len(v) == 5


def test_words_there_and_back():
    v = Vocabulary(["the", "cat", "<eos>"])
    assert list(v.encode(["cat", "the", "cat"])) == [1, 0, 1]
    assert v.decode(np.array([0, 1, 2])) == "the cat <eos>"


def test_vocabulary_refuses():
    with pytest.raises(ValueError, match="encode: 'd' is not among the 3 symbols"):
        Vocabulary("abc").encode("abd")
    with pytest.raises(ValueError, match="encode: 'dog' is not among the 1 symbols"):
        Vocabulary(["cat"]).encode(["cat", "dog"])
    with pytest.raises(ValueError, match=r"decode: tokens must lie in \[0, 3\), got -1 to 2"):
        Vocabulary("abc").decode(np.array([-1, 2]))
    with pytest.raises(ValueError, match="Vocabulary: 'a' occurs twice"):
        Vocabulary("aba")


@pytest.mark.parametrize("N, T, n", [(11, 5, 2), (10, 5, 1), (12, 5, 2), (7, 1, 6), (3, 2, 1)])
def test_windows(N, T, n):
    """They tile the text without overlap, and each target is the symbol that comes next."""
    x, y = windows(np.arange(N), T)
    assert x.shape == y.shape == (n, T)
    assert np.array_equal(x.ravel(), np.arange(n * T)) and np.array_equal(y, x + 1)


@pytest.mark.parametrize("T", [0, -1, 5, 6])
def test_windows_refuse(T):
    with pytest.raises(ValueError, match=f"windows: a context of {T} does not fit into 5 tokens"):
        windows(np.arange(5), T)


def test_words_have_an_eos_for_each_newline():
    assert text.words(" \n = Title = \n a  b \n") == [
        "<eos>", "=", "Title", "=", "<eos>", "a", "b", "<eos>"]


def test_word_vocabulary_by_frequency_then_alphabet():
    assert text.word_vocabulary("b c a b d d".split()).symbols == ("b", "d", "a", "c")


@pytest.fixture
def treebank(tmp_path, monkeypatch):
    """A tiny Penn Treebank in a folder, with its counts announced as the published ones."""
    (tmp_path / "ptb").mkdir()
    for part, content in (("train", " a b a \n c a \n"), ("valid", " b \n"), ("test", " c c \n")):
        (tmp_path / "ptb" / f"ptb.{part}.txt").write_text(content)
    monkeypatch.setitem(text.WORDS, "ptb", (7, 2, 3, 4))
    return tmp_path


def test_word_level_set(treebank):
    ptb = data.load("ptb", treebank, context=1)
    assert ptb.vocabulary.symbols == ("a", "<eos>", "b", "c")
    assert list(ptb.facts["tokens"]["train"]) == [0, 2, 0, 1, 3, 0, 1]
    assert to_host(ptb.train.inputs).tolist() == [[0], [2], [0], [1], [3], [0]]
    assert to_host(ptb.test.targets).tolist() == [[3], [1]]
    assert ptb.train.inputs.dtype == np.int64


def test_word_counts_are_checked(treebank, monkeypatch):
    monkeypatch.setitem(text.WORDS, "ptb", (929_589, 73_760, 82_430, 10_000))
    with pytest.raises(ValueError, match=r"ptb: .* have \(7, 2, 3, 4\) words, the published files"):
        data.load("ptb", treebank, context=1)


def test_character_level_set(tmp_path, monkeypatch):
    (tmp_path / "tinyshakespeare").mkdir()
    path = tmp_path / "tinyshakespeare" / "input.txt"
    path.write_bytes(b"abcde\n" * 10)
    with pytest.raises(ValueError, match="60 characters, the published file has 1,115,394"):
        data.load("tinyshakespeare", tmp_path)
    monkeypatch.setattr(text, "SHAKESPEARE_CHARACTERS", 60)
    paper = data.load("tinyshakespeare", tmp_path, split="paper", context=2)
    assert paper.vocabulary.symbols == tuple("\nabcde")
    assert (paper.train.n, paper.valid.n, paper.test) == (26, 2, None)  # of 54 and 6 characters
    ours = data.load("tinyshakespeare", tmp_path, context=2)
    assert [len(t) for t in ours.facts["tokens"].values()] == [54, 3, 3]
    path.write_bytes(b"caf\xe9\n")
    with pytest.raises(ValueError, match="not UTF-8 text, byte 3 is 0xe9"):
        data.load("tinyshakespeare", tmp_path)


@pytest.mark.data
def test_real_shakespeare(real):
    real("tinyshakespeare")
    paper = data.load("tinyshakespeare", split="paper", download=False)
    tokens = paper.facts["tokens"]
    assert len(tokens["train"]) == 1_003_854 and len(paper.vocabulary) == 65
    assert (paper.train.n, paper.valid.n) == (3921, 435)
    assert paper.vocabulary.decode(paper.train.inputs[0]).startswith(
        "First Citizen:\nBefore we proceed any further, hear me speak.")


@pytest.mark.data
def test_real_wikitext(real):
    real("wikitext-2")
    wiki = data.load("wikitext-2", download=False)
    tokens = wiki.facts["tokens"]
    assert [len(t) for t in tokens.values()] == [2_088_628, 217_646, 245_569]
    assert len(wiki.vocabulary) == 33_278
    assert wiki.vocabulary.decode(tokens["valid"][:6]) == "<eos> = Homarus gammarus = <eos>"
    begins = wiki.vocabulary.decode(tokens["train"][:6])
    assert ("another order" in wiki.about) == (begins != "<eos> = Valkyria Chronicles III =")
