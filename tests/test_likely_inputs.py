"""What a user writes in the place of a number, a flag, a list or a path gives the same result.

Each argument of the examples of `argument_examples` is put in other clothes, one at a time: NumPy's
integers (small ones too, whose sums wrap round), NumPy's floats, arrays of no axes, an integer for a
float, 0 and 1 for a flag, a range or an array for a list, a Path for a string, a type for the name
of a dtype. Some are refused, for reasons that stand here; a generator for a list may always be, in a
sentence.
"""
import warnings
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from minigrad.backend import on_device, to_host, xp
from tests.argument_examples import EXAMPLES, FILES
from tests.test_bad_arguments import NOT_OURS, OURS, no_network  # noqa: F401  for this file too

DTYPES = {"float32": np.float32, "float64": np.float64}
REFUSED = [                                 # (names, in which clothes, why)
    (("max", "min", "norm", "var", "sum", "mean", "logsumexp", "prod"), ("bool_", "bool ()"),
     "NumPy's own reductions refuse NumPy's flags for keepdims"),
    (("optim.best",), ("list", "tuple"), "Runs are a tuple with names"),
    (("optim.train",), ("tuple",), "batches are a list or a function of a Generator"),
]


def excused(name, label):
    return any(label in labels and name.removeprefix("minigrad.") in names
               for names, labels, _ in REFUSED)


def clothes(value):
    """{what it is: the value in it} of an argument."""
    if isinstance(value, (bool, np.bool_)):
        return {"0 or 1": int(value), "bool_": np.bool_(value), "bool ()": np.asarray(bool(value)),
                "int64": np.int64(value)}
    if isinstance(value, int):
        small = {"uint8": np.uint8(value)} if 0 <= value < 256 else {"int16": np.int16(value)}
        return {"int64": np.int64(value), "int32": np.int32(value), "int ()": np.asarray(value), **small}
    if isinstance(value, float):
        whole = {"int": int(value), "int64": np.int64(value)} if value == int(value) else {}
        return {"float64": np.float64(value), "float32": np.float32(value),
                "float ()": np.asarray(value), **whole}
    if isinstance(value, Path) or isinstance(value, str) and value == FILES.name:
        return {"str": str(value), "Path": Path(value)}
    if isinstance(value, str):
        forms = {"type": DTYPES[value], "dtype": np.dtype(value)} if value in DTYPES else {}
        return {"str_": np.str_(value), **forms}
    if isinstance(value, (list, tuple)) and not hasattr(value, "_fields"):
        return {"list": list(value), "tuple": tuple(value), "generator": (item for item in value),
                **sequences(list(value))}
    return {}


def sequences(items):
    if not items or not all(type(item) in (int, float) for item in items):
        return {}
    forms = {"array": np.asarray(items)}
    if all(type(item) is int for item in items):
        forms["int64s"] = [np.int64(item) for item in items]
        if items == list(range(items[0], items[0] + len(items))):
            forms["range"] = range(items[0], items[0] + len(items))
    return forms


def numbers(result):
    """All numbers in a result, on the host, one after another."""
    if isinstance(result, (bool, int, float, np.generic, np.ndarray, xp.ndarray)):
        a = np.asarray(to_host(result) if isinstance(result, xp.ndarray) else result)
        return a.astype(float).ravel().tolist() if a.dtype.kind in "biuf" else []
    if hasattr(result, "primitive") or hasattr(result, "data") and hasattr(result, "shape"):
        return numbers(result.data)
    if isinstance(result, dict):
        return [n for key, item in result.items() if key != "seconds" for n in numbers(item)]
    if isinstance(result, (list, tuple)):
        return [n for item in result for n in numbers(item)]
    if hasattr(result, "__dict__"):
        return [n for key, item in vars(result).items() if key != "seconds" for n in numbers(item)]
    return []


def answer(name, place=None, value=None):
    function, args, named = EXAMPLES[name]()
    if isinstance(place, int):
        args = [*args[:place], value, *args[place + 1:]]
    elif place is not None:
        named = {**named, place: value}
    return numbers(function(*args, **named))


@pytest.mark.parametrize("room", ["minigrad", "optim", "problems"])
def test_the_same_result_in_other_clothes(room, capsys):
    counts, wrong = Counter(), []
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        for name in EXAMPLES:
            if name.split(".")[0] != room:
                continue
            plain, (_, args, named) = answer(name), EXAMPLES[name]()
            for place, given in [*enumerate(args), *named.items()]:
                for label, value in clothes(given).items():
                    if on_device and label in ("array", "bool ()", "int ()", "float ()"):
                        continue                            # NumPy's arrays stay on the host
                    try:
                        found = answer(name, place, value)
                    except (TypeError, ValueError) as error:
                        counts["refused"] += 1
                        told = OURS.match(str(error)) and not NOT_OURS.search(str(error))
                        if not (told and (label == "generator" or excused(name, label))):
                            wrong.append(f"{name}({place}={label}): {str(error)[:150]}")
                        continue
                    counts["taken"] += 1
                    expected = answer(name, place, float(value)) if label == "float32" else plain
                    if len(found) != len(expected) or not np.allclose(
                            found, expected, rtol=1e-5, atol=1e-8, equal_nan=True):
                        wrong.append(f"{name}({place}={label}): another result")
    with capsys.disabled():
        print(f"\n{room}: {counts['taken']} taken, {counts['refused']} refused")
    assert not wrong, "\n".join(wrong)
