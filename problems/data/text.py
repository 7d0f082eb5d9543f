"""Real texts: TinyShakespeare by characters, WikiText-2 and the Penn Treebank by words.

A text becomes tokens, tokens become non-overlapping windows with the next symbol as target. At
word level every newline is the word <eos>, as in the published counts and perplexities; the
vocabulary is that of the training part, most frequent word first.
"""

from collections import Counter

from .content import content_of
from .dataset import Dataset, check_split
from .files import obtain
from .sources import content_known
from .vocabulary import Vocabulary, text_split

EOS = "<eos>"
SHAKESPEARE_CHARACTERS = 1_115_394
# Tokens of train, valid, test with <eos>, and distinct words: what the published files have.
WORDS = {"wikitext-2": (2_088_628, 217_646, 245_569, 33_278),
         "ptb": (929_589, 73_760, 82_430, 10_000)}
WIKITEXT_BEGINS = " \n = Valkyria Chronicles III = \n"


def load_shakespeare(root=None, split="ours", context=256, download=True):
    """Shakespeare's plays as 65 characters, one after another: 1,115,394 of them.

    inputs, targets (n, T) int64, T = context; facts["tokens"] has each part's tokens (N,) uncut,
    on the host.
    split    "paper": the first 90 % to train, the rest for validation, no test part;
             "ours": the second half of that rest becomes the test part

    Source: the char-rnn project of A. Karpathy, data/tinyshakespeare.
    """
    check_split("tinyshakespeare", split)
    path = obtain("tinyshakespeare", "text", root, download)
    text = read_text(path, content_known("tinyshakespeare", "text"))
    if len(text) != SHAKESPEARE_CHARACTERS or not text.isascii():
        raise ValueError(f"{path}: {len(text):,} characters, the published file has "
                         f"{SHAKESPEARE_CHARACTERS:,}, plain ASCII. Get the file again.")
    vocabulary = Vocabulary("".join(sorted(set(text))))
    tokens = vocabulary.encode(text)
    cut = len(tokens) * 9 // 10
    end = len(tokens) if split == "paper" else (len(tokens) + cut) // 2
    parts = {"train": tokens[:cut], "valid": tokens[cut:end], "test": tokens[end:]}
    return text_dataset("tinyshakespeare", "TinyShakespeare", vocabulary, parts, context)


def load_wikitext(root=None, context=70, download=True):
    """WikiText-2: 2.1 million words of Wikipedia articles, vocabulary 33,278 with <unk>.

    Windows as in `load_shakespeare`; the parts are the published ones. `about` says so when the
    training file has its articles in another order than published, as repackaged copies do;
    counts and vocabulary then agree, the checksum does not.

    Source: Merity et al. 2016, arXiv:1609.07843.
    """
    texts = word_texts("wikitext-2", root, download)
    moved = "" if texts["train"].startswith(WIKITEXT_BEGINS) else (
        ", training articles in another order than published")
    return word_dataset("wikitext-2", f"WikiText-2{moved}", texts, context)


def load_ptb(root=None, context=70, download=True):
    """Penn Treebank in Mikolov's preprocessing, 930 thousand words, vocabulary 10,000.

    Not free, so never downloaded: put ptb.train.txt, ptb.valid.txt and ptb.test.txt into the
    folder ptb of MINIGRAD_DATA. No checksum is known here: damage that changes neither the counts
    nor the vocabulary is not found. Windows as in `load_shakespeare`.

    Source: Marcus et al. 1993 (LDC99T42); Mikolov et al. 2010, INTERSPEECH.
    """
    return word_dataset("ptb", "Penn Treebank", word_texts("ptb", root, download), context)


def word_texts(name, root, download):
    return {part: read_text(obtain(name, part, root, download), content_known(name, part))
            for part in ("train", "valid", "test")}


def words(text):
    """The words of a text, each newline as <eos>."""
    return text.replace("\n", f" {EOS} ").split()


def word_vocabulary(words):
    """Vocabulary of a list of words: most frequent first, ties by alphabet."""
    count = Counter(words)
    return Vocabulary(sorted(count, key=lambda word: (-count[word], word)))


def word_dataset(name, title, texts, context):
    split = {part: words(text) for part, text in texts.items()}
    vocabulary = word_vocabulary(split["train"])
    found = (*(len(part) for part in split.values()), len(vocabulary))
    if found != WORDS[name]:
        raise ValueError(f"{name}: train, valid, test and vocabulary have {found} words, the "
                         f"published files {WORDS[name]}. Get the word-level files, not the raw.")
    tokens = {part: vocabulary.encode(part_words) for part, part_words in split.items()}
    return text_dataset(name, title, vocabulary, tokens, context)


def text_dataset(name, about, vocabulary, tokens, context):
    """Windows of the parts that have any tokens; the others are None."""
    splits = {part: text_split(t, context) if len(t) else None for part, t in tokens.items()}
    return Dataset(name, **splits, about=about, vocabulary=vocabulary, facts={"tokens": tokens})


def read_text(path, content=None):
    """The text in a file; `content` as in `idx.read_idx`."""
    try:
        return content_of(path, content).decode("utf-8")
    except UnicodeDecodeError as error:
        raise ValueError(f"{path}: not UTF-8 text, byte {error.start} is "
                         f"0x{error.object[error.start]:02x}. Get the file again.") from None
