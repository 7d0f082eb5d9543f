"""Results are the caller's own; what is linearised sees no later writes; trees go by key."""
import numpy as np
import pytest

import minigrad as mg
from minigrad.backend import to_host, xp
from minigrad.tree import leaves_of

A = xp.asarray


def shares(a, b):
    """Do two arrays overlap in memory? CuPy tells it of arrays of no axes by their bounds alone."""
    if isinstance(a, np.ndarray) or hasattr(a, "_host"):
        return np.shares_memory(getattr(a, "_host", a), getattr(b, "_host", b))
    return xp.may_share_memory(a, b)


def writable(a):
    a[...] = a + 1.0                                 # raises where it is read-only
    return True


FUNCTIONS = {                                        # scalar functions of {"a": (3, 3), "b": (3,)}
    "sum": lambda p: mg.sum(p["a"]) + mg.sum(p["b"]),
    "a + b": lambda p: mg.sum(p["a"] + p["b"]),
    "a + a^T": lambda p: mg.sum(p["a"] + p["a"].T) + mg.sum(p["b"] * p["b"]),
    "reshaped": lambda p: mg.sum(p["a"].reshape(9)) + mg.sum(p["b"][None]),
    "sliced": lambda p: mg.sum(p["a"][1:]) + p["b"][0] + mg.sum(p["b"][...]),
    "stacked": lambda p: mg.sum(mg.concatenate([p["a"], p["b"][None]])),
    "broadcast": lambda p: mg.sum(mg.broadcast_to(p["b"], (3, 3)) + p["a"]),
    "means": lambda p: mg.mean(p["a"] * 1.0) + mg.mean(p["b"] + 0.0),
    "moved": lambda p: mg.sum(mg.swapaxes(p["a"], 0, 1) + mg.expand_dims(p["b"], 0)),
    "squares": lambda p: mg.sum(p["a"] ** 2) / 2 + mg.sum(p["b"] ** 2) / 2,
    "used once": lambda p: mg.sum(p["a"]),
    "constant": lambda p: xp.asarray(3.0),
}


def parameters():
    return {"a": A(np.arange(9.0).reshape(3, 3)), "b": A(np.array([1.0, -1.0, 2.0]))}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_result_is_an_array_of_its_own(name):
    f = FUNCTIONS[name]

    def linear(p):                                   # a function that hands parts of x through
        return {"f": f(p), "a": p["a"], "row": p["a"][0], "b": p["b"] + 0.0, "twice": p["b"]}
    p, v = parameters(), parameters()
    y, pullback = mg.vjp(linear, p)
    u = {"f": A(1.0), "a": v["a"], "row": v["b"], "b": v["b"], "twice": v["b"]}
    push = mg.jvp(linear, p)[1]
    results = [mg.grad(f)(p), pullback(u), pullback(u), mg.hvp(f, p)(v), push(v), y,
               mg.value_and_grad(f)(p)[1]]
    arrays = [leaf for result in results for leaf in leaves_of(result)]
    arrays = [a for a in arrays if isinstance(a, xp.ndarray)]       # numbers are values
    assert len(arrays) >= 7 * 2
    given = leaves_of(p) + leaves_of(v) + leaves_of(u)
    for i, a in enumerate(arrays):
        assert writable(a)
        assert not any(shares(a, b) for b in arrays[:i] + given), (name, i)
    right = leaves_of(parameters()) * 2
    assert all((to_host(a) == to_host(b)).all() for a, b in zip(given, right))


def test_large_and_small_gradients_are_writable():
    for n in (1, 1000, 1024, 1025, 5000):
        assert writable(mg.grad(lambda x: mg.sum(x))(xp.ones(n)))
    for x in (A(2.0), 2.0):
        assert writable(mg.grad(lambda x: x + 0.0)(x))
    leaf = mg.tensor(xp.ones(5000))
    mg.sum(leaf).backward()
    assert writable(leaf.grad)
    a, b = mg.tensor(xp.ones(3)), mg.tensor(xp.ones(3))
    mg.sum((a + b) * 2.0).backward()
    assert not shares(a.grad, b.grad)


def test_inner_gradients_do_not_share_either():
    def f(x):
        g = mg.grad(lambda p: mg.sum(p["a"] + p["b"]))({"a": xp.ones(2), "b": xp.ones(2)})
        g["a"] *= 10.0
        return mg.sum(x * g["b"])
    assert to_host(mg.grad(f)(xp.ones(2))).tolist() == [1.0, 1.0]


# ---------------------------------------------------------------- later writes are not seen

def linearisations(f, x, v):
    """Functions that apply what was linearised before the caller writes into his arrays."""
    H, pull, push = mg.hvp(f, x), mg.vjp(f, x)[1], mg.jvp(f, x)[1]
    leaf = mg.tensor(x)
    y = f(leaf)

    def by_hand():
        y.backward()
        return leaf.grad
    return {"hvp": lambda: H(v), "pullback": lambda: pull(A(1.0)), "push": lambda: push(v),
            "backward": by_hand}


@pytest.mark.parametrize("written", ["x", "data", "mask", "index", "labels", "number"])
def test_what_is_linearised_stays_what_it_was(written):
    arrays = {"x": xp.asarray([[0.3, -0.7], [0.2, 0.9]]),
              "data": A(np.array([[1.0, 2.0], [0.5, -1.0]])),
              "mask": A(np.array([[2.0, 0.0], [2.0, 2.0]])), "index": A(np.array([1, 0, 1])),
              "labels": A(np.array([0, 1])), "number": A(3.0)}
    v = A(np.array([[1.0, -2.0], [0.5, 1.0]]))

    def f(x):
        h = mg.tanh(x @ arrays["data"]) * arrays["mask"] + arrays["data"] * x
        a = mg.attention(h, h * arrays["number"], h, mask=arrays["mask"])
        return (mg.softmax_cross_entropy(a, arrays["labels"]) + mg.sum(mg.sin(h[arrays["index"]]))
                + mg.sum(mg.where(arrays["mask"] > 1.0, h, h * h)) + mg.mean(arrays["x"] * x * x)
                + mg.sum(x[arrays["index"], 0] * x[arrays["index"], 1]))
    once, again = (linearisations(f, arrays["x"], v) for _ in range(2))
    before = {name: to_host(apply()) for name, apply in once.items()}
    arrays[written][...] = 1 - arrays[written]
    for name, apply in again.items():
        np.testing.assert_array_equal(to_host(apply()), before[name], err_msg=name)


def test_the_cotangent_of_a_recorded_pass_is_kept_too():
    # What is linearised here contains a cotangent given as an array.
    u, x = A(np.array([1.0, 2.0])), A(np.array([0.5, 0.25]))
    push = mg.jvp(lambda x: mg.vjp(lambda t: t * t * t, x)[1](u), x)[1]
    before = to_host(push(x))
    u[...] = 7.0
    np.testing.assert_array_equal(to_host(push(x)), before)
    np.testing.assert_allclose(before, [6 * 0.5 * 1.0 * 0.5, 6 * 0.25 * 2.0 * 0.25])


def test_results_may_be_written_into_before_the_pullback_is_used():
    y, pullback = mg.vjp(lambda x: mg.exp(x), A(np.array([0.0, 1.0])))
    y[...] = 0.0
    np.testing.assert_allclose(to_host(pullback(xp.ones(2))), np.exp([0.0, 1.0]), rtol=1e-15)
    first = pullback(xp.ones(2))
    first[...] = 0.0
    np.testing.assert_allclose(to_host(pullback(xp.ones(2))), np.exp([0.0, 1.0]), rtol=1e-15)


def test_a_tree_that_is_changed_later_is_not_seen():
    p = {"a": A(1.0), "b": A(2.0)}

    def f(q):
        q["a"] = q["a"] * q["b"]                     # the function's own tree
        return q["a"] * q["a"]
    H = mg.hvp(f, p)
    del p["b"]
    p["c"] = A(5.0)
    Hv = H({"b": A(0.0), "a": A(1.0)})
    assert float(Hv["a"]) == 8.0 and float(Hv["b"]) == 8.0


# --------------------------------------------------------------------------- trees by key

def test_trees_are_matched_by_key():
    one = {"a": A(1.0), "b": A(1.0)}
    pull = mg.vjp(lambda x: {"u": 2 * x, "v": 3 * x}, A(1.0))[1]
    assert float(pull({"v": A(0.0), "u": A(1.0)})) == 2.0
    push = mg.jvp(lambda p: {"y": 2 * p["a"] + 3 * p["b"], "z": p["b"]}, one)[1]
    out = push({"b": A(0.0), "a": A(1.0)})
    assert float(out["y"]) == 2.0 and float(out["z"]) == 0.0
    Hv = mg.hvp(lambda p: p["a"] ** 2 + 5 * p["b"] ** 2, one)({"b": A(0.0), "a": A(1.0)})
    assert float(Hv["a"]) == 2.0 and float(Hv["b"]) == 0.0
    layout = mg.Layout({"a": xp.zeros(2), "n": [{"b": xp.zeros(1), "c": xp.zeros(1)}]})
    theta = layout.ravel({"n": [{"c": A([4.0]), "b": A([3.0])}], "a": A([1.0, 2.0])})
    assert to_host(theta).tolist() == [1.0, 2.0, 3.0, 4.0]
    out = xp.zeros(4)
    assert layout.ravel({"n": [{"c": A([4.0]), "b": A([3.0])}], "a": A([1.0, 2.0])}, out=out) is out
    assert to_host(out).tolist() == [1.0, 2.0, 3.0, 4.0]


two = {"a": A(1.0), "b": A(1.0)}


@pytest.mark.parametrize("call, kind, message", [
    (lambda: mg.vjp(lambda x: {"u": x, "v": x}, A(1.0))[1]({"u": A(1.0), "w": A(0.0)}), ValueError,
     "vjp: got a dict with keys u, w, needed is a dict with keys u, v. Give a tree"),
    (lambda: mg.hvp(lambda p: p["a"] * p["b"], two)({"a": A(1.0)}), ValueError,
     "hvp: got a dict with keys a, needed is a dict with keys a, b"),
    (lambda: mg.jvp(lambda p: p["a"], two)[1]({**two, "c": A(1.0)}), ValueError,
     "jvp: got a dict with keys a, b, c, needed is a dict with keys a, b"),
    (lambda: mg.vjp(lambda x: (x, x), A(1.0))[1]([A(1.0), A(1.0)]), ValueError,
     "vjp: got a list of 2, needed is a tuple of 2"),
    (lambda: mg.vjp(lambda x: (x, x), A(1.0))[1]((A(1.0),)), ValueError,
     "vjp: got a tuple of 1, needed is a tuple of 2"),
    (lambda: mg.hvp(lambda x: mg.sum(x * x), xp.ones(2))([1.0, 2.0]), ValueError,
     "hvp: got a list of 2, needed is one array"),
    (lambda: mg.vjp(lambda x: [{"y": x}], A(1.0))[1]([A(1.0)]), ValueError,
     r"vjp: got an array of shape \(\) at 0, needed is a dict with keys y"),
    (lambda: mg.vjp(lambda x: [x, x], A(1.0))[1]({0: A(1.0), 1: A(1.0)}), ValueError,
     "vjp: got a dict with keys 0, 1, needed is a list of 2"),
    (lambda: mg.vjp(lambda x: x, A(1.0))[1](None), TypeError,
     r"vjp: got a NoneType for an output of shape \(\)"),
    (lambda: mg.vjp(lambda x: x, A(1.0))[1]("1"), TypeError, "vjp: got a str for an output"),
    (lambda: mg.vjp(lambda x: x, A(1.0))[1](A(1j)), TypeError,
     "vjp: got a cotangent of complex128 values. Give real numbers"),
    (lambda: mg.vjp(lambda x: (x, None), A(1.0)), TypeError,
     "vjp: the function returned a NoneType"),
    (lambda: mg.vjp(lambda x: "y", A(1.0)), TypeError, "vjp: the function returned a str"),
    (lambda: mg.jvp(lambda x: None, A(1.0)), TypeError, "jvp: the function returned a NoneType"),
    (lambda: mg.grad(lambda x: None)(A(1.0)), ValueError,
     "grad: loss must return a scalar, got a NoneType"),
    (lambda: mg.grad(lambda x: 1.0)(A(1.0)), ValueError,
     "grad: loss must return a scalar array, got a float"),
    (lambda: mg.grad(lambda x: mg.sum(x["a"]))({"a": None}), TypeError,
     "grad: cannot differentiate with respect to a NoneType"),
    (lambda: mg.grad(lambda x: x)(3), TypeError,
     "grad: cannot differentiate with respect to an int"),
    (lambda: mg.grad(lambda x: abs(x))(A(1j)), TypeError, "grad: cannot differentiate complex128"),
    (lambda: mg.Layout({"a": xp.ones(2)}).ravel({"b": xp.ones(2)}), ValueError,
     "ravel: got a dict with keys b, needed is a dict with keys a"),
    (lambda: mg.Layout({"a": xp.ones(2)}).ravel([xp.ones(2)]), ValueError,
     "ravel: got a list of 1, needed is a dict with keys a"),
    (lambda: mg.Layout({"a": xp.ones(2)}).ravel({"a": None}), TypeError,
     "ravel: a is a NoneType. Give arrays at the leaves"),
    (lambda: mg.Layout({"a": 1.0}), TypeError, "Layout: a is a float. Give arrays"),
    (lambda: mg.Layout({"a": xp.ones(2)})["b"], KeyError, "Layout: there is no array 'b'"),
    (lambda: mg.Layout({"a": xp.ones(2)}).unravel([1.0, 2.0]), TypeError,
     "unravel: theta is a list of 2. Give an array"),
])
def test_a_mismatch_is_a_sentence(call, kind, message):
    with pytest.raises(kind, match=message):
        call()


def test_numbers_and_empty_trees():
    pull = mg.vjp(lambda x: x ** 2, A(3.0))[1]
    assert float(pull(1.0)) == float(pull(1)) == pytest.approx(6.0, rel=1e-15)   # CUDA's pow
    counts = mg.vjp(lambda x: x * 2.0, xp.ones(2, "float32"))[1](A(np.array([1, 2])))
    assert counts.dtype == np.float32 and to_host(counts).tolist() == [2.0, 4.0]
    for empty in ({}, [], ()):
        assert mg.grad(lambda p: A(1.0))(empty) == empty
        assert mg.hvp(lambda p: A(1.0), empty)(empty) == empty
        assert mg.vjp(lambda p: empty, A(1.0))[0] == empty
        assert float(mg.vjp(lambda p: empty, A(1.0))[1](empty)) == 0.0
        layout = mg.Layout(empty)
        assert layout.ravel(empty).shape == (0,) and layout.unravel(xp.zeros(0)) == empty
    g = mg.grad(lambda p: mg.sum(p["a"]))({"a": xp.ones(2), "rest": {}, "none": []})
    assert g["rest"] == {} and g["none"] == []


def test_heights_of_many_points_at_once():
    x = A(np.arange(6.0).reshape(3, 2))
    heights, g = mg.value_and_grad(lambda x: mg.sum(x * x, axis=-1), each=True)(x)
    assert to_host(heights).tolist() == [1.0, 13.0, 41.0]
    np.testing.assert_array_equal(to_host(g), 2 * to_host(x))
    assert writable(heights) and writable(g) and to_host(x)[1].tolist() == [2.0, 3.0]
