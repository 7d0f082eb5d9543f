"""A double of CuPy that needs no GPU: its arrays live on the host but behave as if they did not.

What it keeps of CuPy is what code written for NumPy trips over:
  - NumPy arrays are refused everywhere except in `asarray` and `array`;
  - its arrays refuse to become NumPy arrays except through `asnumpy` and `.get()`;
  - reductions give arrays of no axes, not scalars;
  - functions, methods and keywords that CuPy 14 lacks are missing here too: `vecdot`,
    `geomspace`, `x @= y`, `x.mT`, an array as an index of a list, `where=`, `initial=`;
  - reductions take arrays, not lists; `repeat` counts with an int; `array` takes no list in which
    device arrays and numbers are mixed; `matmul` of a vector has no `out=`; no list is assigned to
    rows; a number has no axis -1; a float beyond float32 makes a float32 array float64 (CuPy 13); the sign of NaN is 0;
    decompositions give plain tuples.
It counts what is read by the host, and so waits for the device, in `reads`.
It is stricter than CuPy in refusing NumPy functions on its arrays and NumPy arrays as indices.

    MINIGRAD_BACKEND=cupy PYTHONPATH=tests/device_double:. python -m pytest tests/minigrad
"""
import operator
import types

import numpy

MISSING = set("""
    asmatrix bmat block busday_count busday_offset char ctypeslib datetime64 einsum_path emath
    errstate float128 fromregex frompyfunc geomspace geterr histogram_bin_edges insert isnat
    longdouble ma matrix matvec memmap nanpercentile nanquantile ndenumerate nditer nested_iters
    polyder polydiv polyint rec recarray seterr spacing strings timedelta64 unstack vecdot
    vecmat
""".split())
MISSING_LINALG = set("""
    diagonal matrix_norm multi_dot outer svdvals tensordot trace vecdot vector_norm
""".split())
MISSING_METHODS = {"byteswap", "ctypes", "getfield", "mT", "resize", "setfield", "setflags"}
READ_BY_METHODS = {"item", "tolist", "tobytes", "dump", "dumps", "tofile"}
REFUSED_KEYWORDS = {"correction", "device", "initial", "like", "order", "strict", "subok", "where"}
reads = 0                            # how often the host has read numbers


def count_read():
    global reads
    reads += 1


TAKES_ARRAYS = set("""
    all any argmax argmin argsort clip cumprod cumsum diag diagonal expand_dims flatnonzero max mean
    median min moveaxis nonzero prod ravel repeat reshape searchsorted sort squeeze std sum swapaxes
    take take_along_axis tile trace transpose tril triu var vdot where
""".split())


AXIS_OF_NONE = {"all", "any", "max", "mean", "min", "prod", "std", "sum", "var"}     # not of a number


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
        count_read()
        return self._host.copy()

    def __getattr__(self, name):
        if name.startswith("__array") or name in MISSING_METHODS:
            raise AttributeError(f"'ndarray' object has no attribute {name!r}")
        if name in READ_BY_METHODS:
            count_read()
        value = getattr(self._host, name)
        if name == "flags":
            return types.SimpleNamespace(c_contiguous=value.c_contiguous, owndata=value.owndata,
                                         f_contiguous=value.f_contiguous)
        return guarded(value) if callable(value) else wrap(value)

    def __repr__(self):
        return f"device {self._host!r}"

    def __str__(self):
        return str(self._host)

    def __len__(self):
        return len(self._host)

    def __iter__(self):
        return (wrap(x) for x in self._host)

    def __getitem__(self, index):
        return wrap(self._host[unwrap(index)])

    def __setitem__(self, index, value):
        if type(value) in (list, tuple):
            raise TypeError(f"Unsupported type {type(value)}")
        self._host[unwrap(index)] = unwrap(value)

    def __hash__(self):
        raise TypeError("unhashable type: 'ndarray'")

    def __float__(self):
        count_read()
        return float(self._host)

    def __int__(self):
        count_read()
        return int(self._host)

    def __bool__(self):
        count_read()
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
        return (tuple if hasattr(x, "_fields") else type(x))(map(wrap, x))
    return x


def guarded(function):
    """A NumPy function or method that takes and gives device arrays only."""
    name = function.__name__
    method = isinstance(getattr(function, "__self__", None), numpy.ndarray)

    def call(*args, **kwargs):
        if refused := REFUSED_KEYWORDS & set(kwargs) | ({"kind"} & set(kwargs) if method else set()):
            raise TypeError(f"{name}() got an unexpected keyword argument {min(refused)!r}")
        listed = isinstance(function, numpy.ufunc) and any(type(a) in (list, tuple) for a in args)
        if listed or name in TAKES_ARRAYS and not method and type(args[0]) is not ndarray:
            raise TypeError(f"{name}: Unsupported type {type(args[0])}")
        shape = (function.__self__ if method else args[0]).shape if name in AXIS_OF_NONE else None
        if shape == () and kwargs.get("axis") not in (None, ()):
            raise numpy.exceptions.AxisError(kwargs["axis"], 0)
        if name == "matmul" and "out" in kwargs and min(a.ndim for a in args) == 1:
            raise ValueError("matmul: axes don't match array")
        if name == "repeat" and type(args[method is False]) is ndarray:
            raise TypeError("repeat: cupy.ndarray as the number of repeats is not supported")
        y = function(*map(unwrap, args), **{k: unwrap(v) for k, v in kwargs.items()})
        return kwargs["out"] if kwargs.get("out") is not None else wrap(y)
    return call


def sign(x):
    return wrap(numpy.nan_to_num(numpy.sign(unwrap(x)), nan=0.0))


def binary(name):
    method = getattr(numpy.ndarray, name)

    def call(self, other):
        if getattr(other, "__array_ufunc__", True) is None:
            return NotImplemented
        host = self._host
        if host.dtype == numpy.float32 and type(other) is float and 3.5e38 < abs(other) < numpy.inf:
            host = host.astype(float)
        value = method(host, unwrap(other))
        if name.startswith("__i"):
            self._host = value
            return self
        return NotImplemented if value is NotImplemented else wrap(value)
    return call


for _op in ("add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "matmul", "and", "or", "xor",
            "lshift", "rshift"):
    for _prefix in ("", "r", "i"):
        if (_prefix, _op) != ("i", "matmul"):
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
    if type(x) in (list, tuple):
        if len({type(a) is ndarray for a in x}) == 2:
            raise TypeError("Implicit conversion to a NumPy array is not allowed. "
                            "Please use `.get()` to construct a NumPy array explicitly.")
        return [_home(a) for a in x]
    return x


def asnumpy(x):
    return x.get() if type(x) is ndarray else numpy.asarray(x)


class _Generator:
    """CuPy's takes a type, not the name of one."""

    def __init__(self, bits):
        self._host = numpy.random.Generator(bits)

    def random(self, size=None, dtype=numpy.float64):
        if dtype not in (numpy.float32, numpy.float64) or isinstance(dtype, str):
            raise TypeError(f"Unsupported dtype {dtype}")
        return wrap(self._host.random(size, dtype))


random = types.SimpleNamespace(Generator=_Generator, Philox4x3210=numpy.random.Philox)
cuda = types.SimpleNamespace(runtime=types.SimpleNamespace(getDeviceCount=lambda: 1))


class _Namespace:
    def __init__(self, module, missing=()):
        self._module, self._missing = module, missing

    def __getattr__(self, name):
        return _attribute(self._module, name, self._missing)


linalg, fft = _Namespace(numpy.linalg, MISSING_LINALG), _Namespace(numpy.fft)
lib = types.SimpleNamespace(stride_tricks=_Namespace(numpy.lib.stride_tricks))


def _attribute(module, name, missing):
    if name in missing or name.startswith("__"):
        raise AttributeError(f"module 'cupy' has no attribute {name!r}")
    value = getattr(module, name)
    return value if isinstance(value, type) or not callable(value) else guarded(value)


def __getattr__(name):
    return _attribute(numpy, name, MISSING)
