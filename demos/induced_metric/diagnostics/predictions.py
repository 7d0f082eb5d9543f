"""What closed forms say of each method on each landscape: passes or not, and the number behind it.

Written before the runs, from the update rules alone; they know nothing of what happened, but for
one: ASAM was added when SAM's saddle had been seen. With η the rate, μ the momentum, λ a curvature,
T the steps:

    stable       η λ < 2, heavy ball 2(1+μ), Nesterov 2(1+μ)/(1+2μ), averaged 2(1+μ)/(1-μ)
    saddle       y grows by 1 + ηγ a step: ln(1/y₀)/ln(1+ηγ) steps
    noise        E f = γ σ²/(2-γ) at rate γ in two coordinates; heavy ball, with m = 1 - μ:
                 η σ² (1+μ)/(m (2(1+μ) - η))
    plateau      (Ei(r²/2) - Ei(1/2))/(2 rate) steps from r
    kink         a fixed step of length s in each coordinate ends in a cycle with mean |x| = s/2
    drift        lag = speed/rate
"""
import math

from .landscapes import SIGMA, SPEED, STEPS
from .methods import MU, XI

PLATEAU = 440.4 - 0.454                                 # Ei(8) - Ei(1/2)
IN_AXES = {"ASAM": "its ball stretches with |θ|, by coordinate",
           "PerturbedSGD": "draws its noise in the axes"}


def predict(name, m):
    """(passes, reason) of method m on a landscape."""
    return FORMS[name](m)


def saddle(m):
    rate = {"newton": 1.0, "log": 4.0 * m.lr}.get(m.kind, m.lr)
    if m.kind in ("signed", "unit"):
        return True, "a step does not shrink with the slope"
    if m.name == "ASAM":                                # SAM's trap was known when this was written
        return False, "within ρ |θ| of the saddle the slope at θ + e points back"
    if m.name == "LBFGS":
        return False, "ends at a slope of 1e-8 before it curves away"
    steps = math.log(1e8) / math.log(1.0 + rate)
    return steps < STEPS, f"leaves in about {steps:.0f} steps"


def ravine(m):
    eta = m.lr * 100.0
    if m.kind in ("steady", "damped"):
        return eta < m.limit, f"η λ = {eta:g} against {m.limit:.3g}"
    if m.kind in ("signed", "unit") and m.form == "none":
        return False, f"cycles with steps of .1: f about {50 * 0.05**2:.3g}"
    return True, {"log": "γ about L/|g|², which curvature bounds", "newton": "knows curvature",
                  "polyak": "γ about L/|g|², which curvature bounds",
                  "adagrad": "Σ|g|² grows until η λ < 2",
                  "signed": "each coordinate by its own slope"}[m.kind]


def noise(m):
    if m.kind == "newton":
        return False, f"goes to the last centre: f about {SIGMA**2:g}"
    if m.name == "NGN" or m.name == "SPS":
        rate = 0.5 if m.name == "NGN" else 1.0          # |g|² = 2L at every draw
    elif m.kind == "adagrad" or m.name == "DecSPS":
        return True, "the rate falls like 1/√t"
    elif m.kind == "unit":
        return True, f"random steps of .1: f about {m.lr / 2.5:.2g}"
    elif m.kind == "log":
        rate = m.lr / (1.0 + 2.0 * XI)                  # at a mean loss of 1
    else:
        rate = 0.5 if m.name == "NGNM" else m.lr
    f = rate * SIGMA**2 / (2.0 - rate)
    if m.form in ("heavy", "nesterov"):
        f = m.lr * SIGMA**2 * (1 + MU) / ((1 - MU) * (2 * (1 + MU) - m.lr))
    return f <= 0.2, f"f about {f:.3f}"


def scale(m):
    if m.name == "rms":
        return False, "ξ has the unit of 1/L"
    if m.name == "LBFGS":
        return False, "its search begins with the step -g"
    free = m.kind in ("log", "signed", "unit") or m.name in ("SPS", "DecSPS", "SaddleFreeNewton")
    return free, "the step has no unit of L" if free else "the step grows with the unit of L"


def rotation(m):
    if m.kind == "signed" or m.name in IN_AXES:
        return False, IN_AXES.get(m.name, "coordinate by coordinate")
    return True, "made of g and |g|"


def plateau(m):
    if m.kind in ("signed", "unit", "newton"):
        return True, "a step does not shrink with the slope"
    if m.name == "DecSPS":
        total = 2.0 * math.sqrt(STEPS)
        return total > PLATEAU / 2, f"rates sum to {total:.0f} of {PLATEAU / 2:.0f}"
    steps = PLATEAU / (2.0 * m.reach)
    return steps < STEPS, f"{steps:.0f} steps"


def zero(m):
    return True, "0/0 is taken as 0" if m.kind in ("log", "polyak", "unit") else "g = 0"


def one_nan(m):
    return False, "refuses it" if m.alone else "NaN stays in the point"


def scales(m):
    if m.kind == "newton":
        return True, "Newton's step has no unit"
    if m.kind == "steady":
        return False, "1e8: η λ = 1e7"
    if m.kind == "damped":
        return False, "1e8: the step is η/(ξ λ x) = 1e-8"
    if m.kind in ("polyak", "adagrad"):
        return False, "1e-8: the rate is at most 1"
    return True, "the step has no unit of L"


def condition(m):
    if m.kind in ("signed", "newton"):
        return True, "each direction by its own scale"
    return False, "1e6/rate steps along the flat direction"


def kink(m):
    if m.kind == "log":
        return True, "γ = L/|g|² near it, linear"
    if m.kind == "newton":
        return False, "no curvature to go by"
    if m.name == "SPS":
        return False, "2L/|g|² reflects the point"
    if m.kind == "polyak":
        return True, "f about 1/(2t)" if m.name != "DecSPS" else "the rate falls like 1/√t"
    if m.kind == "adagrad":
        return True, f"cycles in steps of {1 / math.sqrt(2 * STEPS):.3f}"
    length = {"unit": m.lr / math.sqrt(2.0), "damped": m.lr / (1 + 2 * XI)}.get(m.kind, m.lr)
    return length <= 0.05, f"cycles: f at least {length:.2f}"


def drift(m):
    if m.kind in ("signed", "unit"):
        return True, f"moves .1 a step, the centre {SPEED:g}"
    if m.kind == "adagrad" or m.name == "DecSPS":
        return False, "the rate falls, the lag grows"
    if m.kind == "damped":                              # η s lag = speed, s = 1/(1 + ξ lag²)
        lag = (m.lr - math.sqrt(m.lr**2 - 4 * SPEED**2 * XI)) / (2 * SPEED * XI)
    elif m.kind == "log":                               # η lag/(lag²/2 + 2ξ) = speed
        lag = (m.lr - math.sqrt(m.lr**2 - 4 * SPEED**2 * XI)) / SPEED
    else:
        lag = SPEED / {"NGN": 0.5, "NGNM": 0.5}.get(m.name, m.reach)
    return lag <= 0.3, f"lag {lag:.2f}"


FORMS = {"saddle": saddle, "ravine": ravine, "noise": noise, "scale": scale, "rotation": rotation,
         "plateau": plateau, "zero": zero, "one NaN": one_nan, "1e±8": scales,
         "condition": condition, "kink": kink, "drift": drift}
