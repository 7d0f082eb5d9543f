"""optim: methods that move a point downhill. One algorithm a file, in order of growing complexity.

    objective         height, gradient, Hessian-vector products of a landscape, counted
    optimizer         init, update, step: what all methods share          (read these two first)
    descent           follow a run, step by step
    hyperparameters   numbers and arrays (n, 1), and their ranges
    schedules         learning rates that change with the step
    coordinatewise/   every coordinate by itself: SGD, RMSprop, Adam and kin
    rates/            one number a step: induced metrics, Polyak's steps and their kin
    lmo/              matrices as directions: Muon, and the family from it to SGD
    second_order/     line searches, BFGS, L-BFGS, Krylov spaces, saddle-free Newton
    nearby/           look around the point first: SAM, noise against saddles
    early_stopping    keep the best point, stop when it stays worse
    training/         train: the minibatch loop, with checkpoints
    parallel          run_all: many runs side by side, one process each
    sweep             many configurations as one batch of points
"""
import sys
import types

from optim import coordinatewise, lmo, nearby, rates, second_order, training
from optim.coordinatewise import SGD, Adam, AdamW, NAdam, RMSprop
from optim.descent import descent
from optim.early_stopping import EarlyStopping
from optim.lmo import newton_schulz
from optim.lmo.muon import Muon
from optim.lmo.schatten import MuAdam, SchattenMuon
from optim.nearby import (
    ASAM, SAM, PerturbedGD, PerturbedSGD, escape_steps, pgd_theory_params)
from optim.objective import Objective
from optim.optimizer import Optimizer
from optim.parallel import run_all
from optim.rates import (
    NGN, NGNM, AdaGradNorm, DecSPS, Induced, InducedMetric, LogInducedMetric, NormalizedSGD,
    OffDiagonal, RMSInducedMetric, ScalarRate, StochasticPolyak)
from optim.schedules import constant, cosine, linear, polynomial, warmup_cosine
from optim.second_order import (
    BFGS, LBFGS, CrudeLBFGS, Ray, SaddleFreeNewton, backtracking, golden_section, strong_wolfe)
from optim.sweep import best, grid, sweep
from optim.training import Diverged, train

# A file is importable without its folder too: optim.adam is coordinatewise.adam.
for _folder in (coordinatewise, lmo, nearby, rates, second_order, training):
    for _name, _value in list(vars(_folder).items()):
        if isinstance(_value, types.ModuleType) and _value.__name__ == f"{_folder.__name__}.{_name}":
            sys.modules.setdefault(f"optim.{_name}", _value)
            globals().setdefault(_name, _value)
