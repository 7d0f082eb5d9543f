"""Is a derivative right? Compare with central differences, along random directions, in float64.

Checking <g, v> = df/dv for a few random v costs two evaluations each, whatever the number of
parameters, and a wrong coordinate cannot hide in a random direction.
"""
from minigrad.arguments import count, function, generator, real
from minigrad.backend import xp
from minigrad.tensor import constant
from minigrad.transforms import grad, hvp
from minigrad.tree import leaves_of, rebuild


def _direction(x, rng):
    return rebuild(x, [xp.asarray(rng.standard_normal(leaf.shape)) for leaf in leaves_of(x)])


def _moved(x, v, h):
    return rebuild(x, [a + h * b for a, b in zip(leaves_of(x), leaves_of(v))])


def _dot(a, b):
    return sum(float((p * q).sum()) for p, q in zip(leaves_of(a), leaves_of(b)))


def _size(a):
    return _dot(a, a) ** 0.5


def _require_float64(operation, x):
    for leaf in leaves_of(x):
        if not hasattr(leaf, "dtype"):
            raise TypeError(f"{operation}: x must hold float64 arrays, got {leaf!r}.")
        if leaf.dtype != xp.float64:
            raise TypeError(f"{operation}: needs float64, got {leaf.dtype}; central differences in "
                            "lower precision are too coarse. Convert with .astype('float64').")


def _check_settings(where, f, x, rng, directions, h, rtol):
    function(where, "f", f)
    generator(where, rng)
    _require_float64(where, x)
    return (count(where, "directions", directions), real(where, "h", h, low=1e-300),
            real(where, "rtol", rtol, low=0.0))


def agree(fact, sentence):
    """An assertion that `python -O` does not remove."""
    if not fact:
        raise AssertionError(sentence)


def check_gradient(f, x, rng, *, directions=3, h=1e-6, rtol=1e-6):
    """Raise AssertionError unless <grad f(x), v> agrees with (f(x + hv) - f(x - hv)) / 2h.

    f     scalar function of a tree of float64 arrays
    rng   NumPy Generator for the directions v
    rtol  allowed difference, relative to |v| |gradient| or to 1, whichever is larger
    """
    directions, h, rtol = _check_settings("check_gradient", f, x, rng, directions, h, rtol)
    g = grad(f)(x)
    for _ in range(directions):
        v = _direction(x, rng)
        ours = _dot(g, v)
        above, below = (float(constant(f(_moved(x, v, t)))) for t in (h, -h))
        theirs = (above - below) / (2 * h)
        scale = max(1.0, _size(g) * _size(v))
        agree(abs(ours - theirs) <= rtol * scale,
              f"check_gradient: gradient along a random direction is {ours}, central differences "
              f"give {theirs} (allowed difference {rtol * scale:.1e})")


def check_hvp(f, x, rng, *, directions=2, h=1e-5, rtol=1e-5):
    """Raise AssertionError unless H v agrees with (g(x + hv) - g(x - hv)) / 2h and H is symmetric.

    Arguments as in `check_gradient`; rtol is relative to |H v| or to 1, whichever is larger.
    """
    directions, h, rtol = _check_settings("check_hvp", f, x, rng, directions, h, rtol)
    product, gradient = hvp(f, x), grad(f)
    for _ in range(directions):
        u, v = _direction(x, rng), _direction(x, rng)
        Hv = product(v)
        plus, minus = gradient(_moved(x, v, h)), gradient(_moved(x, v, -h))
        error = rebuild(x, [a - (b - c) * (0.5 / h) for a, b, c in
                            zip(leaves_of(Hv), leaves_of(plus), leaves_of(minus))])
        scale = max(1.0, _size(Hv))
        agree(_size(error) <= rtol * scale,
              f"check_hvp: H v differs from differences of gradients by {_size(error):.2e} "
              f"(allowed {rtol * scale:.1e})")
        a, b = _dot(u, Hv), _dot(v, product(u))
        scale = max(1.0, _size(u) * _size(Hv))
        agree(abs(a - b) <= 1e-9 * scale,
              f"check_hvp: H is not symmetric: u.Hv = {a}, v.Hu = {b}")
