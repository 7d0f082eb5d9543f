"""Would a wrong rule be noticed? Every rule of every primitive, made wrong in three ways.

The cotangent that a rule hands to one of its inputs is multiplied by 1.001, by -1 or by 0, in the
rule for arrays alone or in the differentiable one alone. What the programs of each operation (those
of the default suite) see of it is counted. `python -m tests.minigrad.graphs.source_mutants` breaks
the source instead.
"""
from contextlib import ExitStack, contextmanager

import pytest

from minigrad.engine.cotangents import Part
from minigrad.tensor import primitives
from tests.minigrad.graphs.programs.drawn import NAMES, alone, graph, seeds
from tests.minigrad.graphs.test_derivatives import ALONE, check

FACTORS = (1.001, -1.0, 0.0)
OURS = [p for p in primitives.values() if p.__module__.startswith("minigrad.ops")]


def scaled(g, factor):
    return Part(g.values * factor, g.index, g.shape) if type(g) is Part else g * factor


@contextmanager
def patched(operation, kind, change):
    """The rules of one kind handed through change(k, cotangent)."""
    before = operation.rule, operation.rules, operation.rule_arrays
    rule = getattr(operation, kind)

    def changed(*inputs, needs, **settings):
        return [g if g is None else change(k, g)
                for k, g in enumerate(rule(*inputs, needs=needs, **settings))]
    setattr(operation, kind, changed)
    if kind == "rule":
        operation.rules = None                          # the joint form has them all
    try:
        yield
    finally:
        operation.rule, operation.rules, operation.rule_arrays = before


def kinds(operation):
    return ["rule", "rule_arrays"] if operation.rule_arrays else ["rule"]


PROGRAMS = [*((name, k) for name in NAMES for k in seeds(name, ALONE)),
            *(("graph", k) for k in range(40))]


def program(label):
    return graph(label[1]) if label[0] == "graph" else alone(*label)


def uses():
    """{(primitive, kind, input): the programs in which this rule hands something to this input}."""
    found, current = {}, None
    with ExitStack() as stack:
        for operation in OURS:
            for kind in kinds(operation):
                def noted(k, g, rule=(operation.__name__, kind)):
                    found.setdefault((*rule, k), {})[current] = True
                    return g
                stack.enter_context(patched(operation, kind, noted))
        for current in PROGRAMS:
            check(program(current), current[1])
    return found


def noticed(name, kind, k, factor, seen_by):
    """Does one of the programs fail when this cotangent is multiplied by the factor?"""
    with patched(primitives[name], kind, lambda i, g: scaled(g, factor) if i == k else g):
        for label in seen_by:
            try:
                check(program(label), label[1])
            except (AssertionError, FloatingPointError):
                return True
    return False


@pytest.mark.slow
def test_wrong_rules_are_noticed():
    """All but what is right after all: `sign` hands on zeros, and see TWICE."""
    found = uses()
    mutants = [(*rule, factor) for rule in found for factor in FACTORS]
    unnoticed = [m for m in mutants if not noticed(*m, found[m[:3]])]
    count = len(mutants) - len(unnoticed)
    print(f"{count} of {len(mutants)} wrong rules noticed, not: {unnoticed}")
    rules = {(p.__name__, kind) for p in OURS for kind in kinds(p)}
    assert not rules - {rule[:2] for rule in found}     # every rule is called
    assert not [m for m in unnoticed if m[0] != "sign" and m[:1] + m[-1:] not in TWICE], unnoticed


# Pools go along the height and along the width: -1 comes twice.
POOLS = ("pool_max", "pool_sum", "pool_route", "pool_pick", "pool_spread")
TWICE = [(name, -1.0) for name in POOLS]
