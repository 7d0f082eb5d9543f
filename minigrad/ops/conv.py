"""Convolution, and the two linear maps that are its derivatives.

Images are channels last, x (B, H, W, C); a kernel is K (O, C, kh, kw); the output is (B, H', W', O)
with H' = (H + 2 padding - kh) // stride + 1. With i, j running over the kernel window,

    y[b, p, q, o] = b[o] + sum_{i,j,c} K[o, c, i, j] x[b, p s + i - pad, q s + j - pad, c]

The pairing <g, conv(x, K)> is linear in x, in K and in g, and its three gradients are the three
primitives of this file:

    conv2d (gradient in g)      conv2d_input (gradient in x)      conv2d_kernel (gradient in K)

Each one's derivative rule uses the other two, so every order of derivative exists at no further cost.

How it is fast: the windows are copied into the rows of one matrix ("im2col"), and the convolution is
one matrix product. With channels last the kw pixels of a window row are kw C adjacent numbers, so one
strided view copies them in runs; a single channel is faster copied shift by shift. With stride 1 the
gradient in x is itself a convolution of g, by the kernel turned round; otherwise windows are added back.
"""
from minigrad.backend import xp
from minigrad.ops.reduce import sum
from minigrad.tensor import primitive


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


def windows(x, kh, kw, stride):
    """Every kh x kw window of x (B, H, W, C) as a row: (B H' W', kh kw C), a copy."""
    B, H, W, C = x.shape
    rows, columns = output_size(H, kh, stride, 0), output_size(W, kw, stride, 0)
    if C == 1:
        out = xp.empty((B, rows, columns, kh, kw), dtype=x.dtype)
        for i in range(kh):
            for j in range(kw):
                out[..., i, j] = shifted(x, i, j, rows, columns, stride)[..., 0]
    else:
        x = xp.ascontiguousarray(x)
        sb, sh, sw, sc = x.strides
        view = xp.lib.stride_tricks.as_strided(
            x, (B, rows, columns, kh, kw * C), (sb, stride * sh, stride * sw, sh, sc))
        out = xp.ascontiguousarray(view)
    return out.reshape(B * rows * columns, kh * kw * C)


def shifted(x, i, j, rows, columns, stride):
    """The view of x (B, H, W, C) met by window element (i, j): (B, rows, columns, C)."""
    return x[:, i:i + stride * (rows - 1) + 1:stride, j:j + stride * (columns - 1) + 1:stride]


def add_windows(cols, shape, kh, kw, stride):
    """Transpose of `windows`: add the rows of cols back to where they came from, shape (B, H, W, C)."""
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
    return K.transpose(2, 3, 1, 0).reshape(-1, K.shape[0])


def from_matrix(M, shape):
    """Inverse of `as_matrix`: (kh kw C, O) -> (O, C, kh, kw)."""
    O, C, kh, kw = shape
    return xp.ascontiguousarray(M.reshape(kh, kw, C, O).transpose(3, 2, 0, 1))


def check(x, K, b, stride, padding):
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


@primitive(saves=True)
def conv2d(x, K, b, *, stride=1, padding=0):
    """Convolution of images with a bank of kernels: the module's formula.

        dy = conv(dx, K) + conv(x, dK) + db

    x (B, H, W, C)   K (O, C, kh, kw)   b (O,)   returns (B, H', W', O)
    """
    check(x, K, b, stride, padding)
    B, H, W, _ = x.shape
    O, _, kh, kw = K.shape
    rows, columns = output_size(H, kh, stride, padding), output_size(W, kw, stride, padding)
    cols = windows(padded(x, padding, padding), kh, kw, stride)
    y = (cols @ as_matrix(K)).reshape(B * rows, columns * O)
    y += xp.tile(b, columns)                    # one long row: adding O numbers at a time is slow
    return y.reshape(B, rows, columns, O), cols


@conv2d.vjp_joint
def _(g, y, x, K, b, *, needs, stride=1, padding=0):
    size = dict(stride=stride, padding=padding)
    return (conv2d_input(g, K, shape=x.shape, **size) if needs[0] else None,
            conv2d_kernel(x, g, window=K.shape[2:], **size) if needs[1] else None,
            sum(g, axis=(0, 1, 2)) if needs[2] else None)


@conv2d.vjp_arrays
def _(g, y, cols, x, K, b, *, needs, stride=1, padding=0):
    """The windows of the forward pass serve again: K's gradient is one product with them."""
    g_rows = g.reshape(-1, g.shape[3])
    dx = input_gradient(g, K, x.shape, stride, padding) if needs[0] else None
    dK = from_matrix(cols.T @ g_rows, K.shape) if needs[1] else None
    db = xp.ones(len(g_rows), dtype=g.dtype) @ g_rows if needs[2] else None
    return dx, dK, db


@primitive
def conv2d_input(g, K, *, shape, stride=1, padding=0):
    """Gradient of <g, conv(x, K)> in x: every g[b, p, q] lays K down where its window was.

    g (B, H', W', O)   K (O, C, kh, kw)   returns x's shape (B, H, W, C)
    """
    return input_gradient(g, K, shape, stride, padding)


def input_gradient(g, K, shape, stride, padding):
    B, H, W, C = shape
    O, _, kh, kw = K.shape
    if stride == 1 and padding < min(kh, kw):
        turned = K[:, :, ::-1, ::-1].transpose(2, 3, 0, 1).reshape(kh * kw * O, C)
        framed = padded(g, kh - 1 - padding, kw - 1 - padding)
        return (windows(framed, kh, kw, 1) @ turned).reshape(shape)
    cols = g.reshape(-1, O) @ as_matrix(K).T
    out = add_windows(cols, (B, H + 2 * padding, W + 2 * padding, C), kh, kw, stride)
    return out[:, padding:padding + H, padding:padding + W]


@conv2d_input.vjp_joint
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
    cols = windows(padded(x, padding, padding), *window, stride)
    O = g.shape[3]
    return from_matrix(cols.T @ g.reshape(-1, O), (O, x.shape[3], *window))


@conv2d_kernel.vjp_joint
def _(c, y, x, g, *, needs, window, stride=1, padding=0):
    size = dict(stride=stride, padding=padding)
    zero = xp.zeros(c.shape[0], dtype=c.dtype)
    return (conv2d_input(g, c, shape=x.shape, **size) if needs[0] else None,
            conv2d(x, c, zero, **size) if needs[1] else None)
