"""Random initial weights, drawn on the host from an explicit generator.

A layer keeps the size of its input when the variance of a weight is about 1/fan_in, fan_in being
the number of inputs of one output unit. The rules differ in the constant and the shape:

    lecun    normal cut off at two deviations, rescaled so that the variance is 1/fan_in   (flax)
    he       normal of variance 2/fan_in: a relu drops half of it                  (He et al. 2015)
    xavier   uniform on +-sqrt(6 / (fan_in + fan_out))                           (Glorot & Bengio)
    normal   normal of variance 1/fan_in
    uniform  uniform on +-1 / sqrt(fan_in), biases too                                       (torch)

A dense weight is (fan_in, fan_out); a convolution kernel is (out, in, kh, kw) with fan_in = in kh
kw. `gain` multiplies every rule. The arrays are float64; a problem casts them to its own dtype.

Source: Glorot & Bengio, AISTATS 2010, eq. 16; He et al., arXiv:1502.01852, eq. 10.
"""
import math

from minigrad.arguments import generator, short, whole_numbers
from minigrad.backend import xp
from minigrad.kinds import expects, natural, source, whole

# Standard deviation of a standard normal that is cut off at +-2:
#     1 - 2 z phi(z) / (2 Phi(z) - 1)  at  z = 2,  phi the normal density, Phi its integral
_PHI_2 = math.exp(-2.0) / math.sqrt(2.0 * math.pi)
TRUNCATED_STD = math.sqrt(1.0 - 4.0 * _PHI_2 / math.erf(math.sqrt(2.0)))


def sizes(where, name, value):
    """The shape of an array: two whole numbers >= 1, or more."""
    shape = whole_numbers(where, name, value)
    if len(shape) < 2:
        raise ValueError(f"{where}: {name} must be (in, out), or (out, in, kh, kw), got {shape}.")
    return shape


def truncated_normal(rng, shape):
    """Standard normals, each drawn again while it lies outside +-2: a host array, float64."""
    z = rng.standard_normal(shape)
    outside = abs(z) > 2.0
    while outside.any():
        z[outside] = rng.standard_normal(int(outside.sum()))
        outside = abs(z) > 2.0
    return z


def fans(shape):
    """(fan_in, fan_out) of a dense weight (in, out) or a kernel (out, in, kh, kw)."""
    if len(shape) == 2:
        return shape
    window = math.prod(shape[2:])
    return shape[1] * window, shape[0] * window


@expects(rng=source, shape=sizes, gain=natural)
def lecun(rng, shape, gain=1.0):
    """Truncated normal with standard deviation gain / sqrt(fan_in)."""
    scale = gain / math.sqrt(fans(shape)[0]) / TRUNCATED_STD
    return xp.asarray(truncated_normal(rng, shape) * scale)


@expects(rng=source, shape=sizes, gain=natural)
def he(rng, shape, gain=1.0):
    """Normal with standard deviation gain sqrt(2 / fan_in)."""
    return xp.asarray(rng.standard_normal(shape) * (gain * math.sqrt(2.0 / fans(shape)[0])))


@expects(rng=source, shape=sizes, gain=natural)
def xavier(rng, shape, gain=1.0):
    """Uniform on +- gain sqrt(6 / (fan_in + fan_out))."""
    bound = gain * math.sqrt(6.0 / sum(fans(shape)))
    return xp.asarray(rng.uniform(-bound, bound, shape))


@expects(rng=source, shape=sizes, gain=natural)
def normal(rng, shape, gain=1.0):
    """Normal with standard deviation gain / sqrt(fan_in)."""
    return xp.asarray(rng.standard_normal(shape) * (gain / math.sqrt(fans(shape)[0])))


@expects(rng=source, shape=sizes, gain=natural)
def uniform(rng, shape, gain=1.0):
    """Uniform on +- gain / sqrt(fan_in)."""
    bound = gain / math.sqrt(fans(shape)[0])
    return xp.asarray(rng.uniform(-bound, bound, shape))


RULES = {"lecun": lecun, "he": he, "xavier": xavier, "normal": normal, "uniform": uniform}


def rule_of(where, name, value):
    """The name of a rule."""
    if not isinstance(value, str) or value not in RULES:
        raise ValueError(f"init: unknown rule {short(value)}. Use one of {', '.join(RULES)}.")
    return value


def draw(rng, shape, rule, gain=1.0):
    """Weights of the given shape by the rule of that name."""
    generator("init", rng)
    rule_of("init", "rule", rule)
    return RULES[rule](rng, shape, gain)


def bias(rng, weight, width, rule):
    """Biases (width,) of a layer with that weight: zeros, except under "uniform"."""
    if rule != "uniform":
        return xp.zeros(width)
    bound = 1.0 / math.sqrt(fans(weight.shape)[0])
    return xp.asarray(rng.uniform(-bound, bound, width))


@expects(rng=source, width_in=whole(1), width_out=whole(1), rule=rule_of, gain=natural)
def dense(rng, width_in, width_out, rule="lecun", gain=1.0):
    """A linear layer {"W" (in, out), "b" (out,)}."""
    W = draw(rng, (width_in, width_out), rule, gain)
    return {"W": W, "b": bias(rng, W, width_out, rule)}


@expects(rng=source, channels=whole(1), filters=whole(1), kernel=whole(1), rule=rule_of)
def convolution(rng, channels, filters, kernel, rule="lecun"):
    """A convolution {"K" (filters, channels, kernel, kernel), "b" (filters,)}."""
    K = draw(rng, (filters, channels, kernel, kernel), rule)
    return {"K": K, "b": bias(rng, K, filters, rule)}


@expects(width=whole(1))
def norm(width):
    """A normalisation layer {"gain" (width,) ones, "shift" (width,) zeros}."""
    return {"gain": xp.ones(width), "shift": xp.zeros(width)}


@expects(rng=source, rows=whole(1), width=whole(1))
def table(rng, rows, width):
    """Embedding rows (rows, width): normal with variance 1/width, as flax has it."""
    return xp.asarray(rng.standard_normal((rows, width)) * (1.0 / math.sqrt(width)))
