"""Stroke digits: what they are made of, reproducibility, the cache, and how hard they are."""

import math

import numpy as np
import pytest

from minigrad.backend import to_host
from problems import data
from problems.data.strokes import GLYPHS, deform, paint, stroke_digits


def test_shapes_ranges_and_balance():
    pixels, labels = stroke_digits(np.random.default_rng(0), 105)
    assert pixels.shape == (105, 28, 28) and pixels.dtype == np.uint8 and labels.dtype == np.int64
    assert sorted(np.bincount(labels)) == [10] * 5 + [11] * 5
    assert pixels.max() > 150 and (pixels.reshape(105, -1).mean(1) > 8).all()


def test_reproducible_from_the_generator():
    a, b, c = (stroke_digits(np.random.default_rng(seed), 40) for seed in (1, 1, 2))
    assert np.array_equal(a[0], b[0]) and np.array_equal(a[1], b[1])
    assert not np.array_equal(a[0], c[0])


def test_paint_is_the_formula():
    """One picture of two segments, every pixel computed in scalar arithmetic, no noise."""
    starts = np.array([[[5.0, 6.0], [20.0, 4.0]]], np.float32)
    ends = np.array([[[15.0, 20.0], [20.0, 4.0]]], np.float32)  # the second is a dot
    painted = paint(np.random.default_rng(3), starts, ends, noise=0.0)[0]
    rng = np.random.default_rng(3)
    thickness, brightness = rng.uniform(0.7, 1.5), rng.uniform(0.6, 1.0)
    for row in range(28):
        for column in range(28):
            along = ((column - 5) * 10 + (row - 6) * 14) / (10**2 + 14**2)
            t = min(max(along, 0), 1)
            distance = min(math.hypot(column - 5 - 10 * t, row - 6 - 14 * t),
                           math.hypot(column - 20, row - 4))
            ink = brightness / (1 + math.exp(-(thickness - distance) / 0.35))
            assert abs(painted[row, column] - 255 * ink) < 0.51  # rounding to bytes


def test_undeformed_glyphs_keep_their_place():
    """Averaged over many hands the random map is the identity, up to the mean of e^s and cos a."""
    starts, _ = deform(np.random.default_rng(0), [np.array([[0.5, 0.5], [0.5, 0.9]])], 4000,
                       bend=0.0, clutter=0)
    assert np.allclose(starts.mean(0), 13.5, atol=0.1)  # 1.2 / sqrt(4000) = 0.02


def test_segments_do_not_join_polylines():
    two = [np.array([[0.0, 0.0], [0.1, 0.0]]), np.array([[0.9, 1.0], [1.0, 1.0], [1.0, 0.9]])]
    starts, ends = deform(np.random.default_rng(0), two, 7, bend=0.0, clutter=2)
    assert starts.shape == (7, 1 + 2 + 2, 2)
    lengths = np.linalg.norm(ends - starts, axis=-1)[:, :3]
    assert lengths.max() < 6  # 2 pixels on average; a joining one would have about 26
    assert len(GLYPHS) == 10


def test_refuses():
    with pytest.raises(ValueError, match="stroke_digits: n=0"):
        stroke_digits(np.random.default_rng(0), 0)


def test_cache_gives_the_same_bytes(tmp_path, monkeypatch):
    monkeypatch.setenv("MINIGRAD_CACHE", str(tmp_path))
    sizes = dict(n_train=60, n_valid=20, n_test=20)
    fresh = data.load("strokes", seed=4, **sizes)
    stored = sorted(path.name for path in (tmp_path / "generated").iterdir())
    assert stored == ["strokes-v1-seed4-test-20.npz", "strokes-v1-seed4-train-60.npz",
                      "strokes-v1-seed4-valid-20.npz"]
    monkeypatch.setattr(data.strokes, "stroke_digits", lambda *a: pytest.fail("made again"))
    again = data.load("strokes", seed=4, flat=True, **sizes)
    for part in ("train", "valid", "test"):
        a, b = getattr(fresh, part), getattr(again, part)
        assert a.inputs.shape == (b.n, 1, 28, 28) and b.inputs.shape == (b.n, 784)
        assert a.inputs.dtype == b.inputs.dtype == np.float32
        assert np.array_equal(to_host(a.inputs).reshape(b.n, 784), to_host(b.inputs))
        assert np.array_equal(to_host(a.targets), to_host(b.targets))
        assert 0 <= float(b.inputs.min()) and float(b.inputs.max()) <= 1
    assert not np.array_equal(to_host(fresh.valid.inputs), to_host(fresh.test.inputs))


@pytest.mark.slow
def test_hard_but_learnable():
    """Linear softmax about 75 %, a 784-128-10 network with momentum about 87 % (+- 3)."""
    (x, y), (x_test, y_test) = (stroke_digits(np.random.default_rng(s), n)
                                for s, n in ((0, 5000), (1, 2000)))
    x, x_test = (a.reshape(len(a), 784).astype(np.float32) / np.float32(255) for a in (x, x_test))

    def accuracy(sizes, lr, momentum, epochs):
        rng = np.random.default_rng(0)
        layers = [(np.float32(math.sqrt(2 / a)) * rng.standard_normal((a, b), np.float32),
                   np.zeros(b, np.float32)) for a, b in zip(sizes, sizes[1:])]
        velocity = [(0 * W, 0 * b) for W, b in layers]
        for step in range(50 * epochs):
            if step % 50 == 0:
                order = rng.permutation(5000)
            rows = order[step % 50 * 100:][:100]
            hs = [x[rows]]
            for W, b in layers[:-1]:
                hs.append(np.maximum(hs[-1] @ W + b, 0))
            z = hs[-1] @ layers[-1][0] + layers[-1][1]
            g = np.exp(z - z.max(1, keepdims=True))
            g /= g.sum(1, keepdims=True)
            g[np.arange(100), y[rows]] -= 1
            g *= 0.01 * lr * (1 - step / (50 * epochs))
            for k in reversed(range(len(layers))):
                W, b = layers[k]
                v, u = velocity[k]
                v *= momentum
                v += hs[k].T @ g
                u *= momentum
                u += g.sum(0)
                g = (g @ W.T) * (hs[k] > 0)
                W -= v
                b -= u
        h = x_test
        for W, b in layers[:-1]:
            h = np.maximum(h @ W + b, 0)
        return 100 * float(np.mean((h @ layers[-1][0] + layers[-1][1]).argmax(1) == y_test))

    assert 72 < accuracy([784, 10], 0.1, 0.0, 20) < 78
    assert 84 < accuracy([784, 128, 10], 0.1, 0.9, 10) < 90
