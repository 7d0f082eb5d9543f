"""What decides speed, held fast: the engine against NumPy by hand, and the counts of a step."""
import json
import resource
import sys
import time
from collections import Counter

import numpy as np
import pytest

import minigrad as mg
import optim
from demos.speed import growth, mlp, timing
from demos.speed.training import nanogpt, on_gpu
from demos.speed.transformer_by_hand import loss_and_gradient
from minigrad import graph
from minigrad.backend import name as backend
from minigrad.tree import leaves_of
from problems import Network
from problems.networks.mlp import MLP
from problems.networks.transformer import Transformer

pytestmark = pytest.mark.skipif(backend != "numpy", reason="the timings are of NumPy")


def a_transformer():
    rng = np.random.default_rng(0)
    batch = tuple(rng.integers(0, 65, (8, 64)) for _ in range(2))
    problem = Network(Transformer(65, layers=1, width=128, heads=4, context=64), batch, "float32")
    params = problem.params(problem.start(rng))
    return problem, params, lambda: loss_and_gradient(params, *batch, heads=4)


def a_perceptron():
    rng = np.random.default_rng(0)
    x, labels = rng.standard_normal((128, 784)).astype("float32"), rng.integers(0, 10, 128)
    problem = Network(MLP(mlp.SIZES), (x, labels), "float32")
    params = problem.params(problem.start(rng))
    layers = [(layer["W"], layer["b"]) for layer in params["layers"]]
    return problem, params, lambda: mlp.hand_written(layers, x, labels)


@pytest.mark.parametrize("make", [a_perceptron, a_transformer])
def test_the_tape_costs_little_over_numpy_by_hand(make):
    """Best of eight each, in turn, in one process; 1.1 is the aim, 1.3 leaves room for noise."""
    mg.keep_heap()
    problem, params, by_hand = make()
    gradient = mg.value_and_grad(problem.tree_loss)
    works, times = (lambda: gradient(params), by_hand), ([], [])
    for _ in range(8):
        for work, spent in zip(works, times):
            start = time.process_time()
            work(), work()
            spent.append(time.process_time() - start)
    assert min(times[0]) <= 1.3 * min(times[1])


@pytest.mark.parametrize("make, forward", [
    (a_perceptron, {"linear": 3, "gelu": 2, "softmax_cross_entropy": 1}),
    (a_transformer, {"embedding": 1, "add": 3, "getitem": 1, "reshape": 4, "layer_norm": 3,
                     "linear": 5, "self_attention": 1, "gelu": 1, "softmax_cross_entropy": 1})])
def test_operations_of_a_step(make, forward):
    """One operation a fused layer: a chain in its place would show here."""
    problem, params, _ = make()
    counted = {}

    def f(p):
        y = problem.tree_loss(p)
        counted.update(Counter(node.primitive.__name__ for node in graph.nodes(y)
                               if node.primitive))
        return y
    mg.grad(f)(params)
    assert counted == forward


class Watched(np.ndarray):
    """An array that counts the numbers read from it by the host."""
    reads = 0


def read(name):
    method = getattr(np.ndarray, name)

    def counting(self, *arguments):
        Watched.reads += 1
        return method(self, *arguments)
    return counting


for _name in ("__bool__", "__float__", "__int__", "item", "tolist"):
    setattr(Watched, _name, read(_name))


def test_a_gradient_reads_nothing_on_the_host():
    """Of the point and all that comes of it: only labels and tokens, the data, are looked at."""
    for make in (a_perceptron, a_transformer):
        problem, params, _ = make()
        Watched.reads = 0
        mg.value_and_grad(problem.tree_loss)(
            mg.tree.rebuild(params, [a.view(Watched) for a in leaves_of(params)]))
        assert Watched.reads == 0
    assert bool(np.ones(1).view(Watched)) and Watched.reads == 1       # it does count


def test_page_faults_of_a_training_step():
    """With the heap kept, a step asks the system for next to nothing; without, for thousands."""
    mg.keep_heap()
    problem, params, _ = a_transformer()
    theta, method = problem.layout.ravel(params), optim.AdamW(1e-3)
    objective, state = optim.Objective(problem), method.init(theta)
    faults = []
    for _ in range(6):
        start = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
        theta, state, _ = method.step(objective, theta, state)
        faults.append(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - start)
    assert min(faults) <= 50


def test_copies_of_large_arrays():
    """Data and weights are never copied by a gradient: only its results are new arrays as large
    as the weights. Counted as memory in NumPy's arrays at the end, and at the peak."""
    import tracemalloc
    problem, params, _ = a_perceptron()
    gradient = mg.value_and_grad(problem.tree_loss)
    gradient(params)
    tracemalloc.start()
    _, g = gradient(params)
    held, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    weights = sum(a.nbytes for a in leaves_of(params))
    activations = 4 * 128 * (4 * 256 + 4 * 128 + 3 * 10)   # x W, gelu, slope, cotangent; and so on
    assert held <= 1.02 * weights + 10_000
    assert peak <= 1.02 * weights + activations + 4 * 2**16
    assert all(np.isfinite(a).all() for a in leaves_of(g))


# ------------------------------------------------------------------------- the demo's own rules

def test_the_exponent_is_that_of_the_large_sizes():
    sizes = [2**k for k in range(3, 13)]
    assert growth.exponent(sizes, [3e-6 * n**1.5 for n in sizes]) == pytest.approx(1.5, abs=1e-12)
    flat_first = [1e-3 + 1e-9 * n**2 for n in sizes]
    assert 1.0 < growth.exponent(sizes, flat_first) < 2.0


def test_bounds_go_by_the_width_of_vectors(monkeypatch):
    for width, bound in ((128, 1.2), (256, 1.2), (512, 1.5)):
        monkeypatch.setattr(timing, "blas", lambda: {"vector_bits": width})
        assert timing.allowed({256: 1.2, 512: 1.5}) == bound and timing.allowed(0.9) == 0.9


def test_peers_that_are_not_asked_for_are_not_there(monkeypatch):
    for name in timing.PEERS:
        monkeypatch.delitem(sys.modules, name, raising=False)
    timing.only(["torch"])
    try:
        with pytest.raises(ImportError):
            import micrograd  # noqa: F401
        assert "torch" not in sys.modules
    finally:
        for name in timing.PEERS:
            sys.modules.pop(name, None)


def test_training_turns_give_the_losses_of_both(capsys, monkeypatch):
    """nanoGPT's line on a text of nothing but the alphabet, a few iterations of a small model."""
    tokens = np.arange(4000) % 26
    dataset = type("Text", (), {"facts": {"tokens": {"train": tokens, "valid": tokens[:700]}}})
    monkeypatch.setattr(nanogpt.data, "load", lambda *_, **__: dataset)
    monkeypatch.setattr(nanogpt, "Transformer", lambda V, **s: Transformer(
        V, **{**s, "layers": 1, "width": 16}))
    monkeypatch.setattr(nanogpt, "theirs", nanogpt.ours)          # torch is not at hand here
    monkeypatch.setattr(nanogpt, "pin", lambda: None)
    monkeypatch.setattr(nanogpt, "TURN", 10)
    nanogpt.main(60)
    result = json.loads(capsys.readouterr().out)
    assert result["loss"]["minigrad"] == result["loss"]["torch"] < np.log(26.0)
    assert min(result["seconds"].values()) > 0.0


@pytest.mark.peers
def test_the_published_sizes_on_a_gpu_are_the_same_works_in_torch(capsys):
    """Where no GPU is, small sizes of the same works: both engines must start at one loss."""
    on_gpu.main(1)
    found = json.loads(capsys.readouterr().out)
    for name in ("transformer", "resnet", "mlp"):
        ours, theirs = found[name]["losses"].values()
        assert abs(ours - theirs) <= 1e-5 * theirs and found[name]["ratio"] > 0
