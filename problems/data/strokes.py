"""Stroke digits: 28 x 28 pictures of the ten digits, drawn by formula, for when no file is at hand.

A digit is a few polylines in the unit square. Every picture bends them with a slow sine wave,
passes them through a random linear map, moves them, adds one short stray stroke, and paints

    pixel = brightness · σ((thickness - distance to the nearest segment) / 0.35) + noise

clipped to [0, 1]; σ is the logistic function, lengths are in pixels. The digits are harder than
MNIST's (a linear classifier gets far fewer right), which leaves room to tell methods apart.
They are not MNIST, and no table should call them so.

Reading order: GLYPHS (the ten digits), `deform` (one random hand), `paint` (ink on pixels).
"""

import math

import numpy as np

from minigrad.arguments import generator
from minigrad.kinds import expects, real, source, whole

from .dataset import Dataset, image_split
from .files import cached_arrays

VERSION = 1  # part of the name of the cached file: raise it when the pictures change
SIDE = 28
CHUNK = 64  # pictures painted together: the working arrays stay in the processor's cache


def load(seed=0, n_train=10_000, n_valid=2_000, n_test=2_000, flat=False, dtype="float32"):
    """Stroke digits of one seed as a Dataset; the three parts come from three streams of it.

    images (n, 1, 28, 28), or (n, 784) when flat, in [0, 1]; labels (n,) int64, equally many of
    each digit up to one. Generated on first use (0.1 to 0.2 s per 1,000 pictures), then read
    from `strokes-v1-*.npz` in the user's cache; both ways give the same bytes.

    With 5,000 to train on and 2,000 to test, a linear softmax reaches 75 % (20 epochs), a
    784-128-10 ReLU network trained with momentum 0.9 reaches 87 % (10 epochs, batch 100).
    """
    parts = {}
    for stream, (part, n) in enumerate([("train", n_train), ("valid", n_valid), ("test", n_test)]):
        name = f"strokes-v{VERSION}-seed{seed}-{part}-{n}.npz"
        rng = np.random.default_rng([seed, stream])
        pixels, labels = cached_arrays(name, lambda: stroke_digits(rng, n))
        parts[part] = image_split(pixels[:, None], labels, flat, dtype)
    return Dataset("strokes", **parts, classes=tuple("0123456789"),
                   about=f"stroke digits, generated (seed {seed}); not MNIST")


@expects(rng=source, n=whole(), bend=real, noise=real, clutter=whole())
def stroke_digits(rng, n, *, bend=0.07, noise=0.1, clutter=1):
    """n pictures and their labels: pixels (n, 28, 28) uint8, labels (n,) int64, shuffled.

    rng      host Generator
    bend     amplitude of the sine wave, in units of the digit's height
    noise    standard deviation of the pixel noise, full ink = 1
    clutter  stray strokes per picture
    """
    generator("stroke_digits", rng)
    if n < 1 or clutter < 0 or noise < 0:
        raise ValueError(f"stroke_digits: n={n}, noise={noise}, clutter={clutter}. "
                         "Ask for at least one picture and no negative amount.")
    labels = np.arange(n) % 10
    pixels = np.empty((n, SIDE, SIDE), np.uint8)
    for digit, glyph in enumerate(GLYPHS):
        rows = np.flatnonzero(labels == digit)
        for chunk in np.split(rows, range(CHUNK, len(rows), CHUNK)):
            starts, ends = deform(rng, glyph, len(chunk), bend, clutter)
            pixels[chunk] = paint(rng, starts, ends, noise)
    order = rng.permutation(n)
    return pixels[order], labels[order]


def deform(rng, glyph, n, bend, clutter):
    """n handwritings of one glyph: starts and ends of its segments (n, S, 2) float32, in pixels.

        q = p + bend · sin(2π f p_⊥ + φ),   f ∈ [0.4, 1.1],   p centred, p_⊥ the other coordinate
        position = 14 + 20 e^s R(a) [[1, h], [0, 1]] q + shift,
        a ~ N(0, 0.2²) rad,  h ~ N(0, 0.25²),  s ~ N(0, 0.15²) per axis,  shift ~ N(0, 1.2²) pixels
    """
    points = np.concatenate(glyph)  # (P, 2)
    q = np.broadcast_to(points - 0.5, (n, *points.shape))
    frequency = rng.uniform(0.4, 1.1, (n, 1, 2))
    phase = rng.uniform(0, 2 * math.pi, (n, 1, 2))
    q = q + bend * np.sin(2 * math.pi * frequency * q[..., ::-1] + phase)
    a = rng.normal(0, 0.2, n)
    scale = 20 * np.exp(rng.normal(0, 0.15, (n, 2)))
    rotation = np.stack([np.cos(a), -np.sin(a), np.sin(a), np.cos(a)], -1).reshape(n, 2, 2)
    shear = np.zeros((n, 2, 2))
    shear[:, 0, 0] = shear[:, 1, 1] = 1
    shear[:, 0, 1] = rng.normal(0, 0.25, n)
    linear = scale[:, :, None] * (rotation @ shear)
    q = 13.5 + q @ linear.swapaxes(-1, -2) + rng.normal(0, 1.2, (n, 1, 2))

    last = np.cumsum([len(line) for line in glyph])[:-1] - 1  # no segment joins two polylines
    inner = np.delete(np.arange(len(points) - 1), last)
    starts, ends = q[:, inner], q[:, inner + 1]
    middle = rng.uniform(3, 24, (n, clutter, 2))
    angle, half = rng.uniform(0, math.pi, (n, clutter)), rng.uniform(1, 3, (n, clutter))
    reach = half[..., None] * np.stack([np.cos(angle), np.sin(angle)], -1)
    starts = np.concatenate([starts, middle - reach], 1)
    ends = np.concatenate([ends, middle + reach], 1)
    return starts.astype(np.float32), ends.astype(np.float32)


def paint(rng, starts, ends, noise):
    """Ink on pixels: segments (n, S, 2) to pictures (n, 28, 28) uint8.

    The distance of pixel x to the segment from p to p + d is |x - p - t d| with
    t = (x - p)·d / |d|² clipped to [0, 1]; the smallest over the segments counts.
    """
    n, S, _ = starts.shape
    grid = np.arange(SIDE, dtype=np.float32)
    nearest = np.full((n, SIDE, SIDE), np.inf, np.float32)  # squared distances
    for s in range(S):
        p, d = starts[:, s], ends[:, s] - starts[:, s]
        d_over = d / np.maximum((d * d).sum(-1, keepdims=True), 1e-6)
        x = (grid - p[:, :1])[:, None, :]  # (n, 1, 28): columns
        y = (grid - p[:, 1:])[:, :, None]  # (n, 28, 1): rows
        t = x * d_over[:, 0, None, None] + y * d_over[:, 1, None, None]
        np.clip(t, 0, 1, out=t)
        dx = x - t * d[:, 0, None, None]
        t *= d[:, 1, None, None]
        dy = y - t
        dx *= dx
        dy *= dy
        dx += dy
        np.minimum(nearest, dx, out=nearest)
    thickness = rng.uniform(0.7, 1.5, (n, 1, 1)).astype(np.float32)
    brightness = rng.uniform(0.6, 1.0, (n, 1, 1)).astype(np.float32)
    depth = (thickness - np.sqrt(nearest)) / 0.35
    ink = brightness / (1 + np.exp(np.minimum(-depth, 80)))
    ink += noise * rng.standard_normal(ink.shape, dtype=np.float32)
    return np.rint(255 * np.clip(ink, 0, 1)).astype(np.uint8)


def arc(cx, cy, rx, ry, start, end, n=14):
    """n points of an ellipse from one angle to another, in degrees; 0 right, 90 down."""
    angle = np.radians(np.linspace(start, end, n))
    return np.stack([cx + rx * np.cos(angle), cy + ry * np.sin(angle)], -1)


def line(*points):
    return np.array(points, dtype=float)


# The ten digits, each a list of polylines (P, 2); x runs right and y down, both from 0 to 1.
GLYPHS = [
    [arc(0.5, 0.5, 0.28, 0.44, 0, 360, 20)],
    [line((0.35, 0.22), (0.54, 0.06), (0.54, 0.94))],
    [np.concatenate([arc(0.5, 0.3, 0.26, 0.24, 190, 385), line((0.24, 0.94), (0.78, 0.94))])],
    [arc(0.47, 0.28, 0.26, 0.22, 205, 450), arc(0.47, 0.72, 0.3, 0.22, 270, 520)],
    [line((0.64, 0.94), (0.64, 0.06), (0.2, 0.64), (0.84, 0.64))],
    [np.concatenate([line((0.74, 0.06), (0.32, 0.06), (0.28, 0.46)),
                     arc(0.48, 0.67, 0.28, 0.27, 230, 510)])],
    [np.concatenate([arc(0.72, 0.6, 0.46, 0.54, 270, 180, 8),
                     arc(0.5, 0.69, 0.25, 0.25, 180, 540, 16)])],
    [line((0.2, 0.06), (0.8, 0.06), (0.42, 0.94))],
    [arc(0.5, 0.28, 0.22, 0.22, 90, 450, 16), arc(0.5, 0.72, 0.26, 0.22, -90, 270, 16)],
    [np.concatenate([arc(0.48, 0.31, 0.25, 0.25, 0, 360, 16), line((0.7, 0.6), (0.6, 0.94))])],
]
