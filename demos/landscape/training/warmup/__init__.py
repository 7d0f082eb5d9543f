"""A warm-up buys a larger rate by moving to flatter ground; on a quadratic it buys nothing.

Question   how much larger a learning rate do warm-up, gradient clipping and a decay to zero allow,
           and what happens to the largest Hessian eigenvalue λ on the way?
Expected   on a quadratic nothing raises the stable rate 2/λ but a decay, which hides a rise; on a
           network warm-up and clipping do, and λ falls during the warm-up; a rate between 2/λ and
           4/λ throws the smallest two-layer model to a flatter place, one above 4/λ loses it.
Time       about 20 s; --quick 5 s.
Source     Gilmer et al. 2021, arXiv:2110.04369 (warm-up, clipping and curvature); Kalra and
           Barkeshli 2024, arXiv:2406.09405 (why warm up); Lewkowycz et al. 2020, arXiv:2003.02218
           (the catapult). Their abstracts were read; what follows is derived here, and tested.

The quadratic λx²/2 in a few lines. A step multiplies x by 1 - η_t λ; with a = ηλ

    constant     |1 - a| < 1:  stable up to η = 2/λ
    warm-up      multiplies x by one finite number before the full rate; what
                 comes afterwards, again and again, is |1 - a|: still 2/λ
    cosine to 0  the mean of log|1 - a (1 + cos πs)/2| over s in [0, 1] is
                 log(a/4) for a >= 1: it ends below its start up to η = 4/λ,
                 after a rise while the rate is high
    clip at c    no step exceeds ηc. With a > 2 |x| can stay neither below c/λ,
                 where it grows, nor above ηc, where it falls: it is c²/(2λ)
                 high or higher again and again, never above a² times that

So lasting help needs a λ that changes on the way. The smallest model in which it does is
f = v·u/√n with L = f²/2 and λ = (|u|² + |v|²)/n, and one step of descent is exactly

    f ← f (1 - ηλ + η² f²/n),      λ ← λ + (η f²/n) (ηλ - 4)

With ηλ in (2, 4) f grows, until f²/n counts; meanwhile λ falls, for ηλ < 4, and once ηλ < 2 f
shrinks: the catapult. Above 4 both grow. A warm-up comes to each new rate with a smaller λ.

The network's λ_max is compared at the start and at matched loss; its rate is called stable if the
run ends below half the loss of the best constant. Revised after first results: λ_max is asked again
100 steps after the warm-up, at whose very end the run lies above the edge; a run of the two-layer
model counts as landed once it is below its highest loss, not below a thousandth of the first, which
takes it long where it lands at ηλ = 2. Seed 2 gives the same verdicts as 0; with seed 1 one of the
eight runs between the two stable rates is lost, and both claims about η λ_max/2 stay undecided.
"""
import numpy as np

from demos.landscape.training.warmup.catapult import flights
from demos.landscape.training.warmup.figure import draw
from demos.landscape.training.warmup.networks import TOOLS, claim_networks, measure
from demos.landscape.training.warmup.quadratic import control

SOURCE = "arXiv:2110.04369"


def run(args, report):
    report.progress("quadratic")
    theory = control(args, report)
    report.progress("two layers", 0.15)
    flight = flights(args, report)
    rates, climbs = measure(args, report)
    report.table(["tool", "quadratic", "network", "lowest", "highest"],
                 [[tool, np.mean(theory[tool]) if tool in theory else None, np.median(rates[tool]),
                   rates[tool].min(), rates[tool].max()] for tool in TOOLS],
                 title=f"Largest stable rate in units of 2/λ at the start: mean of "
                 f"{len(theory['constant'])} starts, and {len(climbs)} data sets (median, range)")
    report.table(["data set", "λ_max", "warmed up", "slowly", "loss", "η λ_max/2", "later"],
                 [[k + 1, c.lam[0], c.lam[c.full], c.slow[1], c.losses[c.full],
                   c.rate * c.lam[c.full] / 2, c.rate * c.lam[-5:].mean() / 2]
                  for k, c in enumerate(climbs)],
                 title="Network: λ_max at the start, at the end of the warm-up, and of a slow "
                 "descent at the same loss; η between the stable rates without and with")
    claim_networks(report, rates, climbs, f"n = {len(climbs)} data sets")
    if report.plotting:
        draw(report, theory, rates, climbs[0], flight)
