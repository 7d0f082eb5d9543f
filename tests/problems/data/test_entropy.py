"""The entropy rate of the grammar text: its closed form against the information of long texts."""
import numpy as np
import pytest

from problems.data.entropy import arithmetic, brackets, entropy_rate, reversal, sentence
from problems.data.grammar import Writer, grammar_text


def test_the_rate_to_five_digits():
    assert entropy_rate() == pytest.approx(0.66969, abs=5e-6)


@pytest.mark.parametrize("mean", [sentence, arithmetic, brackets, reversal])
def test_each_kind_of_line_against_lines_that_are_written(mean):
    """Bits and characters of 4,000 lines lie within four standard errors of the two means."""
    writer, seen = Writer(np.random.default_rng(5)), []
    for _ in range(4000):
        before = writer.bits
        line = getattr(writer, mean.__name__)()
        seen.append((writer.bits - before, len(line)))
    error = np.std(seen, axis=0) / 4000**0.5
    assert np.all(abs(np.mean(seen, axis=0) - mean()) <= 4 * error + 1e-9)


def test_texts_scatter_about_it():
    rates = [bits / len(text) for text, bits in (
        grammar_text(np.random.default_rng(k), 20_000) for k in range(8))]
    assert abs(np.mean(rates) - entropy_rate()) <= 4 * np.std(rates, ddof=1) / 8**0.5
