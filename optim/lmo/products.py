"""The polar factor U Vᵀ of M = U diag(s) Vᵀ by matrix products only.

An odd polynomial in the matrix acts on its singular values and leaves the singular vectors alone:

    X ← a X + (b S + c S²) X,   S = X Xᵀ          s ← a s + b s³ + c s⁵

Passed through a few such quintics all singular values end up at, or near, 1. The sets below differ
in what they aim at: Jordan's five equal passes are fast and stay 30 % off, Polar Express has its
own quintic for every pass and converges, the classical cubic and quintic converge without tuning.
"""
from minigrad.backend import xp
from minigrad.kinds import expects, matrices, natural, positive, real, row, whole

JORDAN = (3.4445, -4.7750, 2.0315)
CUBIC = (3 / 2, -1 / 2, 0.0)                   # Newton-Schulz proper: order 2, monotone on [0, 1]
QUINTIC = (15 / 8, -10 / 8, 3 / 8)             # order 3, monotone on [0, 1]
POLAR_EXPRESS = (
    (8.28721201814563, -23.595886519098837, 17.300387312530933),
    (4.107059111542203, -2.9478499167379106, 0.5448431082926601),
    (3.9486908534822946, -2.908902115962949, 0.5518191394370137),
    (3.3184196573706015, -2.488488024314874, 0.51004894012372),
    (2.300652019954817, -1.6689039845747493, 0.4188073119525673),
    (1.891301407787398, -1.2679958271945868, 0.37680408948524835),
    (1.8750014808534479, -1.2500016453999487, 0.3750001645474248))
CUSHION = 1.01                                 # rounding must not push a singular value beyond 1
AT_ONCE = 5                                    # passes through the Gram matrix before a fresh one


def three(where, name, value):
    """The coefficients (a, b, c) of a quintic."""
    if len(row(where, name, value)) != 3:
        raise ValueError(f"{where}: {name} must be three numbers a, b, c, got {len(value)}. "
                         "Use JORDAN, CUBIC or QUINTIC.")
    return value


@expects(M=matrices, steps=whole(0), coefficients=three, eps=natural)
def newton_schulz(M, steps=5, coefficients=JORDAN, eps=1e-7):
    """About U Vᵀ, by `steps` equal passes.

        X ← M / (|M|_F + ε);   repeat:  S = X Xᵀ,   X ← a X + (b S + c S²) X

    With Jordan's coefficients singular values from .01 to 1 end up in [.68, 1.14] after five
    passes, and more passes bring them no closer to 1. With CUBIC or QUINTIC they converge to 1.

    Source: K. Jordan et al. 2024, https://kellerjordan.github.io/posts/muon/; the view as steepest
    descent in the spectral norm: Bernstein & Newhouse 2024, arXiv:2409.20325.
    Differs: in the dtype of M instead of bfloat16. A matrix at least twice as wide as tall is
    iterated through its small Gram matrix S alone, the polynomials multiplied up, and multiplied
    by X once; the same in exact arithmetic, about 1e-4 off in float32. Rounding gives S negative
    eigenvalues, which grow from pass to pass, so after five passes S is formed anew.

    M (..., m, n), returns (..., m, n)
    """
    return equal_passes(M, steps, coefficients, eps)


def equal_passes(M, steps=5, coefficients=JORDAN, eps=1e-7):
    """`newton_schulz` for those who call it once a matrix and step, and know what they hand in."""
    return wide(M, lambda X: passes(X / (frobenius(X) + eps), [coefficients] * steps,
                                    X.shape[-1] >= 2 * X.shape[-2]))


def margin(where, name, value):
    """A factor from 1 to 2."""
    if not 1.0 <= real(where, name, value) <= 2.0:
        raise ValueError(f"{where}: {name} must lie in [1, 2], got {value}.")
    return float(value)


@expects(M=matrices, steps=whole(0), cushion=margin)
def polar_express(M, steps=8, cushion=CUSHION):
    """U Vᵀ, by a quintic of its own in every pass, each the best for what the last one left.

    The greedy minimax quintics for singular values in [1e-3, 1] |M|_F: off by at most .160 after
    five passes, 6.6e-3 after six, 1.1e-5 after seven; eight give U Vᵀ to rounding. Smaller singular
    values take more passes, each of which multiplies them by 15/8.

    cushion   keeps rounding from pushing a singular value beyond 1: M and the quintics shrink by it

    Source: Amsel et al. 2025, arXiv:2505.16932, Algorithm 1 and its table of coefficients.
    Differs: in the dtype of M instead of bfloat16.

    M (..., m, n), returns (..., m, n)
    """
    def polynomial(k):
        if k >= len(POLAR_EXPRESS):
            return QUINTIC
        return tuple(a / cushion**power for a, power in zip(POLAR_EXPRESS[k], (1, 3, 5)))
    return wide(M, lambda X: passes(X / (cushion * frobenius(X) + 1e-7),
                                    [polynomial(k) for k in range(steps)]))


@expects(M=matrices, steps=whole(0))
def polar(M, steps=8):
    """U Vᵀ for M = U diag(s) Vᵀ: all singular values 1, those at zero stay there.

    By `polar_express`: exact to rounding for singular values above 1e-3 |M|_F; `psi(M, 0.0)` is
    exact for all of them, by eigenvalues. M (..., m, n), returns (..., m, n)
    """
    return polar_express(M, steps)


def passes(X, polynomials, through_gram=False):
    """X (..., m, n), m <= n, through one polynomial (a, b, c) after the other; X is used up."""
    if through_gram:
        for start in range(0, len(polynomials), AT_ONCE):
            S = X @ X.swapaxes(-1, -2)
            X = gram_polynomial(S, polynomials[start:start + AT_ONCE]) @ X
        return X
    for a, b, c in polynomials:
        S = X @ X.swapaxes(-1, -2)
        if c:
            P = S @ S.swapaxes(-1, -2)                      # S² = S Sᵀ, at half the price
            P *= c
            S *= b
            P += S
        else:
            P = S
            P *= b
        PX = P @ X
        X *= a
        X += PX
    return X


def gram_polynomial(S, polynomials):
    """Q with Q X = the iterate after these passes, from S = X Xᵀ alone.

        P = a I + b S + c S²,   Q ← P Q,   S ← P S P          (all commute)
    """
    identity = xp.eye(S.shape[-1], dtype=S.dtype)
    Q = None
    for left, (a, b, c) in zip(range(len(polynomials), 0, -1), polynomials):
        P = S @ S.swapaxes(-1, -2)
        P *= c
        P += b * S
        P += a * identity
        Q = P if Q is None else P @ Q
        if left > 1:
            S = P @ S @ P
    return Q


def wide(M, f):
    """f of M if it is wide or square, else f of its transpose, transposed back."""
    if M.shape[-2] > M.shape[-1]:
        return f(M.swapaxes(-1, -2)).swapaxes(-1, -2)
    return f(M)


def frobenius(M):
    """|M|_F (..., 1, 1)."""
    return xp.sqrt((M * M).sum(axis=(-2, -1), keepdims=True))
