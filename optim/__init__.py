"""optim: methods that move a point downhill. One algorithm a file, in order of growing complexity.

    objective         height, gradient, Hessian-vector products of a landscape, counted
    optimizer         init, update, step: what all methods share          (read these two first)
    descent           follow a run, step by step
    hyperparameters   numbers and arrays (n, 1), and their ranges
    schedules         learning rates that change with the step
    elementwise       one formula for every coordinate, and the same piece by piece
    sgd               heavy ball, dampened, Nesterov
    rmsprop           divide by the root mean square of recent gradients
    adam              Adam, AdamW, NAdam
    scalar_rate       one number a step: the rate, from height and slope
    embedding         the drawn surface of any f(L), over any method: a family of rates
    induced_metric    the metric of the drawn surface: plain, of log L, on top of RMSprop
    stochastic_polyak rates from heights: SPS, DecSPS, NGN, NGN-M; AdaGrad-norm, normalised steps
    lmo/              powers of singular values, unit balls, the choice among them
    matrix            one rule for the matrices of a layout, another for the rest
    muon              matrices made orthogonal by Newton-Schulz steps
    schatten          from SGD to Muon, the exponent chosen per layer; MuAdam
    sam               descend with the gradient of the worst point near by: SAM, ASAM
    krylov            a symmetric operator seen through a few of its products
    line_search       how far along a direction: golden section, backtracking, strong Wolfe
    quasi_newton      BFGS, L-BFGS: curvature learnt on the way
    crude_lbfgs       ... as one paper's code has it
    newton            saddle-free Newton: the step that each direction's curvature allows
    perturbed         noise against saddles
    early_stopping    keep the best point, stop when it stays worse
    training/         train: the minibatch loop, with checkpoints
    parallel          run_all: many runs side by side, one process each
    sweep             many configurations as one batch of points
"""
import sys

from .adam import Adam, AdamW, NAdam
from .crude_lbfgs import CrudeLBFGS
from .descent import descent
from .early_stopping import EarlyStopping
from .embedding import Induced, OffDiagonal
from .induced_metric import InducedMetric, LogInducedMetric, RMSInducedMetric
from .line_search import Ray, backtracking, golden_section, strong_wolfe
from .lmo import newton_schulz
from .muon import Muon
from .schatten import MuAdam, SchattenMuon
from .objective import Objective
from .newton import SaddleFreeNewton
from .optimizer import Optimizer
from .perturbed import PerturbedGD, PerturbedSGD, escape_steps, pgd_theory_params
from .quasi_newton import BFGS, LBFGS
from .rmsprop import RMSprop
from .sam import ASAM, SAM
from .schedules import constant, cosine, linear, polynomial, warmup_cosine
from .scalar_rate import ScalarRate
from .sgd import SGD
from .stochastic_polyak import AdaGradNorm, DecSPS, NGN, NGNM, NormalizedSGD, StochasticPolyak
from .parallel import run_all
from .sweep import best, grid, sweep
from .training import Diverged, train
from .training import checkpoint, interrupt, minibatch, progress, run

# The parts of training/ are importable without it too: optim.checkpoint is training.checkpoint.
for _part in (checkpoint, interrupt, minibatch, progress, run):
    sys.modules[f"optim.{_part.__name__.rpartition('.')[2]}"] = _part
