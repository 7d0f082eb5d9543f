"""A double of CuPy that needs no GPU: its arrays live on the host but behave as if they did not.

What it keeps of CuPy is what code written for NumPy trips over:
  - NumPy arrays are refused everywhere except in `asarray` and `array`;
  - its arrays refuse to become NumPy arrays except through `asnumpy` and `.get()`;
  - reductions give arrays of no axes, not scalars;
  - functions that CuPy lacks (`add.reduceat`, `vecdot`, `add.at` on ufuncs) are missing here too.
It is stricter than CuPy in refusing NumPy functions on its arrays and NumPy arrays as indices.

    MINIGRAD_BACKEND=cupy PYTHONPATH=tests/device_double:. python -m pytest tests/minigrad
"""
import operator
import types

import numpy

MISSING = {"vecdot", "matvec", "vecmat", "float128", "random"}


class ndarray:
    __slots__ = ("_host", "__weakref__")

    def __init__(self, host):
        self._host = numpy.asarray(host)

    def __array__(self, *_, **__):
        raise TypeError("Implicit conversion to a NumPy array is not allowed. "
                        "Please use `.get()` to construct a NumPy array explicitly.")

    def __array_ufunc__(self, ufunc, *_, **__):
        raise TypeError(f"np.{ufunc.__name__} met an array of the device")

    def __array_function__(self, function, *_, **__):
        raise TypeError(f"np.{function.__name__} met an array of the device")

    def get(self):
        return self._host.copy()

    def __getattr__(self, name):
        if name.startswith("__array"):               # the back doors to NumPy
            raise AttributeError(name)
        value = getattr(self._host, name)
        return guarded(value) if callable(value) else wrap(value)

    def __repr__(self):
        return f"device {self._host!r}"

    def __len__(self):
        return len(self._host)

    def __iter__(self):
        return (wrap(x) for x in self._host)

    def __getitem__(self, index):
        return wrap(self._host[unwrap(index)])

    def __setitem__(self, index, value):
        self._host[unwrap(index)] = unwrap(value)

    def __hash__(self):
        raise TypeError("unhashable type: 'ndarray'")

    def __float__(self):
        return float(self._host)

    def __int__(self):
        return int(self._host)

    def __index__(self):
        return operator.index(self._host)

    def __bool__(self):
        return bool(self._host)


def unwrap(x):
    """The host values of a device array, in trees too; a NumPy array is refused."""
    if type(x) is ndarray:
        return x._host
    if isinstance(x, numpy.ndarray):
        raise TypeError(f"Unsupported type {type(x)}")
    if type(x) in (tuple, list):
        return type(x)(unwrap(a) for a in x)
    return x


def wrap(x):
    """A device array around a NumPy array or scalar; tuples of them too."""
    if isinstance(x, (numpy.ndarray, numpy.generic)):
        return ndarray(x)
    if isinstance(x, (tuple, list)) and any(isinstance(a, numpy.ndarray) for a in x):
        return type(x)(*map(wrap, x)) if hasattr(x, "_fields") else type(x)(map(wrap, x))
    return x


def guarded(function):
    """A NumPy function that takes and gives device arrays only."""
    def call(*args, **kwargs):
        y = function(*map(unwrap, args), **{k: unwrap(v) for k, v in kwargs.items()})
        return kwargs["out"] if kwargs.get("out") is not None else wrap(y)
    return call


def binary(name):
    method = getattr(numpy.ndarray, name)

    def call(self, other):
        if getattr(other, "__array_ufunc__", True) is None:
            return NotImplemented
        value = method(self._host, unwrap(other))
        if name.startswith("__i"):
            self._host = value
            return self
        return NotImplemented if value is NotImplemented else wrap(value)
    return call


for _op in ("add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "matmul", "and", "or", "xor",
            "lshift", "rshift"):
    for _prefix in ("", "r", "i"):
        setattr(ndarray, f"__{_prefix}{_op}__", binary(f"__{_prefix}{_op}__"))
for _op in ("lt", "le", "gt", "ge", "eq", "ne"):
    setattr(ndarray, f"__{_op}__", binary(f"__{_op}__"))
for _op in ("neg", "pos", "abs", "invert"):
    setattr(ndarray, f"__{_op}__", lambda self, _f=getattr(operator, _op): wrap(_f(self._host)))


def asarray(x, dtype=None):
    return x if type(x) is ndarray and dtype in (None, x.dtype) else ndarray(
        numpy.asarray(_home(x), dtype=dtype))


def array(x, dtype=None, copy=True):
    return ndarray(numpy.array(_home(x), dtype=dtype))


def _home(x):
    if type(x) is ndarray:
        return x._host
    return [_home(a) for a in x] if type(x) in (list, tuple) else x


def asnumpy(x):
    return x.get() if type(x) is ndarray else numpy.asarray(x)


cuda = types.SimpleNamespace(runtime=types.SimpleNamespace(getDeviceCount=lambda: 1))


class _Namespace:
    def __init__(self, module):
        self._module = module

    def __getattr__(self, name):
        return _attribute(self._module, name)


linalg, fft = _Namespace(numpy.linalg), _Namespace(numpy.fft)
lib = types.SimpleNamespace(stride_tricks=_Namespace(numpy.lib.stride_tricks))


def _attribute(module, name):
    if name in MISSING or name.startswith("__"):
        raise AttributeError(f"module 'cupy' has no attribute {name!r}")
    value = getattr(module, name)
    return value if isinstance(value, type) or not callable(value) else guarded(value)


def __getattr__(name):
    return _attribute(numpy, name)
