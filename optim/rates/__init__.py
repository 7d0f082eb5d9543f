"""One number a step: the gradient keeps its direction, and heights and slopes say how far.

    scalar_rate        the rate, from height and slope      (read first)
    embedding          the drawn surface of any f(L), over any method: a family of rates
    induced_metric     the metric of the drawn surface: plain, of log L, on top of RMSprop
    stochastic_polyak  rates from heights: SPS, DecSPS, NGN, NGN-M; AdaGrad-norm, normalised steps
"""
from .embedding import Induced, OffDiagonal
from .induced_metric import InducedMetric, LogInducedMetric, RMSInducedMetric
from .scalar_rate import ScalarRate
from .stochastic_polyak import (
    NGN, NGNM, AdaGradNorm, DecSPS, NormalizedSGD, StochasticPolyak)
