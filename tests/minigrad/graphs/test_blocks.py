"""Block by block: the same graphs where every block is a few numbers, and every row a long one.

What goes block by block (below the banners of minigrad/ops) goes in one block on small arrays. Here
the blocks are so small that the same arrays take many, with a shorter one at the end; and rows
count as long from three numbers on, or never.
"""
from importlib import import_module

import pytest

from minigrad.backend import on_device
from minigrad.ops import circular, elementary
from tests.minigrad.graphs.programs.drawn import NAMES, alone, graph
from tests.minigrad.graphs.test_derivatives import checked
from tests.minigrad.graphs.test_inputs import both, check_float32

pytestmark = pytest.mark.skipif(on_device, reason="arrays go whole on a device")

SIZES = {                                   # of a block, in numbers, images, sequences or steps
    "tiny": {"passes.BLOCK": 5, "circular.BLOCK": 5, "conv.WINDOWS": 40, "conv.ROWS": 1,
             "recurrent.STEPS": 2, "self_attention.SEQUENCES": 20, "passes.SHORT": 2, "reduce.SHORT": 2,
             "passes.MANY": 3, "passes.FEW": 2, "passes.WIDE": 6},
    "odd": {"passes.BLOCK": 64, "circular.BLOCK": 33, "conv.WINDOWS": 200, "conv.ROWS": 9, "recurrent.STEPS": 3,
            "self_attention.SEQUENCES": 100, "passes.SHORT": 10**9, "reduce.SHORT": 10**9,
            "passes.MANY": 50, "passes.FEW": 7, "passes.WIDE": 20},
}
SUMS = ("sum", "mean", "var", "norm", "sum_to", "batch_norm", "global_mean", "logsumexp")


@pytest.fixture(params=SIZES)
def small_blocks(request, monkeypatch):
    for place, size in SIZES[request.param].items():
        room, name = place.split(".")
        monkeypatch.setattr(import_module(f"minigrad.ops.{room}"), name, size)


@pytest.fixture
def circular_for_all(monkeypatch):
    """Sines by the fraction of `circular`, whatever is quicker here."""
    monkeypatch.setattr(circular, "MANY", 1)
    monkeypatch.setattr(circular, "by_fraction", lambda x: x.dtype == "float64" and x.size)
    monkeypatch.setattr(elementary, "_cos_sin", circular.cos_sin)


def test_many_blocks_are_one(small_blocks):
    checked([(f"{name} {k}", alone(name, k, long=True)) for name in NAMES for k in range(1)],
            third=lambda k: k % 4 == 0)


def test_sums_in_float32(small_blocks):
    check_float32([(f"{name} {k}", alone(name, k, long=k > 0)) for name in SUMS for k in range(4)])


@pytest.mark.slow
def test_many_blocks_are_one_in_graphs(small_blocks):
    checked([(f"graph {seed}", graph(seed)) for seed in range(300)], third=lambda k: k % 4 == 0)
    checked([(f"{name} {k}", alone(name, k, long=True)) for name in NAMES for k in range(1, 10)],
            third=lambda k: k % 4 == 0)
    check_float32(both(100, 2))


def test_sines_by_fractions(circular_for_all):
    checked([(f"{name} {k}", alone(name, k)) for name in ("sin", "cos", "tan") for k in range(8)],
            third=lambda k: True)
