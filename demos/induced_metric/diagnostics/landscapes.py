"""Twelve small landscapes of the plane in one batch of points, and what passing each one means.

Every row of the batch has a landscape of its own; all have minimum 0 but the drifting and the noisy
one at a single moment. Most are ½ (x - c)ᵀ A (x - c) with A and c of the row, c moving in two:

    saddle       ½ x² + (y² - 1)²/4, from 1e-8 beside the saddle      f <= .05 at the end
    ravine       curvatures 1 and 100                                 low: mean f of the last 100
                                                                      steps <= 1 % of the first
    noise        bowl whose centre is drawn anew each step, N(0, I)   mean f <= .2, second half
    scale        curvatures 1 and 10; the loss in other units, × 3    the same path
    rotation     the same, turned by 30 degrees                       the same heights
    plateau      1 - exp(-r²/2) from r = 4                            f <= .1 at the end
    zero         a bowl, from its very minimum                        stays, finite
    one NaN      a bowl whose loss is NaN at step 100, once           low, as above
    1e±8         bowls times 1e8 and 1e-8                             both low
    condition    curvatures 1 and 1e-6                                both coordinates <= .1
    kink         |x| + |y|                                            mean f <= .05, last 100 steps
    drift        a bowl whose centre moves by .05 a step              lag <= .3, last 100 steps
"""
import math

import numpy as np

import minigrad as mg
from minigrad.backend import to_host, xp

NAMES = ("saddle", "ravine", "noise", "scale", "rotation", "plateau", "zero", "one NaN", "1e±8",
         "condition", "kink", "drift")
STEPS, WRONG_AT, COPIES = 1000, 100, 64
SPEED, SIGMA, UNIT, TURN = 0.05, 1.0, 3.0, math.pi / 6
EARLY = 30                                              # steps in which paths are compared
# Rows, in order; the noisy bowl has copies, the two comparisons share one landscape.
ROWS = ("saddle", "plateau", "kink", "ravine", "plain", "scaled", "turned", "zero", "NaN", "large",
        "small", "condition", "drift", *["noise"] * COPIES)
CURVED = ROWS[3:]                                       # those that are quadratic
CURVATURES = {"ravine": (1.0, 100.0), "plain": (1.0, 10.0), "scaled": (UNIT, 10.0 * UNIT),
              "large": (1e8, 1e8), "small": (1e-8, 1e-8), "condition": (1.0, 1e-6)}
STARTS = {"saddle": (1.0, 1e-8), "plateau": (4.0, 0.0), "kink": (1.03, 0.77), "ravine": (1.0, 0.1),
          "zero": (0.0, 0.0), "drift": (0.0, 0.0)}
ROTATION = np.array([[math.cos(TURN), -math.sin(TURN)], [math.sin(TURN), math.cos(TURN)]])


def starts():
    """(rows, 2)."""
    theta = np.array([STARTS.get(name, (1.0, 1.0)) for name in ROWS])
    theta[ROWS.index("turned")] = ROTATION @ theta[ROWS.index("turned")]
    return theta


def matrices():
    """A (quadratic rows, 2, 2)."""
    A = np.array([np.diag(CURVATURES.get(name, (1.0, 1.0))) for name in CURVED])
    k = CURVED.index("turned")
    A[k] = ROTATION @ np.diag(CURVATURES["plain"]) @ ROTATION.T
    return A


def moments(seed, row=None, steps=STEPS, wrong=True):
    """The landscape of each step, one objective after the other.

    row     of which the landscape is, for a single point (2,); None: all, for a batch
    wrong   False: without the NaN
    """
    rng, A, k = np.random.default_rng(seed), matrices(), CURVED.index("noise")
    for t in range(steps):
        centre, factor = np.zeros((len(CURVED), 2)), np.ones(len(CURVED))
        centre[CURVED.index("drift"), 0] = SPEED * t
        centre[k:] = SIGMA * rng.standard_normal((COPIES, 2))
        if t == WRONG_AT and wrong:
            factor[CURVED.index("NaN")] = np.nan
        yield landscape(A, centre, factor) if row is None else single(row, A, centre, factor)


def landscape(A, centre, factor):
    """theta (rows, 2) -> heights (rows,): each row on its own landscape."""
    A, centre, factor = xp.asarray(A), xp.asarray(centre), xp.asarray(factor)

    def heights(theta):
        away = theta[3:] - centre
        curved = 0.5 * factor * mg.sum(away * mg.matmul(A, away[..., None])[..., 0], axis=-1)
        return mg.concatenate([mg.stack([BENT[name](theta[i]) for i, name in
                                         enumerate(ROWS[:3])], axis=0), curved], axis=0)
    return heights


def single(row, A, centre, factor):
    """theta (2,) -> height, on the landscape of one row."""
    if row < 3:
        return BENT[ROWS[row]]
    A, c, a = xp.asarray(A[row - 3]), xp.asarray(centre[row - 3]), float(factor[row - 3])
    return lambda theta: 0.5 * a * mg.sum((theta - c) * mg.matmul(A, theta - c), axis=-1)


BENT = {
    "saddle": lambda p: (0.5 * mg.square(p[..., 0])
                         + 0.25 * mg.square(mg.square(p[..., 1]) - 1.0)),
    "plateau": lambda p: 1.0 - mg.exp(-0.5 * mg.sum(p * p, axis=-1)),
    "kink": lambda p: mg.sum(mg.abs(p), axis=-1),
}


# ---------------------------------------------------------------------- judging

def judge(path):
    """{landscape: passed} of a path (steps + 1, rows, 2); what is not finite has not passed."""
    row = {name: path[:, ROWS.index(name)] for name in ROWS}
    A = dict(zip(CURVED, matrices()))

    def height(name):
        return 0.5 * np.einsum("ti,ij,tj->t", row[name], A[name], row[name])

    def fallen(name):
        heights = height(name)
        return bool(heights[-100:].mean() <= 0.01 * heights[0])
    with np.errstate(all="ignore"):
        x, y = row["saddle"].T
        r2 = np.sum(row["plateau"]**2, axis=1)
        same = relative(UNIT * height("plain")[:EARLY], height("scaled")[:EARLY])
        turned = relative(height("plain")[:EARLY], height("turned")[:EARLY])
        values = measured(path)
        return {
            "saddle": bool((0.5 * x * x + 0.25 * (y * y - 1.0)**2)[-1] <= 0.05),
            "ravine": fallen("ravine"), "noise": bool(values["noise"].mean() <= 0.2),
            "scale": bool(same <= 1e-6), "rotation": bool(turned <= 1e-6),
            "plateau": bool(1.0 - np.exp(-0.5 * r2[-1]) <= 0.1),
            "zero": bool(np.abs(row["zero"]).max() <= 0.1), "one NaN": fallen("NaN"),
            "1e±8": fallen("large") and fallen("small"),
            "condition": bool(np.abs(row["condition"][-1]).max() <= 0.1),
            "kink": bool(values["kink"] <= 0.05), "drift": bool(values["lag"] <= 0.3)}


def measured(path):
    """Numbers that closed forms give: noise (copies,) mean f, kink mean f, lag, steps to leave."""
    steps = len(path) - 1
    with np.errstate(all="ignore"):
        noisy = 0.5 * np.sum(path[steps // 2:, ROWS.index("noise"):]**2, axis=-1).mean(axis=0)
        kink = np.abs(path[-100:, ROWS.index("kink")]).sum(axis=-1).mean()
        drift = path[:, ROWS.index("drift")] - np.outer(SPEED * np.arange(steps + 1), (1.0, 0.0))
        left = np.abs(path[:, ROWS.index("saddle"), 1]) > 0.1
        return {"noise": noisy, "kink": kink, "lag": np.linalg.norm(drift[-100:], axis=-1).mean(),
                "left": int(np.argmax(left)) if left.any() else math.inf}


def relative(a, b):
    """Largest difference of two runs of heights, relative to the first height."""
    gap = np.abs(a - b).max() / np.abs(a[0])
    return gap if np.isfinite(gap) else math.inf


def host(path):
    return np.array([to_host(theta) for theta in path])
