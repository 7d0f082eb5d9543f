"""Look around the point before leaving it.

    sam         descend with the gradient of the worst point near by: SAM, ASAM
    perturbed   noise against saddles
"""
from .perturbed import PerturbedGD, PerturbedSGD, escape_steps, pgd_theory_params
from .sam import ASAM, SAM
