"""Every public function, called with one bad argument at a time, answers or says what is wrong.

A call may return (a documented result), or raise ValueError, TypeError, RuntimeError or OSError with
a sentence of ours, `<where>: <what is wrong, with the values>. <What to do.>`. Anything else is raw:
another exception, a message from inside NumPy or Python, or no answer within two seconds.
"""
import importlib
import re
import signal
import sys
import types
import warnings
from collections import Counter

import numpy as np
import pytest

from minigrad.backend import on_device, xp
from problems.data import files
from tests.argument_examples import EXAMPLES, LEFT_OUT

ALLOWED = (ValueError, TypeError, RuntimeError, OSError)
OURS = re.compile(r"^[\w.\[\]()' ,+*/-]{1,60}: .", re.S)
NOT_OURS = re.compile(r"Input operand|^could not|cannot reshape|^invalid literal|must be str|ufunc|"
                      r"^'|object (is not|has no|cannot)|^unsupported|unexpected keyword|positional|"
                      r"^unhashable|truth value")
BAD = {
    "None": lambda: None, "'x'": lambda: "x", "[]": lambda: [], "nan": lambda: float("nan"),
    "inf": lambda: float("inf"), "-1": lambda: -1, "0": lambda: 0, "1.5": lambda: 1.5,
    "empty": lambda: xp.zeros(0), "(2, 3, 4)": lambda: xp.ones((2, 3, 4)),
    "integers": lambda: xp.arange(3), "complex": lambda: xp.ones(3, dtype=complex),
    "nans": lambda: xp.full(3, np.nan), "object()": lambda: object(),
}
QUICK = ("None", "'x'", "nan", "-1", "(2, 3, 4)", "object()")
ROOMS = ("minigrad", "optim", "problems")
CHECKS = ("minigrad.check_gradient", "minigrad.check_hvp")
WINGS = ("curvature", "slices", "critical", "alignment")


def public():
    """{package: its callable public names}, each name at the topmost package that has it."""
    seen, result = set(), {}
    for package in LEFT_OUT:
        module = importlib.import_module(package)
        names = getattr(module, "__all__", None) or [n for n in dir(module) if not n.startswith("_")]
        result[package] = []
        for name in names:
            value = getattr(module, name)
            if callable(value) and not isinstance(value, types.ModuleType) and id(value) not in seen:
                seen.add(id(value))
                result[package].append(name)
    return result


@pytest.fixture(autouse=True)
def no_network(monkeypatch, tmp_path):
    """Whoever reaches for the net answers raw, and no file of the reader's own is read."""
    def reached(*_):
        raise AssertionError("the network")
    monkeypatch.setattr(files, "fetch", reached)
    monkeypatch.delenv("MINIGRAD_DATA", raising=False)
    monkeypatch.setenv("MINIGRAD_CACHE", str(tmp_path))


@pytest.mark.slow
def test_every_public_function_has_an_example():
    """A new function needs a line in `argument_examples`, or a reason to be left out."""
    left_out = {"minigrad": {"replay"}} if on_device else {}
    missing = [f"{package}.{name}" for package, names in public().items() for name in names
               if name not in left_out.get(package, ())
               and f"{package}.{name}" not in EXAMPLES and name not in LEFT_OUT[package]
               and f"optim.{name}" not in EXAMPLES]
    assert not missing, f"no example: {missing}"


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_examples_are_valid(name):
    function, args, named = EXAMPLES[name]()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        function(*args, **named)


class Late(Exception):
    pass


def late(*_):
    raise Late("no answer within two seconds")


def answer(name, place, value, seconds=2.0):
    """What came of one spoilt call: ("returned", what), ("said", its sentence) or ("raw", the error)."""
    function, args, named = EXAMPLES[name]()
    if isinstance(place, int):
        args = [*args[:place], value, *args[place + 1:]]
    else:
        named = {**named, place: value}
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        return "returned", function(*args, **named)
    except Exception as error:                                                        # noqa: BLE001
        ours = OURS.match(str(error)) and not NOT_OURS.search(str(error).split("\n")[0])
        check = name in CHECKS and isinstance(error, AssertionError)    # what these are there for
        said = ours and (isinstance(error, ALLOWED) or check)
        return "said" if said else "raw", f"{type(error).__name__}: {error}"
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0.0)


def spoil(names, values):
    """Counts of the answers, and the raw ones as lines."""
    counts, raw = Counter(), []
    before = signal.signal(signal.SIGALRM, late)
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            for name in names:
                _, args, named = EXAMPLES[name]()
                for place in [*range(len(args)), *named]:
                    for label in values:
                        what, got = answer(name, place, BAD[label]())
                        counts[what] += 1
                        if what == "raw":
                            raw.append(f"{name}({place}={label}): {got[:150]}")
    finally:
        signal.signal(signal.SIGALRM, before)
    return counts, raw


def report(title, counts, raw, capsys):
    with capsys.disabled():
        print(f"\n{title}: {sum(counts.values())} calls, {counts['returned']} returned, "
              f"{counts['said']} said what is wrong, {counts['raw']} raw")
        for line in raw[:40]:
            print("    raw:", line)


def of(*packages):
    return [name for name in EXAMPLES if name.startswith(tuple(p + "." for p in packages))]


def in_wing(wing):
    module = importlib.import_module(f"problems.landscape.{wing}")
    return [name for name in of("problems.landscape")
            if hasattr(module, name.rsplit(".", 1)[1]) and name not in ELSEWHERE]


ELSEWHERE = ("problems.landscape.conditions.cosine", "problems.landscape.curvature.KFACOp")


@pytest.mark.parametrize("wing", WINGS)
def test_tools_of_the_landscape_answer(wing, capsys):
    counts, raw = spoil(in_wing(wing), QUICK)
    report(wing, counts, raw, capsys)
    assert not raw


@pytest.mark.parametrize("room", ROOMS)
def test_problems_and_data_answer(room, capsys):
    counts, raw = spoil(of(room), QUICK)
    report(room, counts, raw, capsys)
    assert not raw


@pytest.mark.slow
@pytest.mark.parametrize("room", ROOMS)
def test_problems_and_data_answer_everything(room, capsys):
    counts, raw = spoil(of(room), BAD)
    report(room, counts, raw, capsys)
    assert not raw


@pytest.mark.slow
@pytest.mark.parametrize("wing", WINGS)
def test_tools_of_the_landscape_answer_everything(wing, capsys):
    counts, raw = spoil(in_wing(wing), BAD)
    report(wing, counts, raw, capsys)
    assert not raw


if __name__ == "__main__":
    total = Counter()
    for prefix in sys.argv[1:] or ["minigrad", "optim", "problems"]:
        counts, raw = spoil(of(prefix), BAD)
        total += counts
        print(prefix, dict(counts))
        print(*raw, sep="\n")
    print(dict(total))
