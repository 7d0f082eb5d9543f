"""Which array library does the arithmetic: NumPy, or CuPy on a GPU.

    MINIGRAD_BACKEND=numpy (default) | cupy        read once, when this file is imported
    MINIGRAD_PLAIN=1                               formulas as they are written, no block-by-block

Every other file says `from minigrad.backend import xp` and then reads like NumPy. There is no
fallback: asking for a GPU that is not there is an error, so nobody trains on the wrong device
without knowing. The border between device and host is crossed in two places only, both visible:
`to_host(a)` brings an array home, `xp.asarray(a)` sends one out.

What CuPy does differently is settled here and nowhere else:
  - it refuses NumPy arrays (TypeError), where NumPy takes anything: `refuse_foreign` says so;
  - reductions give arrays of no axes, not scalars: `float(y)` works for both and waits for the GPU;
  - integer indices out of range wrap round instead of raising: `check_range` looks first, and in a
    step of training only leaves a note on the device, which the next `float_of` or `to_host` reads;
  - a failed decomposition gives NaN unless told to raise: it is told to;
  - 67 million random numbers, a dropout mask of attention, take seconds on the host: `uniforms` has
    the device draw them;
  - adding rows by index: `sum_rows` multiplies by one-hot rows on the GPU, always in one order.

Left as they are: a product of a float32 array with a Python float beyond 3.4e38 is float64 on
CuPy 13, and `sign(nan)` is 0 there.
"""
import ctypes
import importlib
import os

import numpy

name = os.environ.get("MINIGRAD_BACKEND", "numpy")

if name == "numpy":
    xp = numpy
elif name == "cupy":
    try:
        import cupy as xp
    except ImportError as error:
        raise RuntimeError(
            "MINIGRAD_BACKEND=cupy: the package cupy cannot be imported. Install it with "
            "pip install 'minigrad[cuda12]' (or cuda13), or use MINIGRAD_BACKEND=numpy."
        ) from error
    try:
        xp.cuda.runtime.getDeviceCount()
    except Exception as error:
        raise RuntimeError(
            f"MINIGRAD_BACKEND=cupy: no usable CUDA device ({error}). Check the driver with "
            "nvidia-smi, or use MINIGRAD_BACKEND=numpy."
        ) from error
    try:                                 # compiles a kernel (nvrtc) and multiplies (cuBLAS)
        ones = xp.ones((2, 2))
        works = float((ones @ (ones + ones * ones)).sum()) == 16.0
        importlib.import_module("cupyx").seterr(linalg="raise")
    except Exception as error:
        raise RuntimeError(
            f"MINIGRAD_BACKEND=cupy: the device is there but does not compute ({error}). Install "
            "CuPy with its CUDA libraries, pip install 'minigrad[cuda12]' (or cuda13), or use "
            "MINIGRAD_BACKEND=numpy."
        ) from error
    if not works:
        raise RuntimeError("MINIGRAD_BACKEND=cupy: the device computes wrong numbers. Check driver "
                           "and CUDA version, or use MINIGRAD_BACKEND=numpy.")
else:
    raise ValueError(f"MINIGRAD_BACKEND={name}: unknown backend; use 'numpy' or 'cupy'")

on_device = name != "numpy"
plain = os.environ.get("MINIGRAD_PLAIN") == "1"


late = {}            # sentence -> on the device: was an index out of range since the last look?


def to_host(a):
    """The same numbers as a NumPy array. Waits for the GPU."""
    raise_late()
    return xp.asnumpy(a) if on_device else numpy.asarray(a)


def float_of(a):
    """A one-element array as a Python float. Waits for the GPU."""
    raise_late()
    return float(a)


def refuse_foreign(operation, a):
    """Raise if `a` is a NumPy array while the backend is another library."""
    if on_device and isinstance(a, (numpy.ndarray, numpy.generic)):
        raise TypeError(f"{operation}: got a NumPy array on the {name} backend. Convert it with "
                        "xp.asarray(...).")


def raise_late():
    """Raise what `check_range` found since the last look, if anything."""
    while late:
        sentence, found = late.popitem()
        if bool(found):
            late.clear()
            raise ValueError(sentence)


def check_range(operation, what, index, size, wait=True):
    """Raise unless every integer of `index` lies in [0, size).

    wait  False in a step of training: on a device the answer is not waited for, but raised by the
          next number that is read from it
    """
    refuse_foreign(operation, index)
    if on_device and not wait:
        sentence = (f"{operation}: {what} must lie in [0, {size}), and some since the last look did "
                    "not. Check the data, or make the last axis longer.")
        late[sentence] = late.get(sentence, False) | (index < 0).any() | (index >= size).any()
        return
    if index.size and (int(index.min()) < 0 or int(index.max()) >= size):
        flat = to_host(index).ravel()
        at = int(numpy.argmax((flat < 0) | (flat >= size)))
        raise ValueError(f"{operation}: {what} must lie in [0, {size}), got {flat[at]} at index "
                         f"{at}. Check the data, or make the last axis longer.")


def uniforms(rng, shape):
    """float32 numbers in [0, 1) out of a NumPy Generator; on a device drawn there, by a generator
    that `rng` seeds anew each time: other numbers than the host's, the same from run to run."""
    if not on_device:
        return rng.random(shape, dtype="float32")
    there = xp.random.Philox4x3210(int(rng.integers(2**63)))
    return xp.random.Generator(there).random(shape, dtype=xp.float32)


def sum_rows(rows, index, n):
    """Add rows that share an index:  out[k] = sum of rows[i] over index[i] = k.

    rows (N, D), index (N,) integers in [0, n), returns (n, D). A product with one-hot rows where n
    is small (and always on the GPU, in blocks of bounded memory); sort and reduce where n is large.
    Both add in a fixed order, so the result is the same every time; `np.add.at` is 5x slower.
    """
    if not on_device and n > 256:
        out = xp.zeros((n, rows.shape[1]), rows.dtype)
        if len(index):
            order = xp.argsort(index, kind="stable")
            ordered = index[order]
            starts = xp.flatnonzero(xp.concatenate((ordered[:1] == ordered[:1],
                                                    ordered[1:] != ordered[:-1])))
            lengths = xp.diff(starts, append=len(index))
            if rows.dtype.itemsize <= 4 and lengths.max() > 256:        # added one by one: in parts
                starts = xp.union1d(starts, xp.arange(0, len(index), 256))
                parts = xp.add.reduceat(rows[order], starts, axis=0)
                return sum_rows(parts, ordered[starts], n)
            out[ordered[starts]] = xp.add.reduceat(rows[order], starts, axis=0)
        return out
    out = xp.zeros((n, rows.shape[1]), rows.dtype)
    block = max(1, (1 << 24) // max(n, 1))
    classes = xp.arange(n)[:, None]
    for i in range(0, len(index), block):
        out += (classes == index[i:i + block]).astype(rows.dtype) @ rows[i:i + block]
    return out


def keep_heap():
    """Tell glibc to keep freed memory instead of giving it back to the system.

    Every step of training frees the tape and builds it again; returned pages must be faulted in
    anew, 4 KB at a time, a third of the time of a step for a small transformer. Two `mallopt` calls
    (M_MMAP_THRESHOLD = -3, M_TRIM_THRESHOLD = -1) stop that. An older glibc takes no threshold above
    32 MiB and says so by 0; the second call alone would make things worse. It concerns the whole process, so it
    is a function to call and not done at import. Does nothing where there is no glibc.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError, TypeError):
        return
    if mallopt(-3, 1 << 30) or mallopt(-3, 1 << 25):
        mallopt(-1, 2**31 - 1)
