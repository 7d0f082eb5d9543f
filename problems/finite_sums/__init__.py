"""Finite sums f = (1/n) Σ f_i of which the parts are known too, for the alpha-beta condition.

    finite_sum             parts, gradients, nearest minimisers, f_i*, noise constants (read first)
    closed_forms           parabolas, bowl, double well, product: conditions worked out by hand
    ridges                 example 1: minimisers without end; n functions of d coordinates
    bowls                  examples 2, 3, 6: saddles and local minima; n functions of d coordinates
    matrix_factorisation   example 4: an orbit of minimisers
    logistic_network       example 5: two layers, regularised
    half_space             sigmoids on two clouds of points

Source: arXiv:2410.12455.
"""
from problems.finite_sums.bowls import Bowls, example2, example3, example3_variant, example6
from problems.finite_sums.closed_forms import Formula, Product, bowl, double_well, parabolas
from problems.finite_sums.finite_sum import FiniteSum, Stationary
from problems.finite_sums.half_space import HalfSpace
from problems.finite_sums.logistic_network import LogisticNetwork
from problems.finite_sums.matrix_factorisation import MatrixFactorisation, example4
from problems.finite_sums.ridges import Ridges, example1
