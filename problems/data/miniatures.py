"""Small sets for large systems' shapes: graphs, undersampled images, clicks. All by formula.

    graphs     random edges between N nodes; the label says whether triangles were planted, or as
               many edges strewn
    phantoms   sums of ellipses; the input is the image that a part of its Fourier columns gives, as
               a scanner in a hurry would take it, the target the image itself
    clicks     numbers and categories; a click is drawn from a teacher with pairwise meetings

They stand in for the AlgoPerf sets (molecules, FastMRI, Criteo) in size and kind of structure only.
"""
import numpy as np


def graphs(rng, n=400, nodes=12, features=4, chance=0.2, triangles=3):
    """(features (n, N, F), edges (n, N, N) of 0 and 1, labels (n,)): planted triangles are label 1.

    Graphs of label 0 get as many random edges as the triangles have.
    """
    upper = np.triu(rng.random((n, nodes, nodes)) < chance, 1)
    labels = rng.integers(0, 2, n)
    for g in range(n):
        for _ in range(triangles):
            if labels[g]:
                a, b, c = np.sort(rng.choice(nodes, 3, replace=False))
                upper[g, [a, a, b], [b, c, c]] = True
            else:
                for _ in range(3):
                    a, b = np.sort(rng.choice(nodes, 2, replace=False))
                    upper[g, a, b] = True
    edges = (upper | upper.swapaxes(1, 2)).astype(float)
    degree = edges.sum(axis=2, keepdims=True) / nodes
    triangles_at = np.einsum("gij,gjk,gki->gi", edges, edges, edges)[..., None] / nodes
    noise = rng.standard_normal((n, nodes, features - 2))
    return np.concatenate([degree, triangles_at, noise], axis=2), edges, labels


def phantoms(rng, n=128, size=16, kept=0.4):
    """(images (n, 1, S, S) from a share of the Fourier columns, the images themselves)."""
    y, x = np.mgrid[:size, :size] / (size - 1.0) * 2.0 - 1.0
    images = np.zeros((n, size, size))
    for image in images:
        for _ in range(3):
            a, b, angle = rng.uniform(0.2, 0.6), rng.uniform(0.2, 0.6), rng.uniform(0, np.pi)
            u, v = x - rng.uniform(-0.4, 0.4), y - rng.uniform(-0.4, 0.4)
            p, q = u * np.cos(angle) + v * np.sin(angle), v * np.cos(angle) - u * np.sin(angle)
            image += rng.uniform(0.3, 1.0) * ((p / a) ** 2 + (q / b) ** 2 < 1.0)
    spectrum = np.fft.fft2(images)
    columns = rng.random((n, 1, size)) < kept
    columns[..., 0] = True                              # the middle frequencies are always taken
    columns[..., 1] = columns[..., -1] = True
    seen = np.abs(np.fft.ifft2(spectrum * columns))
    return seen[:, None], images[:, None]


def clicks(rng, n=1000, numbers=8, categories=(20, 20, 20), width=3):
    """(numbers beside the chosen categories (n, p + T), clicks (n,)):

        P(click) = σ(2 (w·x + Σ_{s<t} v_s·v_t)),      v_t the row of table t
    """
    x = rng.standard_normal((n, numbers))
    chosen = np.stack([rng.integers(0, size, n) for size in categories], axis=1)
    tables = [rng.standard_normal((size, width)) / width**0.5 for size in categories]
    rows = np.stack([t[c] for t, c in zip(tables, chosen.T)], axis=1)           # (n, T, C)
    meet = 0.5 * (np.sum(rows.sum(axis=1) ** 2, axis=1) - np.sum(rows**2, axis=(1, 2)))
    logit = 2.0 * (x @ rng.standard_normal(numbers) / numbers**0.5 + meet)
    clicked = rng.random(n) < 1.0 / (1.0 + np.exp(-logit))
    return np.concatenate([x, chosen], axis=1), clicked.astype(int)
