"""Learning rates that change with the step: each function returns a function of the step.

    opt = Adam(lr=warmup_cosine(0.003, warmup=100, steps=2000))

The step counts from 0, the number of updates already done. A rate may be an array (n, 1), one for
each point of a batch. After its last step a schedule keeps its final value.
"""
import math

from minigrad.arguments import count, real

from .hyperparameters import checked


def constant(lr):
    """η_t = η."""
    rates("constant", lr=lr)
    return lambda step: lr


def linear(lr, steps, *, end=0.0, hold=0):
    """Constant for `hold` steps, then a straight line that arrives at `end` after `steps` steps.

        η_t = η + (η_end - η) (t - h)/(T - h)            h <= t <= T
    """
    rates("linear", lr=lr, end=end)
    steps, hold = check("linear", steps=steps, hold=hold, shorter="hold")

    def rate(step):
        done = min(max(step - hold, 0), steps - hold) / (steps - hold)
        return lr * (1.0 - done) + end * done
    return of_steps("linear", rate)


def cosine(lr, steps, *, end=0.0):
    """Half a wave of the cosine from `lr` down to `end`, without restarts.

        η_t = η_end + (η - η_end) (1 + cos(π t/T)) / 2          0 <= t <= T

    Source: Loshchilov & Hutter 2016, arXiv:1608.03983, eq. 5.
    """
    rates("cosine", lr=lr, end=end)
    steps, = check("cosine", steps=steps)

    def rate(step):
        share = 0.5 * (1.0 + math.cos(math.pi * min(step, steps) / steps))
        return lr * share + end * (1.0 - share)
    return of_steps("cosine", rate)


def warmup_cosine(lr, warmup, steps, *, end=0.0):
    """Grows in equal amounts to `lr` in the first `warmup` steps, then `cosine` over the others.

        η_t = η (t + 1)/W                                0 <= t < W

    Source: Goyal et al. 2017, arXiv:1706.02677, section 2.2 (gradual warm-up).
    """
    rates("warmup_cosine", lr=lr, end=end)
    steps, warmup = check("warmup_cosine", steps=steps, warmup=warmup, shorter="warmup")
    fall = cosine(lr, steps - warmup, end=end)

    def rate(step):
        return lr * ((step + 1) / warmup) if step < warmup else fall(step - warmup)
    return of_steps("warmup_cosine", rate)


def polynomial(lr, power=0.5):
    """A power of the step number, without end: the rates of stochastic approximation.

        η_t = η (t + 1)^(-p)                             p = 1/2: η/√(t+1)

    Source: Robbins & Monro 1951: Σ η_t = ∞ and Σ η_t² < ∞ hold for 1/2 < p <= 1.
    """
    rates("polynomial", lr=lr)
    if not 0.0 <= real("polynomial", "power", power):
        raise ValueError(f"polynomial: power must lie in [0, inf), got {power}.")
    return of_steps("polynomial", lambda step: lr * (step + 1.0) ** -power)


def of_steps(name, rate):
    """The same function of the step, for numbers from 0 on; whole ones cost one comparison."""
    def checked_rate(step):
        if type(step) is not int or step < 0:
            step = real(name, "the step", step, low=0.0)
        return rate(step)
    return checked_rate


def rates(name, **values):
    """Raises unless each is a number or an array (n, 1); its range is looked at in every step."""
    for key, value in values.items():
        checked(name, key, value, "")


def check(name, shorter=None, **lengths):
    """The lengths as ints; ValueError unless steps >= 1 and 0 <= the shorter length < steps."""
    lengths = {key: count(name, key, n, least=-math.inf) for key, n in lengths.items()}
    if not lengths["steps"] >= 1:
        raise ValueError(f"{name}: steps must be at least 1, got {lengths['steps']}.")
    if shorter and not 0 <= lengths[shorter] < lengths["steps"]:
        raise ValueError(f"{name}: {shorter} must lie in [0, {lengths['steps']}), "
                         f"got {lengths[shorter]}.")
    return lengths.values()
