"""Convolution, and the two linear maps that are its derivatives.

Images are channels last, x (B, H, W, C); a kernel is K (O, C, kh, kw); the output is (B, H', W', O)
with H' = (H + 2 padding - kh) // stride + 1. With i, j running over the kernel window,

    y[b, p, q, o] = b[o] + sum_{i,j,c} K[o, c, i, j] x[b, p s + i - pad, q s + j - pad, c]

The pairing <g, conv(x, K)> is linear in x, in K and in g, and its three gradients are the three
primitives of this file:

    conv2d (gradient in g)      conv2d_input (gradient in x)      conv2d_kernel (gradient in K)

Each one's derivative rule uses the other two, so every order of derivative is there.
"""
from operator import index

from minigrad.backend import on_device, xp
from minigrad.ops.passes import as_rows, several
from minigrad.ops.shape import sum_to
from minigrad.tensor import primitive


@primitive
def conv2d(x, K, b, *, stride=1, padding=0):
    """Convolution of images with a bank of kernels: the module's formula.

        dy = conv(dx, K) + conv(x, dK) + db

    x (B, H, W, C)   K (O, C, kh, kw)   b (O,)   returns (B, H', W', O)
    """
    stride, padding = check(x, K, b, stride, padding)
    return b + sum(part @ K[:, :, i, j].T
                   for i, j, part in shifts(padded(x, padding, padding), *K.shape[2:], stride))


@conv2d.vjp
def _(g, y, x, K, b, *, needs, stride=1, padding=0):
    size = dict(stride=stride, padding=padding)
    return (conv2d_input(g, K, shape=x.shape, **size) if needs[0] else None,
            conv2d_kernel(x, g, window=K.shape[2:], **size) if needs[1] else None,
            sum_to(g, shape=b.shape) if needs[2] else None)


@primitive
def conv2d_input(g, K, *, shape, stride=1, padding=0):
    """Gradient of <g, conv(x, K)> in x: every g[b, p, q] lays K down where its window was.

    g (B, H', W', O)   K (O, C, kh, kw)   returns x's shape (B, H, W, C)
    """
    stride, padding = check_output(shape, g, K.shape[2:], stride, padding, K)
    B, H, W, C = shape
    framed = xp.zeros((B, H + 2 * padding, W + 2 * padding, C), dtype=g.dtype)
    for i, j, part in shifts(framed, *K.shape[2:], stride):
        part += g @ K[:, :, i, j]
    return framed[:, padding:padding + H, padding:padding + W]


@conv2d_input.vjp
def _(c, y, g, K, *, needs, shape, stride=1, padding=0):
    size = dict(stride=stride, padding=padding)
    zero = xp.zeros(K.shape[0], dtype=K.dtype)
    return (conv2d(c, K, zero, **size) if needs[0] else None,
            conv2d_kernel(c, g, window=K.shape[2:], **size) if needs[1] else None)


@primitive
def conv2d_kernel(x, g, *, window, stride=1, padding=0):
    """Gradient of <g, conv(x, K)> in K: windows of x weighted by g.

    x (B, H, W, C)   g (B, H', W', O)   window (kh, kw)   returns (O, C, kh, kw)
    """
    stride, padding = check_output(x.shape, g, window, stride, padding)
    dK = xp.empty((g.shape[3], x.shape[3], *window), dtype=g.dtype)
    for i, j, part in shifts(padded(x, padding, padding), *window, stride):
        dK[:, :, i, j] = xp.tensordot(g, part, axes=((0, 1, 2), (0, 1, 2)))
    return dK


@conv2d_kernel.vjp
def _(c, y, x, g, *, needs, window, stride=1, padding=0):
    size = dict(stride=stride, padding=padding)
    zero = xp.zeros(c.shape[0], dtype=c.dtype)
    return (conv2d_input(g, c, shape=x.shape, **size) if needs[0] else None,
            conv2d(x, c, zero, **size) if needs[1] else None)


def output_size(size, k, stride, padding):
    """Positions of a window of length k on an axis: (size + 2 padding - k) // stride + 1."""
    return (size + 2 * padding - k) // stride + 1


def padded(x, rows, columns):
    """x (B, H, W, C) inside a frame of zeros, (B, H + 2 rows, W + 2 columns, C)."""
    if rows == 0 and columns == 0:
        return x
    B, H, W, C = x.shape
    out = xp.zeros((B, H + 2 * rows, W + 2 * columns, C), dtype=x.dtype)
    out[:, rows:rows + H, columns:columns + W] = x
    return out


def shifted(x, i, j, rows, columns, stride):
    """The view of x (B, H, W, C) met by window element (i, j): (B, rows, columns, C)."""
    return x[:, i:i + stride * (rows - 1) + 1:stride, j:j + stride * (columns - 1) + 1:stride]


def shifts(x, kh, kw, stride):
    """(i, j, the view of x (B, H, W, C) that window element (i, j) meets) of a whole window."""
    rows, columns = (output_size(n, k, stride, 0) for n, k in zip(x.shape[1:3], (kh, kw)))
    for i in range(kh):
        for j in range(kw):
            yield i, j, shifted(x, i, j, rows, columns, stride)


def check(x, K, b, stride, padding):
    """stride and padding as Python's ints, once everything fits: np.uint8(2) - 3 is 255."""
    stride, padding = index(stride), index(padding)
    if x.ndim != 4 or K.ndim != 4 or x.shape[3] != K.shape[1]:
        raise ValueError(f"conv2d: x {x.shape} and K {K.shape} do not fit. "
                         "Give x (B, H, W, C) and K (O, C, kh, kw).")
    if b.shape != K.shape[:1]:
        raise ValueError(f"conv2d: the bias has shape {b.shape}. It must be {K.shape[:1]}, "
                         "one number for each output channel.")
    if stride < 1 or padding < 0:
        raise ValueError(f"conv2d: stride {stride} and padding {padding} are not allowed. "
                         "Use stride >= 1 and padding >= 0.")
    if min(x.shape[1] - K.shape[2], x.shape[2] - K.shape[3]) + 2 * padding < 0:
        raise ValueError(f"conv2d: the kernel {K.shape[2:]} is larger than the padded image "
                         f"{x.shape[1:3]} + 2 * {padding}. Pad more or use a smaller kernel.")
    return stride, padding


def check_output(shape, g, window, stride, padding, K=None):
    """stride and padding, unless g has another shape than images of `shape` give, with K if there
    is one."""
    stride, padding = index(stride), index(padding)
    B, H, W, C = shape if len(shape) == 4 else (0,) * 4
    rows, columns = (output_size(n, k, stride, padding) for n, k in zip((H, W), window))
    if len(shape) != 4 or g.shape[:-1] != (B, rows, columns) or (
            K is not None and K.shape[:2] != (g.shape[-1], C)):
        kernel = "" if K is None else f" and a kernel {K.shape}"
        raise ValueError(f"conv2d: images {tuple(shape)} under a window {tuple(window)}{kernel} do "
                         f"not give {g.shape}, with stride {stride} and padding {padding}.")
    return stride, padding


# ---------------------------------------------------------------- the same, as matrix products
#
# The kw C numbers under a window's row are neighbours, with channels last, but its kh rows are not.
# A few images at a time are copied so that they are: one column of windows after another, each with
# all rows of the image, "im2col" by columns only, kw times as many numbers instead of kh kw. The
# windows of one row of the output, in every column, are then the rows of one matrix, a view, and
# meet the kernel in one product. A single channel is copied shift by shift, and on a GPU, where
# products want their numbers together, all windows are. With stride 1 the gradient in x is itself a
# convolution of g, by the kernel turned round; otherwise windows are added back.

WINDOWS = 1 << 28 if on_device else 1 << 18     # numbers to copy at a time: 1 MB in float32
ROWS = 192                                      # windows that meet the kernel at once, at least


def all_at_once(x):
    return x.shape[3] == 1 or on_device


def a_few_images(kh, kw, rows, x, y):
    """The images x (B, H, W, C), which have `rows` rows in their frame, and y (B, H', W', O), a few
    at a time."""
    _, P, Q, _ = y.shape
    each = Q * kw * x.shape[3] * (P * kh if all_at_once(x) else rows)       # numbers of an image
    return several(max(WINDOWS // max(each, 1), 0 if all_at_once(x) else -(-ROWS // Q)), x, y)


def strips(x, y, kh, kw, stride):
    """The kh x kw windows of x (B, H, W, C), some of them at a time, as the rows of a matrix
    (N, kh kw C), with the part of y (B, H', W', O) that has their places."""
    if all_at_once(x):
        yield windows(x, kh, kw, stride), y
        return
    x = xp.ascontiguousarray(x)
    (B, H, _, C), columns, (sb, sh, sw, sc) = x.shape, y.shape[2], x.strides
    side_by_side = xp.ascontiguousarray(xp.lib.stride_tricks.as_strided(
        x, (B, columns, H, kw * C), (sb, stride * sw, sh, sc))).reshape(B * columns, H * kw * C)
    for p in range(y.shape[1]):
        first = stride * p
        yield side_by_side[:, first * kw * C:(first + kh) * kw * C], y[:, p]


def windows(x, kh, kw, stride):
    """Every kh x kw window of x (B, H, W, C) as a row: (B H' W', kh kw C), a copy."""
    B, H, W, C = x.shape
    rows, columns = output_size(H, kh, stride, 0), output_size(W, kw, stride, 0)
    if C == 1:
        out = xp.empty((kh, kw, B, rows, columns, 1), dtype=x.dtype)
        for i in range(kh):
            for j in range(kw):
                out[i, j] = shifted(x, i, j, rows, columns, stride)
        return out.reshape(kh * kw, B * rows * columns).T
    x = xp.ascontiguousarray(x)
    sb, sh, sw, sc = x.strides
    view = xp.lib.stride_tricks.as_strided(
        x, (B, rows, columns, kh, kw * C), (sb, stride * sh, stride * sw, sh, sc))
    return xp.ascontiguousarray(view).reshape(B * rows * columns, kh * kw * C)


def add_windows(cols, shape, kh, kw, stride):
    """Transpose of `windows`: the rows of cols added back to where they came from, (B, H, W, C)."""
    B, H, W, C = shape
    rows, columns = output_size(H, kh, stride, 0), output_size(W, kw, stride, 0)
    cols = cols.reshape(B, rows, columns, kh, kw, C)
    out = xp.zeros(shape, dtype=cols.dtype)
    for i in range(kh):
        for j in range(kw):
            shifted(out, i, j, rows, columns, stride)[...] += cols[:, :, :, i, j]
    return out


def as_matrix(K):
    """K (O, C, kh, kw) -> (kh kw C, O), its rows in the order of `windows`."""
    return as_rows(K.transpose(2, 3, 1, 0))


def from_matrix(M, shape):
    """Inverse of `as_matrix`: (kh kw C, O) -> (O, C, kh, kw)."""
    O, C, kh, kw = shape
    return xp.ascontiguousarray(M.reshape(kh, kw, C, O).transpose(3, 2, 0, 1))


def correlate(x, M, b, kh, kw, stride, rows, columns):
    """windows(x) M + b in a frame of `rows` and `columns` zeros: (B, H', W', O). b may be None."""
    B, H, W, _ = x.shape
    P, Q = output_size(H, kh, stride, rows), output_size(W, kw, stride, columns)
    y = xp.empty((B, P, Q, M.shape[1]), dtype=x.dtype)
    line = None if b is None else xp.tile(b, Q)             # adding O numbers at a time is slow
    for x_, y_ in a_few_images(kh, kw, H + 2 * rows, x, y):
        for matrix, part in strips(padded(x_, rows, columns), y_, kh, kw, stride):
            there = as_rows(part) if part.flags.c_contiguous else None
            product = xp.matmul(matrix, M, out=there).reshape(len(matrix) // Q, Q * M.shape[1])
            part = part.reshape(product.shape)              # a view: a line of the output is whole
            if line is not None:
                xp.add(product, line, out=part)
            elif there is None:
                part[...] = product
    return y


@conv2d.arrays
def _(x, K, b, *, stride=1, padding=0):
    stride, padding = check(x, K, b, stride, padding)
    return correlate(x, as_matrix(K), b, *K.shape[2:], stride, padding, padding), None


@conv2d_input.arrays
def _(g, K, *, shape, stride=1, padding=0):
    stride, padding = check_output(shape, g, K.shape[2:], stride, padding, K)
    (_, H, W, C), (O, _, kh, kw) = shape, K.shape
    if stride == 1 and padding < min(kh, kw):
        turned = K[:, :, ::-1, ::-1].transpose(2, 3, 0, 1).reshape(kh * kw * O, C)
        return correlate(g, turned, None, kh, kw, 1, kh - 1 - padding, kw - 1 - padding), None
    M_T, dx = as_matrix(K).T, xp.empty(shape, dtype=g.dtype)
    framed = H + 2 * padding, W + 2 * padding, C
    for g_, dx_ in several(WINDOWS // max(g.shape[1] * g.shape[2] * M_T.shape[1], 1), g, dx):
        whole = add_windows(as_rows(g_) @ M_T, (len(g_), *framed), kh, kw, stride)
        dx_[...] = whole[:, padding:padding + H, padding:padding + W]
    return dx, None


@conv2d_kernel.arrays
def _(x, g, *, window, stride=1, padding=0):
    stride, padding = check_output(x.shape, g, window, stride, padding)
    (kh, kw), C, O = window, x.shape[3], g.shape[3]
    dM = xp.zeros((kh * kw * C, O), dtype=g.dtype)
    for x_, g_ in a_few_images(kh, kw, x.shape[1] + 2 * padding, x, g):
        for matrix, part in strips(padded(x_, padding, padding), g_, kh, kw, stride):
            dM += matrix.T @ as_rows(part)
    return from_matrix(dM, (O, C, kh, kw)), None
