"""Long short-term memory: a whole layer, all time steps, as one operation.

A cell keeps a state c_t and shows h_t. With W (I, 4H), U (H, 4H), b (4H,) cut into four blocks of H
columns, named i, f, o, q in this order, one step is

    z_t = x_t W + h_{t-1} U + b
    i, f, o = sigmoid(z_i), sigmoid(z_f), sigmoid(z_o)          q = tanh(z_q)
    c_t = f c_{t-1} + i q                                       h_t = o tanh(c_t)

Backwards, with dh_t and dc_t what later times and the outputs ask of h_t and c_t,

    dc_t += dh_t o / cosh^2 c_t
    dz_i = dc_t q i (1 - i)          dz_f = dc_t c_{t-1} f (1 - f)
    dz_o = dh_t tanh(c_t) o (1 - o)  dz_q = dc_t i / cosh^2 z_q
    dh_{t-1} = dz_t U^T,   dc_{t-1} = dc_t f,   dW = sum_t x_t^T dz_t,   dU = sum_t h_{t-1}^T dz_t

with 1 - s = sigmoid(-z) made of z, so that gates next to open or shut keep their digits.

Source: Hochreiter & Schmidhuber 1997 with the forget gate of Gers et al. 2000.
"""
import math

from minigrad.backend import xp
from minigrad.ops.elementary import FAR, gate, sigmoid, tanh, tanh_slope
from minigrad.ops.linalg import matmul
from minigrad.ops.passes import over_cosh_squared, overflow_is_infinity
from minigrad.ops.reduce import sum
from minigrad.ops.shape import concatenate, reshape, stack, transpose
from minigrad.tensor import primitive


def check(x, W, U, b, h0, c0):
    H = U.shape[0]
    B = x.shape[1] if x.ndim == 3 else None
    expected = ((x.shape[-1], 4 * H), (H, 4 * H), (4 * H,), (B, H), (B, H))
    if x.ndim == 3 and not x.size:
        raise ValueError(f"lstm: x {x.shape} is empty. Give at least one step of one sequence.")
    if x.ndim != 3 or (W.shape, U.shape, b.shape, h0.shape, c0.shape) != expected:
        raise ValueError(f"lstm: x {x.shape}, W {W.shape}, U {U.shape}, b {b.shape}, h0 "
                         f"{h0.shape}, c0 {c0.shape} do not fit. Give (T, B, I), (I, 4H), (H, 4H), "
                         "(4H,), (B, H), (B, H).")


@primitive
def lstm(x, W, U, b, h0, c0):
    """A layer over T time steps: the module's formula.

    x (T, B, I)   W (I, 4H)   U (H, 4H)   b (4H,)   h0, c0 (B, H), the states before the first step
    returns (2, T, B, H): all h_t, then all c_t
    """
    check(x, W, U, b, h0, c0)
    h, c, H, states = h0, c0, U.shape[0], []
    for x_t in x:
        z = x_t @ W + h @ U + b
        i, f, o = (gate(z[:, k * H:(k + 1) * H]) for k in range(3))
        c = f * c + i * xp.tanh(z[:, 3 * H:])
        h = o * xp.tanh(c)
        states.append(xp.stack([h, c]))
    return xp.stack(states, axis=1)


@lstm.vjp
def _(g, y, x, W, U, b, h0, c0, *, needs):
    """The same sweep in differentiable operations. Gates need no recursion: y holds all h and c."""
    (T, B, I), H = x.shape, U.shape[0]
    h_before, c_before = (concatenate([reshape(first, shape=(1, B, H)), y[k, :-1]])
                          for k, first in enumerate((h0, c0)))
    z = matmul(x, W) + matmul(h_before, U) + b
    z_i, z_f, z_o, z_q = (z[..., k * H:(k + 1) * H] for k in range(4))
    i, f, o = sigmoid(z_i), sigmoid(z_f), sigmoid(z_o)
    to_i, to_f = tanh(z_q) * i * sigmoid(-z_i), c_before * f * sigmoid(-z_f)
    to_o, to_q = tanh(y[1]) * o * sigmoid(-z_o), i * tanh_slope(z_q)
    c_of_h = o * tanh_slope(y[1])
    dz, dh, dc, U_T = [], 0.0, 0.0, transpose(U)
    for t in range(T - 1, -1, -1):
        dh = g[0, t] + dh
        dc = g[1, t] + dc + dh * c_of_h[t]
        dz.append(concatenate([dc * to_i[t], dc * to_f[t], dh * to_o[t], dc * to_q[t]], axis=-1))
        dh, dc = matmul(dz[-1], U_T), dc * f[t]
    rows = reshape(stack(dz[::-1]), shape=(T * B, 4 * H))
    x_rows, h_rows = reshape(x, shape=(T * B, I)), reshape(h_before, shape=(T * B, H))
    return (reshape(matmul(rows, transpose(W)), shape=x.shape) if needs[0] else None,
            matmul(transpose(x_rows), rows) if needs[1] else None,
            matmul(transpose(h_rows), rows) if needs[2] else None,
            sum(rows, axis=0) if needs[3] else None, dh, dc)


# ---------------------------------------------------------------- the same, a few times at once
#
# The products with W, and those that give dW and dU, take many times at once; only those with U
# wait for one another. A few times go through all of it before the next ones, so that their gates
# stay in the processor's cache. The four gates are the leading axis of every array, so each is
# contiguous. The weights of i, f and o change sign, so that e^z is the e^-z of their sigmoid, and
# e^z times the sigmoid is 1 - s.

STEPS = 8                       # times whose gates stay in the cache between their products


def gate_major(M):
    """Weights (I, 4H) as four matrices (4, I, H), a view."""
    return M.reshape(M.shape[0], 4, -1).swapaxes(0, 1)


def column_major(M):
    """Inverse of `gate_major`: (4, I, H) -> (I, 4H)."""
    return M.swapaxes(0, 1).reshape(M.shape[1], -1)


@lstm.arrays
def _(x, W, U, b, h0, c0):
    check(x, W, U, b, h0, c0)
    (T, B, I), H = x.shape, U.shape[0]
    sign = xp.full((4, 1, 1), -1.0, dtype=x.dtype)
    sign[3] = 1.0                                       # i, f, o see -z, q sees z
    W4, U4 = gate_major(W) * sign, gate_major(U) * sign
    b4 = gate_major(b.reshape(1, -1)) * sign
    zs, y = xp.empty((4, T, B, H), dtype=x.dtype), xp.empty((2, T, B, H), dtype=x.dtype)
    gates, tanh_c = xp.empty((4, B, H), dtype=x.dtype), xp.empty((T, B, H), dtype=x.dtype)
    ifo, (i, f, o, q) = gates[:3], gates
    x_rows, z_rows = x.reshape(T * B, I), zs.reshape(4, T * B, H)
    recurrent, new = xp.empty((4, B, H), dtype=x.dtype), xp.empty((B, H), dtype=x.dtype)
    h, c = h0, c0
    with overflow_is_infinity():                        # 1 / (1 + inf) = 0
        for t in range(T):
            if t % STEPS == 0:
                some = slice(t * B, min(t + STEPS, T) * B)
                inputs = xp.matmul(x_rows[some], W4, out=z_rows[:, some])
                inputs += b4
            z = zs[:, t]                                # (4, B, H)
            z += xp.matmul(h, U4, out=recurrent)
            e = xp.exp(z[:3], out=z[:3])                # is kept, and z of q
            xp.divide(1.0, xp.add(e, 1.0, out=ifo), out=ifo)
            xp.tanh(z[3], out=q)
            c = xp.multiply(f, c, out=y[1, t])
            c += xp.multiply(i, q, out=new)
            h = xp.multiply(o, xp.tanh(c, out=tanh_c[t]), out=y[0, t])
    return y, (zs, tanh_c)


@lstm.vjp_arrays
def _(g, y, saved, x, W, U, b, h0, c0, *, needs):
    """The sweep back through time on arrays, with the e^z that the forward pass saved."""
    zs, tanh_c = saved
    (T, B, I), H, dtype = x.shape, U.shape[0], x.dtype
    W4T, U4T = (xp.ascontiguousarray(gate_major(M).swapaxes(1, 2)) for M in (W, U))
    back, new = xp.empty((4, B, H), dtype=dtype), xp.empty((B, H), dtype=dtype)
    dh, dc = xp.zeros((B, H), dtype=dtype), xp.zeros((B, H), dtype=dtype)
    largest, n = math.exp(FAR[dtype.itemsize]), min(STEPS, T)
    gates_, dz_, c_of_h_ = (xp.empty((*k, n, B, H), dtype=dtype) for k in ((4,), (4,), ()))
    dx = xp.empty(x.shape, dtype=dtype)
    dW4, dU4, db4 = (xp.zeros((4, *n, H), dtype=dtype) for n in ((I,), (H,), ()))
    for start in range((T - 1) // STEPS * STEPS, -1, -STEPS):
        some = slice(start, min(start + STEPS, T))
        h_before, c_before = (before(y[k], first, some) for k, first in enumerate((h0, c0)))
        n = some.stop - start
        gates, dz, c_of_h = gates_[:, :n], dz_[:, :n], c_of_h_[:n]
        ifo, (i, f, o, q), to_ifo = gates[:3], gates, dz[:3]
        to_i, to_f, to_o, to_q = dz                     # first what multiplies dc and dh in dz:
        xp.clip(zs[:3, some], 0.0, largest, out=to_ifo)         # inf times 0 would be no number
        xp.divide(1.0, xp.add(to_ifo, 1.0, out=ifo), out=ifo)
        xp.tanh(zs[3, some], out=q)
        to_ifo *= ifo                                   # 1 - s = e s
        to_ifo *= ifo
        to_i *= q
        to_f *= c_before
        to_o *= tanh_c[some]
        with overflow_is_infinity():
            over_cosh_squared(i, zs[3, some], to_q)
            over_cosh_squared(o, y[1, some], c_of_h)
        for t in range(some.stop - 1, start - 1, -1):
            now = dz[:, t - start]
            to_i_and_f, to_o, to_q = now[:2], now[2], now[3]
            dh += g[0, t]
            dc += g[1, t]
            dc += xp.multiply(dh, c_of_h[t - start], out=new)
            to_i_and_f *= dc
            to_o *= dh
            to_q *= dc
            xp.matmul(now, U4T, out=back)               # (4, B, H): the four parts of dz U^T
            xp.add(back[0], back[1], out=dh)
            dh += back[2]
            dh += back[3]
            dc *= f[t - start]
        rows, x_rows = dz.reshape(4, -1, H), x[some].reshape(-1, I)
        dW4 += x_rows.T @ rows
        dU4 += h_before.reshape(-1, H).T @ rows
        db4 += xp.ones(len(x_rows), dtype=dtype) @ rows
        if needs[0]:
            dx_rows = dx[some].reshape(-1, I)
            xp.matmul(rows[0], W4T[0], out=dx_rows)
            for k in 1, 2, 3:
                dx_rows += rows[k] @ W4T[k]
    return dx, column_major(dW4), column_major(dU4), db4.reshape(-1), dh, dc


def before(states, first, some):
    """The states (n, B, H) one step before the times `some`: `first` stands before time 0."""
    if some.start:
        return states[some.start - 1:some.stop - 1]
    return xp.concatenate([first[None], states[:some.stop - 1]])
