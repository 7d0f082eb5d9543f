"""Align two networks: permute the hidden units of one until they stand where the other's do.

A hidden unit has no place of its own: networks that differ by a permutation compute the same
function. So before two networks are compared, or averaged, the units of B are put in the order of
A's, by maximising the similarity of the weights over all the permutations π of the architecture,

    F(π) = <θ_A, π(θ_B)>            (the same as minimising |θ_A - π(θ_B)|)

For one group of units with all the others held fixed, F is linear in the permutation matrix:
F = const + sum_i S[i, p(i)], with S[i, j] the product of all that belongs to unit i of A with all
that belongs to unit j of B. That is a linear assignment, solved exactly; going through the groups
in random order until none gains anything is coordinate ascent. F never falls, but may come to rest
below its maximum, so the ascent starts several times, and what it reached is set beside a bound
that no permutation can exceed: within each array, the largest weights of A paired with the largest
of B.

The groups and where they act come from `symmetries`, read off the model itself.
"""
from typing import Any, NamedTuple

import numpy as np

from minigrad.backend import float_of, to_host, xp
from minigrad.kinds import expects, array, having, source, whole

from .assignment import linear_assignment

REACHED = 1e-9                      # F within this share of |A||B| of its bound: there is no better


class Matching(NamedTuple):
    """B in the order of A.

    theta         (d,) B with its units permuted: the same function
    permutations  group -> (size,) with unit i of the result being unit p[i] of B
    similarity    F at the start and after each sweep, in the best of the ascents
    converged     its last sweep changed nothing: no single group can be improved
    bound         no permutation has a larger F; where F reaches it, the match is the best there is
    starts        ascents that were made
    """

    theta: Any
    permutations: dict
    similarity: list
    converged: bool
    bound: float
    starts: int

    @property
    def likeness(self):
        """The older name of `similarity`."""
        return self.similarity


@expects(symmetries=having("layout", "groups"), theta_a=array, theta_b=array, rng=source,
         sweeps=whole(), starts=whole())
def weight_matching(symmetries, theta_a, theta_b, rng, sweeps=100, starts=5):
    """Permute B (d,) to be as similar to A (d,) as coordinate ascent can make it.

        F(π) = <θ_A, π(θ_B)>,      group by group  π ← argmax F, a linear assignment

    symmetries  `find_symmetries(network)`
    rng         draws the order of the groups in each sweep, and the starts after the first
    sweeps      through all the groups, at most
    starts      ascents, at most: the first from B as it is, the others from random permutations of
                it; none after one that has reached the bound

    Where one group acts on two axes of the same array (a residual stream written and read by one
    matrix), F is quadratic in its permutation: the linear problem then has the other axis as it
    stands, and a step that would lower F is not taken.

    Source: Ainsworth et al. 2023, arXiv:2209.04836, Algorithm 1.
    Differs from the paper: the rule for quadratic groups; several starts.
    """
    layout = symmetries.layout
    for name, theta in (("first", theta_a), ("second", theta_b)):
        if theta.shape != (layout.size,):
            raise ValueError(f"weight_matching: the {name} point has shape {tuple(theta.shape)}, "
                             f"the network has {layout.size} weights. Only networks of one "
                             "architecture can be aligned.")
        if not bool(xp.all(xp.isfinite(theta))):
            raise ValueError(f"weight_matching: the {name} point contains nan or infinity. "
                             "Did the training diverge?")
    for name, count in (("sweeps", sweeps), ("starts", starts)):
        if count < 1:
            raise ValueError(f"weight_matching: {name} must be at least 1, got {count}.")
    A, B = symmetries.split(theta_a), symmetries.split(theta_b)
    size = float_of(xp.sqrt(xp.vdot(theta_a, theta_a) * xp.vdot(theta_b, theta_b)))
    bound = sum(largest_product(symmetries, name, A[name], B[name]) for name in A)
    best = None
    for start in range(1, starts + 1):
        P = {group: rng.permutation(n) if best else np.arange(n)
             for group, n in symmetries.groups.items()}
        similarity, converged = ascend(symmetries, A, B, P, rng, sweeps, 1e-12 * size)
        if best is None or similarity[-1] > best[1][-1]:
            best = P, similarity, converged
        if bound - best[1][-1] <= REACHED * size or not P:
            break
    P, similarity, converged = best
    return Matching(symmetries.permute(theta_b, P), P, similarity, converged, bound, start)


def ascend(symmetries, A, B, P, rng, sweeps, tiny):
    """Coordinate ascent from P, which is brought up to date: F before and after each sweep, and
    whether it came to rest.
    """
    def similarity():
        return sum(float_of(xp.sum(A[name] * symmetries.permuted(B[name], name, P))) for name in A)

    groups, reached = list(P), [similarity()]
    for _ in range(sweeps):
        for k in rng.permutation(len(groups)):
            group = groups[k]
            p = linear_assignment(unit_products(symmetries, group, A, B, P), maximize=True)
            gain = (agreement(symmetries, group, A, B, {**P, group: p})
                    - agreement(symmetries, group, A, B, P))
            if gain > tiny:
                P[group] = p
        reached.append(similarity())
        if reached[-1] - reached[-2] <= tiny:
            return reached, True
    return reached, False


def largest_product(symmetries, name, a, b):
    """A bound on <a, π(b)> over all permutations: both sorted, along the axes that are permuted.

    (For numbers a_i, b_i the sum of a_i b_π(i) is largest if both stand in one order.)
    """
    moved = [group is not None for _, group in symmetries.factors[name]]
    order = [k for k, moves in enumerate(moved) if not moves]
    order += [k for k, moves in enumerate(moved) if moves]
    rows = [n for k, n in enumerate(a.shape) if not moved[k]]
    a, b = (xp.sort(xp.transpose(x, order).reshape(*rows, -1), axis=-1) for x in (a, b))
    return float_of(xp.sum(a * b))


def unit_products(symmetries, group, A, B, P):
    """S (h, h) on the host: what unit i of A and j of B have in common, all other groups at P."""
    S = 0.0
    for name, axis in symmetries.axes_of(group):
        others = symmetries.permuted(B[name], name, P, but=axis)
        a, b = (xp.moveaxis(W, axis, 0).reshape(W.shape[axis], -1) for W in (A[name], others))
        S = S + a @ b.T
    return to_host(S)


def agreement(symmetries, group, A, B, P):
    """The part of F that involves a group."""
    names = dict.fromkeys(name for name, _ in symmetries.axes_of(group))
    return sum(float_of(xp.sum(A[name] * symmetries.permuted(B[name], name, P))) for name in names)
