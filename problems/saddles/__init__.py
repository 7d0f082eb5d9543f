"""Landscapes with saddles that are known exactly, from one line to a random sphere.

A saddle is *strict* if some curvature at it is negative. Gradient descent leaves a strict saddle
from almost every start (Lee et al. 2016, arXiv:1602.04915), but possibly after a very long time;
`octopus` shows how long. A degenerate saddle (monkey saddle, nets of three layers at 0) has no
negative curvature at all and stops every method that looks at second derivatives only.

    classical     the classical and the monkey saddle, a strict one of any size, scalar networks, ...
    octopus       saddles in a row: gradient descent takes exponentially long
    deep_linear   linear networks of several layers: saddles of every order
    p_spin        random heights on a sphere: an index for every height
"""
from problems.saddles.classical import (
    ClassicalSaddle, MonkeySaddle, RayleighQuartic, ScalarNet, StrictSaddle, classical_saddle,
    monkey_saddle)
from problems.saddles.deep_linear import DeepLinear
from problems.saddles.octopus import Octopus
from problems.saddles.p_spin import PSpin, semicircle_index
