"""Matrices as directions: powers of singular values, unit balls, and the choice among them.

    products    the polar factor by matrix products: Newton-Schulz, Polar Express
    power       psi: U diag(s^t) Vᵀ, from Muon (t = 0) to SGD (t = 1)
    ball        lmo: the step of norm 1 that is best aligned, in four families of norms
    exponent    criterion: the t with which one layer's loss falls furthest
    factors     the curvature that a layer inside a network sees (K-FAC)
    matrix      one rule for the matrices of a layout, another for the rest
    muon        matrices made orthogonal by Newton-Schulz steps
    schatten    from SGD to Muon, the exponent chosen per layer; MuAdam
    tightness   the t of all layers, from what one gradient has seen

Source: Massena, Friedrich & Serrurier 2026, arXiv:2605.19781, which writes p = 1/t.
"""
from .ball import lmo, norm
from .exponent import Choice, bound, criterion, nuclear_rank, stable_rank
from .power import psi
from .products import newton_schulz, polar, polar_express

__all__ = ["psi", "lmo", "norm", "polar", "newton_schulz", "polar_express", "criterion", "bound",
           "nuclear_rank", "stable_rank", "Choice"]
