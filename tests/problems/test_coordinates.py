"""A point of another dimension than a landscape has gets a sentence, never a height."""
import numpy as np
import pytest

from minigrad.backend import xp
from optim import Objective
from problems import finite_sums, functions, potentials, saddles


def source():
    return np.random.default_rng(0)


LANDSCAPES = {
    **{name: getattr(potentials, name) for name in (
        "MuellerBrown", "ThreeHole", "TiltedRing", "TiltedWell", "WolfeQuapp", "Toy", "DoubleWell",
        "Ring", "OneNeuron", "CurvedWell", "NeuronSwap")},
    "EggBox": lambda: potentials.EggBox(d=3),
    "Embedded": lambda: potentials.Embedded(potentials.DoubleWell(), 5, rng=source()),
    "CurvedWell of 4": lambda: potentials.CurvedWell(a=(1.0, 0.5, -1.0)),
    "ClassicalSaddle": saddles.ClassicalSaddle, "MonkeySaddle": saddles.MonkeySaddle,
    "DeepLinear": lambda: saddles.DeepLinear(xp.eye(2), (2,)),
    "Octopus": lambda: saddles.Octopus(3), "PSpin": lambda: saddles.PSpin(5, rng=source()),
    "RayleighQuartic": lambda: saddles.RayleighQuartic([1.0, 2.0, 3.0]),
    "ScalarNet": lambda: saddles.ScalarNet(3), "StrictSaddle": lambda: saddles.StrictSaddle(4),
    **{name: getattr(finite_sums, name) for name in (
        "bowl", "double_well", "example1", "example2", "example3", "example3_variant", "example4",
        "example6", "parabolas", "HalfSpace", "Product")},
    "Bowls": lambda: finite_sums.Bowls(xp.asarray([[0.0, 1.0], [1.0, 2.0]])),
    "LogisticNetwork": lambda: finite_sums.LogisticNetwork(np.eye(2), np.array([1.0, -1.0])),
    "MatrixFactorisation": lambda: finite_sums.MatrixFactorisation(xp.ones((3, 4)), k=1),
    "Ridges": lambda: finite_sums.Ridges([0.0, 1.0], d=2),
    **{name: lambda name=name: getattr(functions, name) for name in (
        "booth", "three_hump_camel", "beale", "himmelblau")},
    "quadratic": lambda: functions.quadratic([1.0, 2.0, 3.0]),
}


def dimension(landscape):
    return landscape.coordinates or landscape.start(source()).shape[-1]


@pytest.mark.parametrize("name", LANDSCAPES)
def test_points_of_another_dimension(name):
    landscape = LANDSCAPES[name]()
    d = dimension(landscape)
    for other in {1, d - 1, d + 1, 2 * d} - {0, d}:
        theta = xp.asarray(np.linspace(0.1, 0.9, other))
        asked = [landscape.loss, landscape, Objective(landscape).value_and_grad,
                 lambda x: Objective(landscape).hvp(x)(x), lambda x: landscape.loss(xp.stack([x, x])),
                 *([landscape.parts] if hasattr(landscape, "parts") else [])]
        for ask in asked:
            with pytest.raises(ValueError, match=r"^[\w.]+: "):
                ask(theta)
    theta = xp.asarray(np.linspace(0.1, 0.9, d))
    assert landscape.loss(theta).shape == () and landscape.loss(xp.stack([theta] * 3)).shape == (3,)
    assert landscape.loss(xp.zeros((0, d))).shape == (0,)           # a batch of no points has none


def test_the_sentence():
    with pytest.raises(ValueError, match=r"MuellerBrown.loss: points have 2 coordinates along the last "
                                         r"axis, got shape \(3,\)\."):
        potentials.MuellerBrown().loss(xp.ones(3))
    with pytest.raises(ValueError, match=r"Bowls.parts: points have 2 coordinates .*\(5, 1\)"):
        LANDSCAPES["Bowls"]().parts(xp.ones((5, 1)))
