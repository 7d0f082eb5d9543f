"""Where Muon wins: nuclear rank of the gradient against stable rank of the inputs."""
import numpy as np

from minigrad.backend import xp
from optim.lmo import nuclear_rank, stable_rank

from .regressions import ENDS, gains, of

M, N, B = 24, 24, 200


def cells(rng, count):
    """Rows (st(A), nr(G), J(Muon)/J(SGD)) of regressions between white and steep inputs, and
    between errors of one direction and of all."""
    found = []
    for _ in range(count):
        C = np.arange(1, N + 1.0) ** -rng.uniform(0.0, 2.0)
        A = np.linalg.qr(rng.standard_normal((N, N)))[0] @ (
            C[:, None] ** 0.5 * rng.standard_normal((N, B)))
        U, V = (np.linalg.qr(rng.standard_normal((k, N)))[0] for k in (M, N))
        error = (U * np.arange(1, N + 1.0) ** -rng.uniform(0.0, 2.5)) @ V.T     # W - W*
        G = error @ A @ A.T / B
        muon, sgd = gains(*of(G, G, A), ENDS)
        found.append([stable_rank(xp.asarray(A)), nuclear_rank(xp.asarray(G)), muon / sgd])
    return np.array(found)
