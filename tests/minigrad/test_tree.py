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


def test_what_is_no_kernel_is_refused_when_asked():
    """Trees of arrays without names are laid out like any other; so are those of three axes."""
    layout = mg.Layout([xp.zeros((2, 3, 4, 5)), {"heads": xp.zeros((2, 3, 4))}])
    assert layout.size == 144 and layout == mg.Layout(layout.unravel(xp.zeros(144)))
    for entry, axes in zip(layout.entries, (4, 3)):
        with pytest.raises(ValueError, match=rf"Layout: .* which of its {axes} axes counts the filt"):
            entry.filter_axis
    assert mg.Layout(xp.zeros((2, 3, 4, 5))).names == ["theta"]


@pytest.mark.parametrize("name, shape", [
    ("kernel", (3, 3, 2, 4)), ("kernel", (4, 2, 3, 3)), ("W", (3, 3, 2, 4)),
    ("volume", (3, 3, 3, 2, 4))])
def test_no_filter_axis_is_guessed_among_four_or_more(name, shape):
    """Channels last or first: both are usual, and both would be silently one of them."""
    with pytest.raises(ValueError, match=rf"Layout: layer.{name} has shape \({shape[0]}, .*, and "
                       rf"which of its {len(shape)} axes counts the filters does not show. Declare"):
        mg.Layout({"layer": {name: xp.zeros(shape)}})
    for axis in range(-len(shape), len(shape)):
        told = mg.Layout({"layer": {name: xp.zeros(shape)}}, {f"layer.{name}": ("weight", axis)})
        assert told.entries[0].filter_axis == axis % len(shape)


@pytest.mark.parametrize("kinds, error, message", [
    ({"b": ("weight", 0)}, ValueError, "kinds declares 'b', but there is no such array. It has a."),
    ({"a": "weight"}, ValueError, "kinds declares 'a' as 'weight'. Give .kind, filter_axis."),
    ({"a": ("filter", 0)}, ValueError, "kinds declares 'a' as .'filter', 0.. Give"),
    ({"a": ("weight", 1.0)}, ValueError, "kinds declares 'a' as .'weight', 1.0.. Give"),
    ({"a": ("weight", 2)}, ValueError, "a is a weight counted along axis 2, but has shape .2, 3."),
    ({"a": ("weight", -3)}, ValueError, "a is a weight counted along axis -3, but has shape"),
    ([("a", ("weight", 0))], TypeError, "kinds is a list of 1. Give"),
])
def test_declarations_that_fit_nothing(kinds, error, message):
    with pytest.raises(error, match="Layout: " + message):
        mg.Layout({"a": xp.zeros((2, 3))}, kinds)


def test_a_kernel_with_too_few_axes():
    assert mg.Layout({"K": xp.zeros((4, 2, 3))})["K"].filter_axis == 0
    assert mg.Layout({"W": xp.zeros(())})["W"].filter_axis is None
