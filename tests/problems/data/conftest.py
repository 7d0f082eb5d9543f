"""Real files are used where they are, never downloaded by a test."""

import pytest

from problems import data


@pytest.fixture
def real():
    """real(name): skips the test unless data set `name` is at hand (set MINIGRAD_DATA)."""
    def skip_unless_at_hand(name):
        if not data.is_local(name):
            pytest.skip(f"{name} is not at hand: set MINIGRAD_DATA to a folder that has it")

    return skip_unless_at_hand
