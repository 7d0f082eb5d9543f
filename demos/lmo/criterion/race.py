"""Ten and forty steps with exact line searches: what a choice in every step is worth."""
import numpy as np

from minigrad.backend import to_host, xp
from optim.lmo import bound, criterion, psi

from .regressions import draw

FIXED = {"SGD": 1.0, "Muon": 0.0, "t = 1/2": 0.5}
RULES = (*FIXED, "bound", "adaptive")


def race(rng, problems, steps=40):
    """{rule: (problems, steps + 1) excess loss over the least squares solution, of the start's}."""
    found = {rule: [] for rule in RULES}
    for _ in range(problems):
        problem = draw(rng)
        best = problem.loss(problem.Y @ np.linalg.pinv(problem.A))
        start = problem.loss(problem.W) - best
        for rule in RULES:
            found[rule].append([max(loss - best, 0.0) / start
                                for loss in descend(problem, rule, steps)])
    return {rule: np.array(rows) for rule, rows in found.items()}


def descend(problem, rule, steps):
    """Losses of a run that takes the best length along Ψ_t(G) in every step."""
    W, A = problem.W, problem.A
    losses = [problem.loss(W)]
    for _ in range(steps):
        G = problem.gradient(W)
        t = FIXED.get(rule)
        if t is None:
            choose = bound if rule == "bound" else criterion
            t = choose(xp.asarray(G), xp.asarray(G), xp.asarray(A)).t
        D = to_host(psi(xp.asarray(G), t))
        bend = ((D @ A)**2).sum() / A.shape[1]
        if not bend > 0:
            losses += [losses[-1]] * (steps + 1 - len(losses))
            break
        W = W - (G * D).sum() / bend * D
        losses.append(problem.loss(W))
    return losses
