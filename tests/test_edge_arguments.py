"""Edges of what is allowed: a documented result or a sentence, never a wrong number in silence.

Every array among the arguments of the examples is emptied, along each axis; spoilt by NaN or an
infinity in one place; given one axis more or less, a coordinate more or less, another precision;
every Generator is replaced by a seed or by what else draws; every count and number goes to 0, below,
and out of range. Where NaN goes in and finite numbers come out, the reason stands here.
"""
import signal
import warnings
from collections import Counter

import numpy as np
import pytest

from minigrad.backend import on_device, to_host, xp
from tests.argument_examples import EXAMPLES
from tests.test_bad_arguments import answer, late, no_network                          # noqa: F401
from tests.test_likely_inputs import numbers

FINITE = {                                  # (name, place): why NaN leaves no trace
    ("optim.Objective", 1): "the Hessian of a quadratic does not ask where",
    ("problems.landscape.curvature.dense_hessians", 1): "the same",
    ("problems.landscape.normalise", 0): "the last coordinate is a bias, which is left out",
    ("problems.landscape.normalise", 1): "the same",
    ("problems.landscape.random_direction", 0): "the same",
    ("problems.landscape.random_pair", 0): "the same",
    ("problems.landscape.rescaling_test", 4): "the same",
    ("problems.landscape.find_symmetries", "inputs"): "it looks at the graph, not at numbers",
    ("problems.landscape.repair", "inputs"): "statistics are told",
    ("problems.landscape.accuracy", 1): "an answer of NaN is a wrong one",
}


def arrays(a):
    first, last = xp.array(a), xp.array(a)
    first[(0,) * a.ndim], last[(-1,) * a.ndim] = np.nan, np.inf
    return {"(0,)": xp.zeros(0), "no rows": a[:0], "no columns": a[..., :0], "an axis more": a[None],
            "twice": xp.stack([a, a]), "a row": a[0] if a.ndim > 1 else a[:1], "short": a[..., :-1],
            "long": xp.concatenate([a, a], axis=-1), "float32": a.astype("float32"),
            "float16": a.astype("float16"), "zeros": xp.zeros_like(a), "nan": first, "inf": last,
            "nans": xp.full_like(a, np.nan)}


def edges(value):
    """{what it is: the value at that edge} of an argument."""
    if isinstance(value, xp.ndarray) and value.dtype.kind == "f" and value.ndim:
        return arrays(value)
    if isinstance(value, xp.ndarray) and value.dtype.kind in "iu" and value.ndim:
        return {"none": value[:0], "negative": -value - 1, "large": value + 1000,
                "an axis more": value[None]}
    if isinstance(value, np.random.Generator):
        return {"0": 0, "None": None, "'0'": "0", "RandomState": np.random.RandomState(0),
                "SeedSequence": np.random.SeedSequence(0), "PCG64": np.random.PCG64(0),
                "numpy.random": np.random}
    if isinstance(value, (bool, str)) or value is None:
        return {}
    if isinstance(value, int):
        return {"0": 0, "-1": -1, "-5": -5, "nan": float("nan")}
    if isinstance(value, float):
        return {"0.0": 0.0, "-1.0": -1.0, "nan": float("nan"), "inf": float("inf"),
                "-inf": -float("inf"), "1e300": 1e300, "1e-300": 1e-300}
    if isinstance(value, (list, tuple)) and not hasattr(value, "_fields"):
        kind = type(value)
        return {"empty": kind(), "one": value[:1], "twice": value + value,
                "negative": kind([-1] * len(value)), "nans": kind([float("nan")] * len(value))}
    return {}


ROOMS = {"optim": ("optim.",), "landscape": ("problems.landscape.",), "problems": tuple(
    f"problems.{room}." for room in ("functions", "potentials", "saddles", "finite_sums", "data",
                                     "networks", "initialisers", "evaluation", "sampling"))}
LABELS = {"quick": ("no rows", "no columns", "an axis more", "nan", "0", "None", "-1", "-1.0", "empty"),
          "all": None}


def tried(prefixes, labels):
    counts, wrong = Counter(), []
    before = signal.signal(signal.SIGALRM, late)
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            for name in EXAMPLES:
                _, args, named = EXAMPLES[name]()
                for place, given in [*enumerate(args), *named.items()]:
                    for label, value in edges(given).items() if name.startswith(prefixes) else ():
                        if labels and label not in labels:
                            continue
                        what, found = answer(name, place, value, seconds=5.0)
                        found = numbers(found) if what == "returned" else found
                        counts[what] += 1
                        if what == "raw":
                            wrong.append(f"{name}({place}={label}): {found[:150]}")
                        lost = what == "returned" and label in ("nan", "inf", "nans")
                        if lost and hasattr(value, "dtype") and (name, place) not in FINITE and (
                                found and np.isfinite(found).all()):
                            wrong.append(f"{name}({place}={label}): {found[:3]}, where is the NaN?")
    finally:
        signal.signal(signal.SIGALRM, before)
    return counts, wrong


@pytest.mark.parametrize("room", ROOMS)
@pytest.mark.parametrize("which", [
    "quick", pytest.param("all", marks=pytest.mark.slow)])
def test_edges_answer(room, which, capsys):
    counts, wrong = tried(ROOMS[room], LABELS[which])
    with capsys.disabled():
        print(f"\n{room}: {sum(counts.values())} calls, {counts['returned']} returned, "
              f"{counts['said']} said what is wrong, {counts['raw']} raw")
    assert not wrong, "\n".join(wrong)


@pytest.mark.skipif(on_device, reason="NumPy's own precision")
def test_diverged_networks_know_no_class():
    """argmax of NaN is class 0: labels of class 0 were right answers."""
    import optim
    from problems import Network, evaluation, landscape
    from problems.networks.mlp import MLP
    x = xp.asarray(np.random.default_rng(0).standard_normal((6, 3)))
    labels = xp.asarray([0, 0, 0, 0, 0, 1])
    net = Network(MLP((3, 4, 2)), (x, labels))
    theta = xp.full(net.layout.size, np.nan)
    assert float(to_host(landscape.accuracy(net)(theta))) == 0.0
    assert evaluation.error_rate(net.model, net.params(theta), net.data) == 1.0
    fine = net.start(np.random.default_rng(0))
    batch = xp.stack([fine, theta])
    assert to_host(landscape.accuracy(net)(batch)).tolist()[1] == 0.0
    loss, _ = optim.Objective(net).value_and_grad(batch)
    assert np.isfinite(to_host(loss)).tolist() == [True, False]
