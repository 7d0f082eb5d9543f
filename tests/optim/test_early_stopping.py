"""Early stopping on sequences of scores that one can follow by hand."""
import math

import pytest

from optim import EarlyStopping


def follow(scores, **settings):
    watch = EarlyStopping(**settings)
    for step, score in enumerate(scores):
        if watch.look(score, f"point {step}", step):
            break
    return watch


def test_the_best_point_is_kept_and_the_run_stopped():
    watch = follow([3, 2, 1, 2, 2, 2, 0], patience=3)
    assert (watch.theta, watch.score, watch.step, watch.stopped) == ("point 2", 1.0, 2, True)
    assert follow([3, 2, 1, 2, 2, 0], patience=3).score == 0.0


def test_small_gains_use_up_the_patience_but_the_best_is_kept():
    watch = follow([1.0, 0.95, 0.91, 0.88, 0.0], patience=3, least=0.2)
    assert watch.stopped and watch.score == 0.88 and watch.step == 3


def test_without_patience_it_never_stops():
    watch = follow([1.0, *[2.0] * 100, 0.5])
    assert not watch.stopped and watch.step == 101


def test_nan_is_no_improvement():
    watch = follow([1.0, math.nan, math.nan, 0.5], patience=2)
    assert watch.stopped and watch.score == 1.0


def test_a_stopped_watch_changes_nothing():
    watch = follow([1.0, 2.0], patience=1)
    assert watch.look(0.0, "late", 9) and watch.score == 1.0


@pytest.mark.parametrize("settings, message", [
    (dict(patience=0), "patience must be a whole number >= 1, or None, got 0"),
    (dict(patience=2.5), "got 2.5"), (dict(least=-1.0), "least must be a number >= 0, got -1.0")])
def test_bad_input(settings, message):
    with pytest.raises(ValueError, match=message):
        EarlyStopping(**settings)
