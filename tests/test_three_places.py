"""What is new stands in three places at most, and what was forgotten is named here.

    an operation    minigrad/ops/, its export, samples.py          (and a rule of axes, if it moves any)
    an optimizer    its file, the exports of optim, a row of the README's table
    a demo          its file, its folder's tests, the README's table: python -m demos.trial.readme
"""
from pathlib import Path

import pytest

import optim
from demos.__main__ import demos, modules
from minigrad.engine.rules import primitives
from problems.landscape.alignment.axes import RULES

README = (Path(__file__).parent.parent / "README.md").read_text(encoding="utf-8")
FORMS = {"Optimizer", "ScalarRate"}               # forms of rules, no methods

# Operations that only losses and derivatives are made of: whatever they touch stays in its place.
PINNED = {"_put", "_concatenate", "sum_to", "_matmul_tn", "_matmul_nt", "gelu_slope",
          "tanh_slope", "conv2d_input", "conv2d_kernel", "softmax_cross_entropy", "softmax_error",
          "mean_squared_error", "attention_weights", "softmax_slope", "level", "embedding_sum",
          "standardize_slope", "pool_pick", "pool_route", "pool_spread"}


def test_every_operation_has_a_rule_of_axes():
    """Without one, find_symmetries takes every unit that the operation touches for fixed."""
    for name, operation in primitives.items():
        if operation.__module__.startswith("minigrad.ops"):
            known = operation.elementwise or name in RULES or name in PINNED
            assert known, (f"{name}: no rule in problems/landscape/alignment/axes.py says what "
                           "becomes of its axes. Add one, or to PINNED here if units stay.")


def test_every_optimizer_has_a_row_in_the_readme():
    table = README[README.index("## Optimizers"):README.index("## Data")]
    for name, value in vars(optim).items():
        if isinstance(value, type) and issubclass(value, optim.Optimizer) and name not in FORMS:
            assert f"`{name}" in table, f"{name}: add a row with its paper to README's optimizers"


@pytest.mark.parametrize("name", demos())
def test_every_demo_has_a_row_in_the_readme(name):
    assert f"| `{name}` |" in README, f"{name}: run python -m demos.trial.readme"


@pytest.mark.parametrize("name", demos())
def test_every_demo_names_its_source(name):
    """A module that happens to define `run` would be taken for a demo."""
    parts = modules()[name].module.split(".")
    path = Path(__file__).parent.parent.joinpath(*parts)
    file = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    assert "\nSOURCE = " in file.read_text(encoding="utf-8"), f"{name}: no SOURCE, or no demo"
