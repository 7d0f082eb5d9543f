"""The registry, the record it returns, and minibatches."""

import numpy as np
import pytest

from minigrad.backend import to_host, xp
from problems import data
from problems.data import Split, batches, epochs


@pytest.fixture(autouse=True)
def bare(tmp_path, monkeypatch):
    monkeypatch.delenv("MINIGRAD_DATA", raising=False)
    monkeypatch.setenv("MINIGRAD_CACHE", str(tmp_path))
    return tmp_path


def test_unknown_names_are_answered():
    with pytest.raises(ValueError, match="unknown data set 'minst'. Did you mean 'mnist'"):
        data.load("minst")
    with pytest.raises(ValueError, match="'cifar10'. Did you mean 'cifar-10'"):
        data.load("cifar10")
    with pytest.raises(ValueError, match="Did you mean 'tinyshakespeare'"):
        data.is_local("shakespeare")
    with pytest.raises(ValueError, match="'zzz'. Use one of strokes, mnist, .*clusters"):
        data.describe("zzz")


def test_unknown_options_are_answered():
    with pytest.raises(TypeError, match="'spirals' has no option turnz; it takes n_test, n_train"):
        data.load("spirals", turnz=2)
    with pytest.raises(TypeError, match="'polynomial' has no option n; it takes none"):
        data.load("polynomial", n=3)


def test_every_set_is_described_and_takes_the_common_arguments():
    for name in data.names():
        assert 0 < len(data.describe(name)) < 60
        if data.is_local(name):
            small = {"strokes": dict(n_train=10, n_valid=10, n_test=10)}.get(name, {})
            made = data.load(name, None, split="ours", seed=1, download=False, **small)
            assert made.name == name and made.about
            assert made.valid is not None and made.test is not None
            for part in (made.train, made.valid, made.test):
                assert isinstance(part.inputs, xp.ndarray) and len(part.targets) == part.n


def test_first_local():
    assert data.first_local("mnist", "strokes") == "strokes"
    with pytest.raises(data.MissingData, match="none of mnist, ptb is at hand"):
        data.first_local("mnist", "ptb")


def test_split_is_a_batch():
    part = Split(xp.arange(10.0), xp.arange(10))
    inputs, targets = part.take(xp.asarray([3, 1]))
    assert to_host(inputs).tolist() == [3.0, 1.0] and to_host(targets).tolist() == [3, 1]
    assert part.n == 10 and part.take(slice(4)).n == 4


@pytest.mark.parametrize("n, size, drop, lengths", [
    (10, 4, False, [4, 4, 2]), (10, 4, True, [4, 4]), (8, 4, True, [4, 4]), (3, 5, False, [3])])
def test_batches_go_through_once(n, size, drop, lengths):
    parts = [to_host(b) for b in batches(np.random.default_rng(0), n, size, drop_last=drop)]
    assert [len(b) for b in parts] == lengths
    seen = np.concatenate(parts)
    assert seen.dtype == np.int64 and len(set(seen)) == sum(lengths) and set(seen) <= set(range(n))


def test_batches_follow_the_generator():
    rng = np.random.default_rng(0)
    first, second = ([b.tolist() for b in batches(rng, 20, 5)] for _ in range(2))
    again = [b.tolist() for b in batches(np.random.default_rng(0), 20, 5)]
    assert first == again and first != second


def test_batches_refuse():
    with pytest.raises(ValueError, match="batch_size=0. Use at least 1"):
        next(batches(np.random.default_rng(0), 5, 0))
    with pytest.raises(ValueError, match="batch_size=6 exceeds the 5 examples"):
        next(batches(np.random.default_rng(0), 5, 6, drop_last=True))


def test_epochs_reshuffle_or_repeat():
    def run(**options):
        return [(e, b.tolist()) for e, b in
                epochs(np.random.default_rng(0), 9, 4, count=2, **options)]

    fixed, fresh = run(reshuffle=False), run()
    assert [e for e, _ in fixed] == [e for e, _ in fresh] == [0, 0, 0, 1, 1, 1]
    assert [b for _, b in fixed[:3]] == [b for _, b in fixed[3:]]
    assert [b for _, b in fresh[:3]] != [b for _, b in fresh[3:]]
    endless = epochs(np.random.default_rng(0), 9, 9)
    assert [next(endless)[0] for _ in range(4)] == [0, 1, 2, 3]
