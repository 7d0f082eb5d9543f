"""Layout: trees of arrays <-> flat points."""
import numpy as np
import pytest

import minigrad as mg
from minigrad.backend import to_host, xp
from minigrad.tree import leaves_of, names_of, rebuild


def tree(lead=()):
    rng = np.random.default_rng(0)
    a = lambda *shape: xp.asarray(rng.standard_normal(lead + shape))
    return {"embed": {"E": a(5, 3)}, "layers": [{"W": a(3, 4), "b": a(4)}, {"K": a(2, 3, 1, 1)}],
            "norm": {"gain": a(4), "shift": a(4)}, "other": a(2, 2), "scale": a(1)}


def test_names_kinds_and_filter_axes():
    layout = mg.Layout(tree())
    assert [(e.name, e.kind, e.filter_axis) for e in layout.entries] == [
        ("embed.E", "embedding", 0), ("layers.0.W", "weight", 1), ("layers.0.b", "bias", None),
        ("layers.1.K", "weight", 0), ("norm.gain", "norm", None), ("norm.shift", "norm", None),
        ("other", "weight", 1), ("scale", "bias", None)]
    assert layout.size == 15 + 12 + 4 + 6 + 8 + 4 + 1 == layout.entries[-1].stop
    assert layout["layers.0.W"].shape == (3, 4) and layout.names[1] == "layers.0.W"
    told = mg.Layout(tree(), kinds={"other": ("norm", None)})
    assert told["other"].kind == "norm" and told != layout and layout == mg.Layout(tree())


@pytest.mark.parametrize("lead", [(), (6,), (2, 3)])
def test_there_and_back(lead):
    layout, t = mg.Layout(tree()), tree(lead)
    theta = layout.ravel(t)
    assert theta.shape == lead + (layout.size,)
    back = layout.unravel(theta)
    assert names_of(back) == names_of(t)
    for a, b in zip(leaves_of(t), leaves_of(back)):
        assert (to_host(a) == to_host(b)).all()
    assert (to_host(layout.ravel(back)) == to_host(theta)).all()


def test_unravel_makes_views_and_ravel_writes_into_out():
    layout = mg.Layout(tree())
    theta = layout.ravel(tree())
    views = leaves_of(layout.unravel(theta))
    theta[:] = 7.0
    assert all((to_host(v) == 7.0).all() for v in views)
    out = xp.empty(layout.size)
    assert layout.ravel(tree(), out=out) is out


def test_ravel_and_unravel_of_tensors_are_differentiable():
    layout = mg.Layout(tree())
    theta = layout.ravel(tree())

    def f(theta):
        params = layout.unravel(theta)
        params["layers"][0]["W"] = mg.sin(params["layers"][0]["W"])
        return mg.sum(mg.square(layout.ravel(params)) * xp.arange(layout.size, dtype=float))
    mg.check_gradient(f, theta, np.random.default_rng(0))
    mg.check_hvp(f, theta, np.random.default_rng(0))


def test_one_array_is_a_tree():
    layout = mg.Layout(xp.ones((2, 3)))
    assert layout.names == ["theta"] and layout.unravel(xp.ones(6)).shape == (2, 3)


def test_rebuild_keeps_the_form():
    assert rebuild({"a": (1, [2]), "b": 3}, [4, 5, 6]) == {"a": (4, [5]), "b": 6}


def test_wrong_sizes_are_named():
    layout = mg.Layout(tree())
    with pytest.raises(ValueError, match=r"unravel: theta has shape \(3,\), this layout has 50"):
        layout.unravel(xp.ones(3))
    with pytest.raises(ValueError, match="ravel: the tree has 1 arrays, this layout has 8"):
        layout.ravel([xp.ones(50)])
    t = tree()
    t["layers"][0]["W"] = xp.ones((4, 3))
    with pytest.raises(ValueError, match=r"ravel: layers.0.W has shape \(4, 3\).*\(3, 4\)"):
        layout.ravel(t)
