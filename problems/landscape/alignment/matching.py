"""Align two networks: permute the hidden units of one until they stand where the other's do.

A hidden unit has no place of its own: networks that differ by a permutation compute the same
function. So before two networks are compared, or averaged, the units of B are put in the order of
A's, by maximising the likeness of the weights over all the permutations pi of the architecture,

    F(pi) = <theta_A, pi(theta_B)>            (the same as minimising |theta_A - pi(theta_B)|)

For one group of units with all the others held fixed, F is linear in the permutation matrix:
F = const + sum_i S[i, p(i)], with S[i, j] the product of all that belongs to unit i of A with all
that belongs to unit j of B. That is a linear assignment, solved exactly; going through the groups
in random order until none gains anything is coordinate ascent. F never falls.

The groups and where they act come from `symmetries`, read off the model itself.
"""
from typing import Any, NamedTuple

import numpy as np

from minigrad.backend import float_of, to_host, xp

from .assignment import linear_assignment


class Matching(NamedTuple):
    """B in the order of A.

    theta         (d,) B with its units permuted: the same function
    permutations  group -> (size,) with unit i of the result being unit p[i] of B
    likeness      F at the start and after each sweep
    converged     the last sweep changed nothing
    """

    theta: Any
    permutations: dict
    likeness: list
    converged: bool


def weight_matching(symmetries, theta_a, theta_b, rng, sweeps=100):
    """Permute B (d,) to be as like A (d,) as coordinate ascent can make it.

    symmetries  `find_symmetries(network)`
    rng         draws the order of the groups in each sweep
    sweeps      through all the groups, at most

    Where one group acts on two axes of the same array (a residual stream written and read by one
    matrix), F is quadratic in its permutation: the linear problem then has the other axis as it
    stands, and a step that would lower F is not taken.

    Source: Ainsworth et al. 2023, arXiv:2209.04836, Algorithm 1.
    Differs from the paper: the rule for quadratic groups.
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
    A, B = symmetries.split(theta_a), symmetries.split(theta_b)
    groups = list(symmetries.groups)
    P = {group: np.arange(size) for group, size in symmetries.groups.items()}
    likeness, converged = [float_of(xp.vdot(theta_a, theta_b))], False
    tiny = 1e-12 * float_of(xp.sqrt(xp.vdot(theta_a, theta_a) * xp.vdot(theta_b, theta_b)))
    for _ in range(sweeps):
        before = likeness[-1]
        for k in rng.permutation(len(groups)):
            group = groups[k]
            p = linear_assignment(similarity(symmetries, group, A, B, P), maximize=True)
            gain = (agreement(symmetries, group, A, B, {**P, group: p})
                    - agreement(symmetries, group, A, B, P))
            if gain > tiny:
                P[group] = p
        theta = symmetries.permute(theta_b, P)
        likeness.append(float_of(xp.vdot(theta_a, theta)))
        converged = likeness[-1] - before <= tiny
        if converged:
            break
    return Matching(theta, P, likeness, converged)


def similarity(symmetries, group, A, B, P):
    """S (h, h) on the host: what unit i of A and j of B have in common, all other groups at P."""
    S = 0.0
    for name, axis in symmetries.places(group):
        turned = symmetries.turn(B[name], name, P, but=axis)
        a, b = (xp.moveaxis(W, axis, 0).reshape(W.shape[axis], -1) for W in (A[name], turned))
        S = S + a @ b.T
    return to_host(S)


def agreement(symmetries, group, A, B, P):
    """The part of F that involves a group."""
    names = dict.fromkeys(name for name, _ in symmetries.places(group))
    return sum(float_of(xp.sum(A[name] * symmetries.turn(B[name], name, P))) for name in names)
