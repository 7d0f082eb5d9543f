"""One valid call of every public function, made anew each time: `test_bad_arguments` spoils them.

    "package.name": lambda: (function, [arguments], {named arguments})

What is not called here stands in LEFT_OUT with its reason.
"""
import itertools
import struct
import tempfile
from pathlib import Path

import numpy as np

import minigrad as mg
import optim
import problems
from minigrad.backend import on_device, xp
from problems import (data, evaluation, finite_sums, functions, initialisers, landscape, networks,
                      potentials, saddles, sampling)
from problems.landscape import conditions, critical, curvature, slices
from problems.landscape.paths.auto_neb import Cycle
from problems.networks.mlp import MLP

LEFT_OUT = {
    "minigrad": {"Tensor": "made by the engine", "keep_heap": "no arguments",
                 "no_grad": "no arguments", "primitive": "a decorator, tested with the engine"},
    "optim": {"Diverged": "an exception", "Optimizer": "a base class", "ScalarRate": "a base class",
              "run_all": "starts processes, tested with parallel"},
    "optim.lmo": {"Choice": "a record"},
    "problems": {"Problem": "a base class"},
    "problems.functions": {},
    "problems.potentials": {"Potential": "a base class", "Route": "a record"},
    "problems.saddles": {},
    "problems.finite_sums": {"FiniteSum": "a base class", "Stationary": "a record"},
    "problems.data": {"MissingData": "an exception", "Dataset": "a record", "Split": "a record"},
    "problems.landscape": {"ModuleType": "Python's", "PathWarning": "a warning",
                           "SoupWarning": "a warning", "CriticalPoint": "a record"},
    "problems.landscape.curvature": {"PowerResult": "a record", "RitzResult": "a record",
                                     "TraceResult": "a record", "DensityResult": "a record"},
    "problems.landscape.conditions": {"Extreme": "a record", "Record": "a record"},
    "problems.landscape.slices": {"KernelPCA": "a record", "Plane": "a record"},
    "problems.landscape.critical": {"KKT": "a record", "BallSolution": "a record"},
}


def rng():
    return np.random.default_rng(0)


def points(*shape):
    return xp.asarray(rng().standard_normal(shape))


def bowl(w):
    """In operations alone: `w * w` of a list would be Python's error, not ours to word."""
    return mg.sum(mg.square(w), axis=-1)


def network(classes=2):
    return problems.Network(MLP((3, 4, classes)), (points(6, 3), xp.asarray(np.arange(6) % classes)))


NET = network()
LAYOUT = NET.layout
W = NET.start(rng())
A, D3 = np.diag([1.0, 2.0, 3.0, 4.0]), points(3)
MATRIX, TALL = points(3, 3), points(4, 3)


def elementwise(*names):
    return {f"minigrad.{name}": lambda name=name: (getattr(mg, name), [points(2, 3)], {})
            for name in names}


MINIGRAD = {
    **elementwise("abs", "arctan", "cos", "exp", "expm1", "gelu", "identity", "neg", "relu", "sigmoid",
                  "sign", "silu", "sin", "softplus", "sqrt", "square", "tan", "tanh", "constant",
                  "to_host", "tensor", "log", "log1p"),
    **{f"minigrad.{name}": lambda name=name: (getattr(mg, name), [points(2, 3), points(2, 3)], {})
       for name in ("add", "div", "maximum", "minimum", "mul", "sub", "power",
                    "mean_squared_error")},
    **{f"minigrad.{name}": lambda name=name: (getattr(mg, name), [points(2, 3)],
                                              dict(axis=-1, keepdims=False))
       for name in ("logsumexp", "max", "mean", "min", "norm", "sum")},
    "minigrad.var": lambda: (mg.var, [points(2, 3)], dict(axis=-1, keepdims=False, ddof=0)),
    "minigrad.Layout": lambda: (mg.Layout, [{"W": points(2, 3)}], {}),
    "minigrad.astype": lambda: (mg.astype, [points(2, 3)], dict(dtype="float32")),
    "minigrad.attention": lambda: (mg.attention, [points(2, 3, 4)] * 3, dict(causal=True)),
    "minigrad.attention_weights": lambda: (mg.attention_weights, [points(2, 3, 4)] * 2, dict(causal=True)),
    "minigrad.average_pool": lambda: (mg.average_pool, [points(1, 4, 4, 2)], dict(size=2, stride=2)),
    "minigrad.max_pool": lambda: (mg.max_pool, [points(1, 4, 4, 2)], dict(size=2, stride=2)),
    "minigrad.global_mean": lambda: (mg.global_mean, [points(1, 4, 4, 2)], {}),
    "minigrad.batch_norm": lambda: (mg.batch_norm, [points(5, 3), points(3), points(3)], dict(eps=1e-5)),
    "minigrad.batch_statistics": lambda: (mg.batch_statistics, [points(5, 3)], {}),
    "minigrad.broadcast_to": lambda: (mg.broadcast_to, [points(3)], dict(shape=(2, 3))),
    "minigrad.check_gradient": lambda: (mg.check_gradient, [bowl, points(3), rng()], dict(
        directions=2, h=1e-6, rtol=1e-6)),
    "minigrad.check_hvp": lambda: (mg.check_hvp, [bowl, points(3), rng()], dict(
        directions=2, h=1e-5, rtol=1e-5)),
    "minigrad.clip": lambda: (mg.clip, [points(3)], dict(low=-1.0, high=1.0)),
    "minigrad.concatenate": lambda: (mg.concatenate, [[points(2), points(3)]], dict(axis=0)),
    "minigrad.stack": lambda: (mg.stack, [[points(2), points(2)]], dict(axis=0)),
    "minigrad.conv2d": lambda: (mg.conv2d, [points(1, 4, 4, 2), points(3, 2, 2, 2), points(3)],
                                dict(stride=1, padding=0)),
    "minigrad.conv2d_input": lambda: (mg.conv2d_input, [points(1, 3, 3, 3), points(3, 2, 2, 2)],
                                      dict(shape=(1, 4, 4, 2), stride=1, padding=0)),
    "minigrad.conv2d_kernel": lambda: (mg.conv2d_kernel, [points(1, 4, 4, 2), points(1, 3, 3, 3)],
                                       dict(window=(2, 2), stride=1, padding=0)),
    "minigrad.dot": lambda: (mg.dot, [points(3), points(3)], {}),
    "minigrad.outer": lambda: (mg.outer, [points(3), points(2)], {}),
    "minigrad.dropout": lambda: (mg.dropout, [points(3)], dict(rate=0.5, rng=rng())),
    "minigrad.dropout_mask": lambda: (mg.dropout_mask, [(2, 3), "float64", 0.5, rng()], {}),
    "minigrad.embedding": lambda: (mg.embedding, [points(5, 2), xp.asarray([0, 4])], {}),
    "minigrad.embedding_sum": lambda: (mg.embedding_sum, [points(2, 3), xp.asarray([0, 1])], dict(size=4)),
    "minigrad.expand_dims": lambda: (mg.expand_dims, [points(3)], dict(axis=0)),
    "minigrad.getitem": lambda: (mg.getitem, [points(3)], dict(index=1)),
    "minigrad.grad": lambda: (lambda f, x: mg.grad(f)(x), [bowl, points(3)], {}),
    "minigrad.value_and_grad": lambda: (lambda f, x: mg.value_and_grad(f)(x), [bowl, points(3)], {}),
    "minigrad.vjp": lambda: (lambda f, x, u: mg.vjp(f, x)[1](u), [mg.exp, points(3), points(3)], {}),
    "minigrad.jvp": lambda: (lambda f, x, v: mg.jvp(f, x)[1](v), [mg.exp, points(3), points(3)], {}),
    "minigrad.hvp": lambda: (lambda f, x, v: mg.hvp(f, x)(v), [bowl, points(3), points(3)], {}),
    "minigrad.layer_norm": lambda: (mg.layer_norm, [points(5, 3), points(3), points(3)], dict(eps=1e-5)),
    "minigrad.linear": lambda: (mg.linear, [points(5, 3), points(3, 2), points(2)], {}),
    "minigrad.log_softmax": lambda: (mg.log_softmax, [points(2, 3)], dict(axis=-1)),
    "minigrad.softmax": lambda: (mg.softmax, [points(2, 3)], dict(axis=-1)),
    "minigrad.standardize": lambda: (mg.standardize, [points(2, 3)], dict(axis=-1, eps=1e-5)),
    "minigrad.lstm": lambda: (mg.lstm, [points(2, 1, 3), points(3, 8), points(2, 8), points(8),
                                        points(1, 2), points(1, 2)], {}),
    "minigrad.matmul": lambda: (mg.matmul, [points(2, 3), points(3, 2)], {}),
    "minigrad.put": lambda: (mg.put, [points(2), 1, (3, 2)], {}),
    "minigrad.reshape": lambda: (mg.reshape, [points(2, 3)], dict(shape=(3, 2))),
    "minigrad.self_attention": lambda: (mg.self_attention, [points(1, 3, 12)], dict(heads=2)),
    "minigrad.softmax_cross_entropy": lambda: (mg.softmax_cross_entropy, [points(4, 3),
                                                                          xp.asarray([0, 1, 2, 0])], {}),
    "minigrad.sum_to": lambda: (mg.sum_to, [points(2, 3)], dict(shape=(3,))),
    "minigrad.swapaxes": lambda: (mg.swapaxes, [points(2, 3)], dict(a=0, b=1)),
    "minigrad.transpose": lambda: (mg.transpose, [points(2, 3)], dict(axes=(1, 0))),
    "minigrad.where": lambda: (mg.where, [xp.asarray([True, False, True]), points(3), points(3)], {}),
}


def method(make, *args, **settings):
    """A construction and one step with it."""
    def made(*args, **settings):
        one = make(*args, **settings)
        theta = W if "layout" in made.__dict__ or LAYOUT in args else points(3) + 3.0
        height = NET if theta is W else bowl
        return one.step(optim.Objective(height), theta, one.init(theta))
    return made, list(args), settings


def ray():
    return optim.Ray(optim.Objective(bowl), points(3), -points(3))


OPTIM = {
    "optim.SGD": lambda: method(optim.SGD, lr=0.1, momentum=0.9, dampening=0.0, nesterov=True, decay=0.1),
    "optim.RMSprop": lambda: method(optim.RMSprop, lr=0.1, beta_rms=0.9, eps=1e-8, momentum=0.1, decay=0.1),
    "optim.Adam": lambda: method(optim.Adam, lr=0.1, beta1=0.9, beta2=0.9, eps=1e-8),
    "optim.AdamW": lambda: method(optim.AdamW, lr=0.1, beta1=0.9, beta2=0.9, eps=1e-8, decay=0.1),
    "optim.NAdam": lambda: method(optim.NAdam, lr=0.1, beta1=0.9, beta2=0.9, eps=1e-8, decay=0.1),
    "optim.InducedMetric": lambda: method(optim.InducedMetric, lr=0.1, xi=0.1, momentum=0.9, beta=0.8,
                                          decay=0.0),
    "optim.LogInducedMetric": lambda: method(optim.LogInducedMetric, lr=0.1, xi=0.1, momentum=0.9, beta=0.8,
                                             decay=0.0, on_nonpositive="raise"),
    "optim.RMSInducedMetric": lambda: method(optim.RMSInducedMetric, lr=0.1, xi=0.1, momentum=0.9, beta=0.8,
                                             beta_rms=0.9, eps=1e-8, decay=0.0),
    "optim.AdaGradNorm": lambda: method(optim.AdaGradNorm, lr=1.0, b0=1.0, largest=False),
    "optim.DecSPS": lambda: method(optim.DecSPS, lr=1.0, c=1.0, minimum=0.0),
    "optim.NGN": lambda: method(optim.NGN, lr=1.0),
    "optim.NGNM": lambda: method(optim.NGNM, lr=1.0, momentum=0.9),
    "optim.NormalizedSGD": lambda: method(optim.NormalizedSGD, lr=1.0, share=1.0),
    "optim.StochasticPolyak": lambda: method(optim.StochasticPolyak, lr=1.0, c=0.5, minimum=0.0),
    "optim.OffDiagonal": lambda: method(optim.OffDiagonal, lr=0.1, xi=0.1, a="momentum", b="none",
                                        momentum=0.9),
    "optim.Induced": lambda: method(optim.Induced, optim.SGD(0.1), xi=0.1, q=1.0, descend="loss", beta=0.0),
    "optim.BFGS": lambda: method(optim.BFGS, search="golden", tolerance=0.01, small=1e-7),
    "optim.LBFGS": lambda: method(optim.LBFGS, memory=5, search="golden", tolerance=0.01, small=1e-7),
    "optim.CrudeLBFGS": lambda: method(optim.CrudeLBFGS, memory=5),
    "optim.SaddleFreeNewton": lambda: method(optim.SaddleFreeNewton, k=2, damping=0.1, lr=1.0),
    "optim.PerturbedGD": lambda: method(optim.PerturbedGD, 0.1, rng(), r=0.01, g_thres=0.01, t_thres=50,
                                        f_thres=0.1),
    "optim.PerturbedSGD": lambda: method(optim.PerturbedSGD, 0.1, 0.1, rng()),
    "optim.SAM": lambda: method(optim.SAM, optim.SGD(0.1), rho=0.1, p=2.0),
    "optim.ASAM": lambda: method(optim.ASAM, optim.SGD(0.1), rho=0.1, eta=0.01, p=2.0),
    "optim.Muon": lambda: method(optim.Muon, LAYOUT, lr=0.1, momentum=0.9, nesterov=True, decay=0.1,
                                 scale="jordan", eps=1e-7),
    "optim.MuAdam": lambda: method(optim.MuAdam, LAYOUT, lr=0.1, beta1=0.9, beta2=0.9, eps=1e-8, scale="plain"),
    "optim.SchattenMuon": lambda: method(optim.SchattenMuon, LAYOUT, lr=0.1, t=0.5, momentum=0.9, every=2,
                                         average=0.9, low=0.1, high=0.9),
    "optim.Objective": lambda: (lambda f, theta, v: optim.Objective(f).hvp(theta)(v),
                                [bowl, points(3), points(3)], {}),
    "optim.Ray": lambda: (lambda *a: optim.Ray(*a)(0.5), [optim.Objective(bowl), points(3), points(3)], {}),
    "optim.EarlyStopping": lambda: (optim.EarlyStopping, [], dict(patience=3, least=0.1)),
    "optim.backtracking": lambda: (optim.backtracking, [ray(), -1.0], dict(first=1.0, c=1e-4, shrink=0.5)),
    "optim.golden_section": lambda: (optim.golden_section, [ray()], dict(first=1.0, tolerance=0.1,
                                                                               expansions=60)),
    "optim.strong_wolfe": lambda: (optim.strong_wolfe, [ray()], dict(first=1.0, c1=1e-4, c2=0.9, expansions=20,
                                                                    zooms=20)),
    "optim.constant": lambda: (lambda lr, t: optim.constant(lr)(t), [0.1, 1], {}),
    "optim.cosine": lambda: (lambda lr, steps, end, t: optim.cosine(lr, steps, end=end)(t), [0.1, 10, 0.0, 1], {}),
    "optim.linear": lambda: (lambda lr, steps, end, hold, t: optim.linear(lr, steps, end=end, hold=hold)(t),
                             [0.1, 10, 0.0, 2, 1], {}),
    "optim.polynomial": lambda: (lambda lr, power, t: optim.polynomial(lr, power)(t), [0.1, 0.5, 1], {}),
    "optim.warmup_cosine": lambda: (lambda lr, warmup, steps, end, t: optim.warmup_cosine(
        lr, warmup, steps, end=end)(t), [0.1, 2, 10, 0.0, 1], {}),
    "optim.descent": lambda: (lambda *a, **k: list(itertools.islice(optim.descent(*a, **k), 5)),
                              [optim.SGD(0.1), optim.Objective(bowl), points(3)], dict(steps=3, shift=0.0)),
    "optim.grid": lambda: (optim.grid, [], dict(lr=[0.1, 0.2], xi=[0.1])),
    "optim.sweep": lambda: (optim.sweep, [optim.Objective(bowl), optim.SGD, {"lr": np.array([0.1, 0.2])},
                                          points(2, 3)], dict(steps=3, tolerance=1e-3, shift=0.0)),
    "optim.best": lambda: (optim.best, [optim.sweep(optim.Objective(bowl), optim.SGD, {
        "lr": np.array([0.1, 0.2])}, points(2, 3), steps=3, tolerance=1e-3)], dict(start=0)),
    "optim.escape_steps": lambda: (optim.escape_steps, [0.1, 1.0, 0.1, 1.0], {}),
    "optim.pgd_theory_params": lambda: (optim.pgd_theory_params, [10, 1.0, 1.0, 0.01, 0.5, 0.1, 1.0], {}),
    "optim.newton_schulz": lambda: (optim.newton_schulz, [MATRIX], dict(steps=5, eps=1e-7)),
    "optim.train": lambda: (optim.train, [NET, optim.SGD(0.1)], dict(
        batches=[NET.data], rng=rng(), steps=2, theta=W, accumulate=1, clip=1.0, progress=None)),
    "optim.lmo.psi": lambda: (optim.lmo.psi, [TALL, 0.5], {}),
    "optim.lmo.lmo": lambda: (optim.lmo.lmo, [TALL], dict(P=4.0, ball="schatten", scaled=False)),
    "optim.lmo.norm": lambda: (optim.lmo.norm, [TALL, 4.0], dict(ball="schatten")),
    "optim.lmo.polar": lambda: (optim.lmo.polar, [TALL], dict(steps=8)),
    "optim.lmo.newton_schulz": lambda: (optim.lmo.newton_schulz, [TALL], dict(steps=5, eps=1e-7)),
    "optim.lmo.polar_express": lambda: (optim.lmo.polar_express, [TALL], dict(steps=8, cushion=1.01)),
    "optim.lmo.criterion": lambda: (optim.lmo.criterion, [TALL, TALL, xp.asarray(np.eye(3))],
                                    dict(low=0.0, high=1.0)),
    "optim.lmo.bound": lambda: (optim.lmo.bound, [TALL, TALL, xp.asarray(np.eye(3))], dict(low=0.0, high=1.0)),
    "optim.lmo.nuclear_rank": lambda: (optim.lmo.nuclear_rank, [TALL], {}),
    "optim.lmo.stable_rank": lambda: (optim.lmo.stable_rank, [TALL], {}),
}

# The functions that take theta are called at a point; classes are made and their height is asked.
def at_a_point(make, size, *args, **settings):
    def heights(*args, **settings):
        problem = make(*args, **settings)
        return problem.loss(points(size)), None if make is finite_sums.Product else problem.start(rng())
    return heights, list(args), settings


def small_mnist():
    """A folder, gone at the end, with the four files of MNIST: 30 pictures and 10."""
    folder = tempfile.TemporaryDirectory(prefix="argument_examples")
    (Path(folder.name) / "mnist").mkdir()
    for part, n in (("train", 30), ("t10k", 10)):
        for kind, shape in (("images-idx3", (n, 28, 28)), ("labels-idx1", (n,))):
            header = struct.pack(f">I{len(shape)}I", 0x800 + len(shape), *shape)
            entries = (np.arange(np.prod(shape)) % 10).astype(np.uint8).tobytes()
            (Path(folder.name) / "mnist" / f"{part}-{kind}-ubyte").write_bytes(header + entries)
    return folder


FILES = small_mnist()
def at_a_start(make, *args, **settings):
    """The same at a point that the problem draws."""
    def height(*args, **settings):
        problem = make(*args, **settings)
        theta = problem.start(rng())
        return problem.loss(theta), theta
    return height, list(args), settings


PROBLEMS = {
    "problems.Network": lambda: (problems.Network, [MLP((3, 4, 2))], dict(
        data=(points(6, 3), xp.asarray(np.arange(6) % 2)), dtype="float64")),
    **{f"problems.functions.{name}": lambda name=name: (getattr(functions, name), [points(2)], {})
       for name in ("sphere", "booth", "three_hump_camel", "styblinski_tang", "beale", "himmelblau",
                    "rosenbrock", "levy", "griewank", "ackley", "rastrigin")},
    "problems.functions.quadratic": lambda: (lambda *a: functions.quadratic(*a)(points(3)),
                                             [np.array([1.0, 2.0, 3.0])], {}),
    "problems.functions.TestFunction": lambda: at_a_start(
        functions.TestFunction, bowl, bounds=(-1.0, 1.0), minimisers=[[0.0, 0.0]], minimum=0.0, source="here"),
    **{f"problems.potentials.{name}": lambda name=name: at_a_point(getattr(potentials, name), 2)
       for name in ("MuellerBrown", "ThreeHole", "TiltedRing", "TiltedWell", "WolfeQuapp", "Toy")},
    "problems.potentials.CurvedWell": lambda: at_a_start(potentials.CurvedWell, k=10.0, a=1.0),
    "problems.potentials.DoubleWell": lambda: at_a_point(potentials.DoubleWell, 2, k=4.0),
    "problems.potentials.EggBox": lambda: at_a_point(potentials.EggBox, 3, d=3),
    "problems.potentials.Ring": lambda: at_a_point(potentials.Ring, 2, k=10.0, h=1.0),
    "problems.potentials.OneNeuron": lambda: at_a_point(potentials.OneNeuron, 2, v=0.8, w=1.5),
    "problems.potentials.NeuronSwap": lambda: at_a_start(potentials.NeuronSwap),
    "problems.potentials.Embedded": lambda: at_a_start(potentials.Embedded, potentials.DoubleWell(), 5, rng=rng(),
                                                       stiffness=100.0),
    "problems.saddles.DeepLinear": lambda: at_a_start(saddles.DeepLinear, points(2, 2), (2,)),
    "problems.saddles.Octopus": lambda: at_a_point(saddles.Octopus, 3, 3, L=1.0, gam=1.0, tau=2.0),
    "problems.saddles.PSpin": lambda: at_a_point(saddles.PSpin, 5, 5, p=3, rng=rng()),
    "problems.saddles.RayleighQuartic": lambda: at_a_point(saddles.RayleighQuartic, 3, [1.0, 2.0, 3.0]),
    "problems.saddles.ScalarNet": lambda: at_a_point(saddles.ScalarNet, 2, depth=2),
    "problems.saddles.StrictSaddle": lambda: at_a_point(saddles.StrictSaddle, 4, d=4, gam=1.0),
    "problems.saddles.ClassicalSaddle": lambda: at_a_point(saddles.ClassicalSaddle, 2),
    "problems.saddles.MonkeySaddle": lambda: at_a_point(saddles.MonkeySaddle, 2),
    "problems.saddles.classical_saddle": lambda: (saddles.classical_saddle, [points(2)], {}),
    "problems.saddles.monkey_saddle": lambda: (saddles.monkey_saddle, [points(2)], {}),
    "problems.saddles.semicircle_index": lambda: (saddles.semicircle_index, [0.5], {}),
    **{f"problems.finite_sums.{name}": lambda name=name: (getattr(finite_sums, name), [], {})
       for name in ("bowl", "double_well", "example1", "example2", "example3", "example3_variant", "example4",
                    "example6", "parabolas")},
    "problems.finite_sums.Bowls": lambda: at_a_start(finite_sums.Bowls, points(3, 2), shapes="1+r"),
    "problems.finite_sums.Formula": lambda: (finite_sums.Formula, [[bowl], [[0.0]], [0.0]], {}),
    "problems.finite_sums.HalfSpace": lambda: at_a_start(
        finite_sums.HalfSpace, seed=0, labels="pm1", means="first", per_class=20, std=2.0, decay=1e-5),
    "problems.finite_sums.LogisticNetwork": lambda: at_a_start(
        finite_sums.LogisticNetwork, points(4, 2), np.array([1.0, -1.0, 1.0, -1.0]), hidden=1, decay=(0.02, 0.02)),
    "problems.finite_sums.MatrixFactorisation": lambda: at_a_start(finite_sums.MatrixFactorisation, points(3, 4), k=1),
    "problems.finite_sums.Product": lambda: at_a_point(finite_sums.Product, 2, t=1.0),
    "problems.finite_sums.Ridges": lambda: at_a_start(finite_sums.Ridges, [0.0, 1.0], d=2),
    "problems.data.load": lambda: (data.load, ["mnist", FILES.name], dict(
        split="ours", seed=0, dtype="float32", download=False, flat=True, limit=5)),
    **{f"problems.data.load {name}": lambda name=name, own=own: (data.load, [name, None], dict(
        split="ours", seed=0, dtype="float64", download=False, **own)) for name, own in {
        "clusters": dict(n_train=20, n_valid=20, n_test=20, clusters=4, dim=3, classes=2, spread=1.0,
                         noise=0.5, label_noise=0.1),
        "clusters-8": dict(label_noise=0.1),
        "power-law": dict(n=20, dim=4, power=2.0, noise=0.01),
        "spirals": dict(n_train=20, n_valid=20, n_test=20, noise=0.1, turns=1.5),
        "polynomial": {}}.items()},
    "problems.data.load strokes": lambda: (data.load, ["strokes"], dict(
        seed=0, n_train=4, n_valid=4, n_test=4, flat=False)),
    "problems.data.load grammar": lambda: (data.load, ["grammar"], dict(
        seed=0, n_train=60, n_valid=60, n_test=60, context=8)),
    "problems.data.is_local": lambda: (data.is_local, ["mnist", FILES.name], {}),
    "problems.data.first_local": lambda: (data.first_local, ["mnist", "strokes"], dict(root=FILES.name)),
    "problems.data.names": lambda: (data.names, [], {}),
    "problems.data.cache_folder": lambda: (data.cache_folder, [], {}),
    "problems.data.describe": lambda: (data.describe, ["mnist"], {}),
    "problems.data.batches": lambda: (lambda *a, **k: list(itertools.islice(data.batches(*a, **k), 5)),
                                      [rng(), 10, 4], dict(drop_last=False)),
    "problems.data.epochs": lambda: (lambda *a, **k: list(itertools.islice(data.epochs(*a, **k), 5)),
                                     [rng(), 10, 4], dict(count=2, drop_last=False, reshuffle=True)),
    "problems.data.Vocabulary": lambda: (data.Vocabulary, ["abc"], {}),
    "problems.data.windows": lambda: (data.windows, [np.arange(20), 4], {}),
    "problems.data.ngram_bits": lambda: (data.ngram_bits, [np.arange(20) % 3, np.arange(9) % 3, 3, (1, 2)], {}),
    "problems.data.stroke_digits": lambda: (data.stroke_digits, [rng(), 3], dict(bend=0.07, noise=0.1, clutter=1)),
    "problems.data.grammar_text": lambda: (data.grammar_text, [rng(), 30], {}),
    "problems.data.power_law_teacher": lambda: (data.power_law_teacher, [rng(), 4], {}),
    "problems.data.power_law_points": lambda: (data.power_law_points, [
        rng(), 5, *data.power_law_teacher(rng(), 4)], dict(power=2.0, noise=0.01)),
    "problems.data.two_spirals": lambda: (data.two_spirals, [rng(), 10], dict(noise=0.06, turns=1.75)),
    "problems.data.gaussian_centres": lambda: (data.gaussian_centres, [rng()], dict(clusters=4, dim=3, spread=1.0)),
    "problems.data.gaussian_clusters": lambda: (data.gaussian_clusters, [rng(), points(4, 3), 8], dict(
        classes=2, noise=0.6, label_noise=0.1)),
}


def trained(make, inputs, targets):
    """A network made, its parameters drawn, and its loss on a batch."""
    def loss(*args, **settings):
        network = make(*args, **settings)
        return network.loss(network.init(rng()), (inputs(), targets()))
    return loss


def labels(*shape, classes=2):
    return xp.asarray(np.arange(np.prod(shape)).reshape(shape) % classes)


TEXT = (lambda: labels(2, 4, classes=5), lambda: labels(2, 4, classes=5))
IMAGES = (lambda: points(2, 1, 8, 8), lambda: labels(2))
TRANSFORMER = networks.transformer.Transformer(5, layers=1, width=4, heads=2, context=4)
NETWORKS = {
    "MLP": lambda: (trained(MLP, lambda: points(6, 3), lambda: labels(6)), [(3, 4, 4, 2)], dict(
        activation="tanh", init="he", loss="cross_entropy", skip=True, norm=True, gain=1.0, bias=True,
        output="linear")),
    "CNN": lambda: (trained(networks.cnn.CNN, *IMAGES), [], dict(
        image=(1, 8, 8), classes=2, filters=(2, 2), kernel=3, init="uniform")),
    "LeNet": lambda: (trained(networks.lenet.LeNet, lambda: points(1, 1, 28, 28), lambda: labels(1)), [],
                      dict(activation="relu", init="uniform")),
    "ResNet": lambda: (trained(networks.resnet.ResNet, *IMAGES), [], dict(
        widths=(2, 2), blocks=1, image=(1, 8, 8), classes=2, init="lecun")),
    "ResNet9": lambda: (trained(networks.resnet9.ResNet9, *IMAGES), [], dict(
        width=1, image=(1, 8, 8), classes=2, dropout=0.0, init="uniform")),
    "RowLSTM": lambda: (trained(networks.row_lstm.RowLSTM, lambda: points(2, 1, 2, 3), lambda: labels(2)), [],
                        dict(steps=2, features=3, hidden=2, classes=2, permutation=np.arange(6)[::-1])),
    "LSTM": lambda: (trained(networks.lstm.LSTM, *TEXT), [5], dict(
        width=3, hidden=3, layers=2, context=4, tied=True, dropout=0.0, init="uniform")),
    "Transformer": lambda: (trained(networks.transformer.Transformer, *TEXT), [5], dict(
        layers=1, width=4, heads=2, context=4, feedforward=3, dropout=0.0, tied=False)),
    "Rotary": lambda: (trained(networks.rotary.Rotary, *TEXT), [5], dict(
        layers=1, width=8, heads=2, context=4, share=0.5, base=100.0)),
    "LoRA": lambda: (trained(networks.lora.LoRA, *TEXT), [TRANSFORMER, TRANSFORMER.init(rng())], dict(
        rank=2, scale=8.0, places=("qkv", "up"))),
    "ViT": lambda: (trained(networks.vit.ViT, *IMAGES), [], dict(
        image=(1, 8, 8), patch=4, classes=2, layers=1, width=4, heads=2, feedforward=3)),
    "UNet": lambda: (trained(networks.unet.UNet, lambda: points(1, 1, 4, 4), lambda: points(1, 1, 4, 4)), [],
                     dict(channels=1, width=2, levels=1, init="he")),
    "GNN": lambda: (trained(networks.gnn.GNN, lambda: networks.gnn.packed(points(2, 3, 2), xp.zeros((2, 3, 3))),
                            lambda: labels(2)), [2], dict(hidden=3, layers=1, classes=2, init="uniform")),
    "DLRM": lambda: (trained(networks.dlrm.DLRM, lambda: xp.concatenate(
        [points(2, 2), xp.asarray([[0.0, 1.0], [2.0, 1.0]])], axis=1), lambda: labels(2)), [], dict(
        numbers=2, categories=(3, 3), width=2, bottom=(3,), top=(3,), init="uniform")),
    "packed": lambda: (networks.gnn.packed, [points(2, 3, 2), xp.zeros((2, 3, 3))], {}),
    "mixing": lambda: (networks.gnn.mixing, [xp.zeros((2, 3, 3))], {}),
}
AROUND = {
    **{f"problems.initialisers.{name}": lambda name=name: (getattr(initialisers, name), [rng(), (2, 3)], dict(
        gain=1.0)) for name in initialisers.RULES},
    "problems.initialisers.dense": lambda: (initialisers.dense, [rng(), 2, 3], dict(rule="he", gain=1.0)),
    "problems.initialisers.convolution": lambda: (initialisers.convolution, [rng(), 2, 3, 3], dict(rule="he")),
    "problems.initialisers.norm": lambda: (initialisers.norm, [3], {}),
    "problems.initialisers.table": lambda: (initialisers.table, [rng(), 4, 3], {}),
    "problems.sampling.sample": lambda: (sampling.sample, [
        TRANSFORMER, TRANSFORMER.init(rng()), [0, 1], 3, rng()], dict(temperature=1.0)),
    "problems.evaluation.mean_loss": lambda: (evaluation.mean_loss, [
        NET.model, LAYOUT.unravel(W), NET.data], dict(rows=4)),
    "problems.evaluation.error_rate": lambda: (evaluation.error_rate, [
        NET.model, LAYOUT.unravel(W), NET.data], dict(rows=4)),
    "problems.evaluation.text_loss": lambda: (evaluation.text_loss, [
        TRANSFORMER, TRANSFORMER.init(rng()), np.arange(12) % 5, 4], dict(rows=2)),
    "problems.evaluation.calibration_error": lambda: (evaluation.calibration_error, [
        xp.asarray([[0.5, 0.5], [0.9, 0.1]]), xp.asarray([0, 1])], dict(bins=3)),
}


def consumed(function, count=3):
    return lambda *a, **k: list(itertools.islice(function(*a, **k), count))


def tracked(lr, momentum, kind, m, optimizer, objective, theta, steps, generator, every):
    return landscape.EdgeTracker(lr, momentum, kind, m).track(optimizer, objective, theta, steps, generator, every)


def on_path(make):
    """A path made, and read at five places."""
    return lambda *a, **k: make(*a, **k)(xp.linspace(0.0, 1.0, 5))


def connected(a, b):
    return landscape.auto_neb(optim.Objective(bowl), a, b, cycles=[Cycle(2, 0.1)])


ROOM = [bowl, points(3)]
LANDSCAPE = {
    "problems.landscape.HessianOp": lambda: (lambda f, theta, v, mode="ror": landscape.HessianOp(
        f, theta, mode=mode).matvec(v), [*ROOM, points(3)], dict(mode="fd")),
    "problems.landscape.MatrixOp": lambda: (lambda A, v: landscape.MatrixOp(A).matvec(v), [A, points(4)], {}),
    "problems.landscape.GaussNewtonOp": lambda: (lambda f, h, theta, v: landscape.GaussNewtonOp(
        f, h, theta).matvec(v), [mg.tanh, bowl, points(3), points(3)], {}),
    "problems.landscape.curvature.KFACOp": lambda: (curvature.KFACOp, [NET, W], dict(rng=rng())),
    "problems.landscape.hvp": lambda: (landscape.hvp, [*ROOM, points(3)], dict(mode="ror")),
    "problems.landscape.dense_hessian": lambda: (landscape.dense_hessian, [A], {}),
    "problems.landscape.curvature.dense_hessians": lambda: (curvature.dense_hessians, [bowl, points(2, 3)], {}),
    "problems.landscape.index": lambda: (landscape.index, [A], dict(tol=1e-8)),
    "problems.landscape.power_iteration": lambda: (landscape.power_iteration, [A], dict(
        iterations=5, tol=1e-4, rng=rng(), which="LA")),
    "problems.landscape.lanczos": lambda: (landscape.lanczos, [A], dict(
        m=3, which="LA", k=1, rng=rng(), reorth=2, tol=1e-4)),
    "problems.landscape.trace": lambda: (landscape.trace, [A, 6], dict(
        method="hutch++", rng=rng(), probes="rademacher", tol=0.05)),
    "problems.landscape.curvature.hutchinson": lambda: (curvature.hutchinson, [A, 4, rng()], dict(
        probes="gaussian", tol=0.05)),
    "problems.landscape.curvature.hutch_pp": lambda: (curvature.hutch_pp, [A, 6, rng()], dict(
        probes="gaussian", tol=0.05)),
    "problems.landscape.spectral_density": lambda: (landscape.spectral_density, [A], dict(
        m=3, nv=2, sigma=0.5, rng=rng(), points=100, tol=0.2)),
    "problems.landscape.curvature.quadrature": lambda: (curvature.quadrature, [landscape.MatrixOp(A), points(4), 3], {}),
    "problems.landscape.EdgeTracker": lambda: (tracked, [0.1, 0.0, "gd", 3, optim.SGD(0.1), bowl, points(3), 4,
                                                         rng(), 2], {}),
    "problems.landscape.gradient_flow": lambda: (consumed(landscape.gradient_flow), [*ROOM, 0.1, rng()], dict(
        cap=1.0, every=2, m=3)),
    "problems.landscape.sam_threshold": lambda: (landscape.sam_threshold, [0.1, 0.1, 1.0], {}),
    "problems.landscape.threshold": lambda: (landscape.threshold, [0.1], dict(momentum=0.5, kind="nesterov")),
    "problems.landscape.adaptive_sharpness": lambda: (landscape.adaptive_sharpness, [*ROOM, 0.1], dict(
        eta=0.1, p=2.0, steps=3, rng=rng())),
    "problems.landscape.sam_sharpness": lambda: (landscape.sam_sharpness, [*ROOM, 0.1], dict(
        p=2.0, steps=3, rng=rng())),
    "problems.landscape.keskar_sharpness": lambda: (landscape.keskar_sharpness, ROOM, dict(
        eps=1e-3, steps=3, rng=rng())),
    "problems.landscape.top_curvature": lambda: (landscape.top_curvature, [*ROOM, rng()], dict(m=3)),
    "problems.landscape.curvature.PreconditionedOp": lambda: (
        lambda op, p, v: curvature.PreconditionedOp(op, p).matvec(v), [MATRIX + MATRIX.T, xp.abs(D3), D3],
        {}),
    "problems.landscape.curvature.adam_threshold": lambda: (curvature.adam_threshold, [0.1], dict(
        beta1=0.9)),
    "problems.landscape.curvature.adam_preconditioner": lambda: (curvature.adam_preconditioner, [
        optim.Adam(), optim.Adam().step(optim.Objective(bowl), D3, optim.Adam().init(D3))[1]], {}),
    "problems.landscape.curvature.preconditioned_sharpness": lambda: (
        curvature.preconditioned_sharpness, [bowl, D3, xp.abs(D3), rng()], dict(m=3)),
    "problems.landscape.find_critical_point": lambda: (landscape.find_critical_point, ROOM, dict(
        method="lm", tol=1e-9, iterations=5, bound=10.0)),
    "problems.landscape.index_against_height": lambda: (landscape.index_against_height, [
        landscape.find_critical_point(bowl, points(6, 2))], dict(rng=rng(), draws=10)),
    "problems.landscape.critical.distinct": lambda: (critical.distinct, [
        landscape.find_critical_point(bowl, points(2, 2))], dict(tol=1e-6)),
    "problems.landscape.kkt_residuals": lambda: (landscape.kkt_residuals, [
        bowl, [bowl], points(3), [0.5]], {}),
    "problems.landscape.ball_least_squares": lambda: (landscape.ball_least_squares, [
        points(4, 3), points(4), 0.1], {}),
    "problems.landscape.projected_descent": lambda: (landscape.projected_descent, [
        bowl, lambda w: w, points(3), 0.1], dict(steps=5)),
    "problems.landscape.critical.onto_ball": lambda: (critical.onto_ball, [points(2, 3), 1.0], {}),
    "problems.landscape.hitting_times": lambda: (landscape.hitting_times, [
        optim.SGD(0.1), bowl, points(2, 3), lambda w: xp.sum(w * w, axis=-1) < 0.1], dict(limit=5)),
    "problems.landscape.curvature_map": lambda: (landscape.curvature_map, [
        *ROOM, points(3), points(3, 3)[1], rng()], dict(alphas=np.array([0.0]), betas=np.array([0.0]), m=2)),
    "problems.landscape.eigen_directions": lambda: (landscape.eigen_directions, [*ROOM, rng()], dict(
        which="top", m=3)),
    "problems.landscape.grid": lambda: (landscape.grid, [], dict(low=-1.0, high=1.0, count=5)),
    "problems.landscape.kernel_pca": lambda: (landscape.kernel_pca, [points(6, 3)], dict(
        kernel="rbf", bandwidth="median", components=2)),
    "problems.landscape.line_scan": lambda: (landscape.line_scan, [*ROOM, points(3)], dict(
        alphas=np.array([0.0, 1.0]), chunk=2)),
    "problems.landscape.plane_scan": lambda: (landscape.plane_scan, [*ROOM, points(3), points(3, 3)[1]], dict(
        alphas=np.array([0.0, 1.0]), betas=np.array([0.0, 1.0]), chunk=2)),
    "problems.landscape.plane_through": lambda: (landscape.plane_through, [bowl, *points(3, 3)], dict(
        count=3, margin=0.25, chunk=4)),
    "problems.landscape.normalise": lambda: (landscape.normalise, [W + 1.0, W, LAYOUT], dict(
        norm="filter", ignore=("bias",))),
    "problems.landscape.random_direction": lambda: (landscape.random_direction, [W, LAYOUT, rng()], dict(
        norm="filter", ignore=("bias",))),
    "problems.landscape.random_pair": lambda: (landscape.random_pair, [W, LAYOUT, rng()], dict(
        norm="filter", ignore=("bias",))),
    "problems.landscape.slices.cosine": lambda: (slices.cosine, [points(3), points(3)], {}),
    "problems.landscape.pca_directions": lambda: (landscape.pca_directions, [points(5, 3)], dict(k=2, centre=True)),
    "problems.landscape.project": lambda: (landscape.project, [points(5, 3), points(3), points(2, 3)], {}),
    "problems.landscape.random_walk": lambda: (landscape.random_walk, [5, 3, rng()], {}),
    "problems.landscape.random_walk_share": lambda: (landscape.random_walk_share, [1], dict(centre=True)),
    "problems.landscape.rescale": lambda: (landscape.rescale, [W, LAYOUT, "layers.0", "layers.1", 2.0], {}),
    "problems.landscape.rescaling_test": lambda: (landscape.rescaling_test, [NET, LAYOUT, W, W, W + 1.0, "filter"],
                                                  dict(alphas=np.array([0.0, 1.0]))),
    "problems.landscape.linear_assignment": lambda: (landscape.linear_assignment, [A], dict(maximize=True)),
    "problems.landscape.find_symmetries": lambda: (landscape.find_symmetries, [NET], dict(inputs=points(2, 3))),
    "problems.landscape.weight_matching": lambda: (landscape.weight_matching, [
        landscape.find_symmetries(NET), W, W + 1.0, rng()], dict(sweeps=3, starts=2)),
    "problems.landscape.repair": lambda: (landscape.repair, [NET, W, [W, W + 1.0]], dict(
        shares=[0.5, 0.5], inputs=points(4, 3))),
    "problems.landscape.repaired_line": lambda: (on_path(landscape.repaired_line), [NET, W, W + 1.0], dict(
        inputs=points(4, 3))),
    "problems.landscape.slerp": lambda: (landscape.slerp, [W, W + 1.0, 0.5], dict(layout=LAYOUT, per="tensor")),
    "problems.landscape.swa_update": lambda: (landscape.swa_update, [points(3), points(3), 2], {}),
    "problems.landscape.uniform_soup": lambda: (landscape.uniform_soup, [points(2, 3)], dict(
        score=lambda w: -bowl(w), objective=bowl, tolerance=100.0)),
    "problems.landscape.greedy_soup": lambda: (landscape.greedy_soup, [points(2, 3), lambda w: -bowl(w)], dict(
        objective=bowl, tolerance=100.0, strict=False)),
    "problems.landscape.Arc": lambda: (on_path(landscape.Arc), [points(3), points(3) + 1.0], {}),
    "problems.landscape.Straight": lambda: (on_path(landscape.Straight), [points(3), points(3) + 1.0], {}),
    "problems.landscape.Bezier": lambda: (on_path(landscape.Bezier), [points(3, 3)], {}),
    "problems.landscape.Polygon": lambda: (on_path(landscape.Polygon), [points(3, 3)], {}),
    "problems.landscape.Spline": lambda: (on_path(landscape.Spline), [points(4, 3)], {}),
    "problems.landscape.Fourier": lambda: (on_path(landscape.Fourier), [points(3), points(3) + 1.0, points(2, 3)], {}),
    "problems.landscape.BezierCurve": lambda: (landscape.BezierCurve, [points(3), points(3) + 1.0], dict(bends=1)),
    "problems.landscape.PolyChain": lambda: (landscape.PolyChain, [points(3), points(3) + 1.0], dict(bends=1)),
    "problems.landscape.NEB": lambda: (landscape.NEB, [], dict(spring=1.0, climb=True)),
    "problems.landscape.StringMethod": lambda: (landscape.StringMethod, [], {}),
    "problems.landscape.accuracy": lambda: (lambda net, w, **k: landscape.accuracy(net, **k)(w), [NET, W],
                                            dict(batch=NET.data)),
    "problems.landscape.auto_neb": lambda: (landscape.auto_neb, [optim.Objective(bowl), points(3), points(3) + 1.0], dict(
        cycles=[Cycle(2, 0.1)], first=3, insert=2, threshold=0.1, samples=3, climb=False)),
    "problems.landscape.barrier": lambda: (landscape.barrier, [bowl, landscape.Straight(points(3), points(3) + 1.0)],
                                           dict(points=5, refinements=1, chunk=4)),
    "problems.landscape.height": lambda: (landscape.height, [bowl, landscape.Straight(points(3), points(3) + 1.0)],
                                          dict(points=11, tops=1, tolerance=1e-3, chunk=4)),
    "problems.landscape.explore": lambda: (landscape.explore, [points(3, 3), connected], dict(extra=0)),
    "problems.landscape.linear_path": lambda: (on_path(landscape.linear_path), [points(3), points(3) + 1.0], {}),
    "problems.landscape.straight_band": lambda: (landscape.straight_band, [points(3), points(3) + 1.0], dict(images=3)),
    "problems.landscape.train_curve": lambda: (landscape.train_curve, [
        landscape.BezierCurve(points(3), points(3) + 1.0), optim.Objective(bowl), optim.SGD(0.1), 2, rng()],
        dict(decay=0.0)),
    "problems.landscape.conditions.aiming": lambda: (conditions.aiming, [np.ones(3), np.ones(3)], dict(lowest=0.0)),
    "problems.landscape.conditions.pl": lambda: (conditions.pl, [np.ones(3), np.ones(3), 0.0], dict(power=2.0)),
    "problems.landscape.conditions.cosine": lambda: (conditions.cosine, [np.ones(3), np.ones(3), np.ones(3)], {}),
    "problems.landscape.conditions.Envelope": lambda: (conditions.Envelope, [np.ones(3), np.ones(3), np.ones(3)],
                                                       dict(lowest=0.0)),
    "problems.landscape.conditions.shuffled": lambda: (conditions.shuffled, [6, 2, 2, 0], {}),
    "problems.landscape.conditions.example_losses": lambda: (conditions.example_losses, [finite_sums.example1()], {}),
}
LEFT_OUT["problems.landscape.conditions"].update(
    {name: "searches of seconds, tested with the conditions"
     for name in ("alpha_min", "beta_min", "least", "verify_on_domain", "record", "record_stored")})
NETWORKS = {f"problems.networks.{name}": example for name, example in NETWORKS.items()}
EXAMPLES = {**MINIGRAD, **OPTIM, **PROBLEMS, **NETWORKS, **AROUND, **LANDSCAPE}

EXAMPLES.update({
    "minigrad.prod": lambda: (mg.prod, [points(3)], {}),
    **({} if on_device else {"minigrad.replay": lambda: (mg.replay, [bowl, points(3)], {})}),
    "problems.landscape.FourierPathFinder": lambda: (
        landscape.FourierPathFinder, [], dict(K=2, starts=2, steps=5, candidates=1)),
    "problems.landscape.PublishedPath": lambda: (
        landscape.PublishedPath, [1, 3, 5, 1.0, 5, 0.01], {}),
    "problems.landscape.bottleneck": lambda: (
        landscape.bottleneck, [np.add.outer(np.arange(4.0), np.arange(4.0)), (0, 0), (3, 3)], {}),
    "problems.landscape.minimax": lambda: (
        landscape.minimax, [bowl, points(2), points(2) + 1.0, ((-3.0, 3.0), (-3.0, 3.0))],
        dict(count=11)),
})
