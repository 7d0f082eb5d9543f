"""Rows of a parametrized test of which the default suite runs a few."""
import pytest


def mostly_slow(rows, quick):
    """The rows, all but those with a number in `quick` marked slow."""
    return [row if k in quick else pytest.param(*(row if isinstance(row, tuple) else (row,)),
                                                marks=pytest.mark.slow)
            for k, row in enumerate(rows)]
