"""Curvature as a linear operator: everything else here asks only for products H v.

    H v = d/dt g(θ + t v) at t = 0

`HessianOp` linearises the gradient once at theta and is then applied as often as wanted. A product
costs about as much as a gradient, and no n x n matrix ever exists. `MatrixOp` gives a matrix the
same face, so that every estimator can be tried where the answer is known.

Source: Pearlmutter 1994, Neural Computation 6.
"""
import math

from minigrad.backend import float_of, xp
from minigrad.kinds import array, brought, expects, natural, vector
from problems.landscape.doors import landscape, operator_of
from optim.objective import Objective


class HessianOp:
    """v -> H v of a loss at a point, averaged over batches.

        H = sum_b N_b H_b / sum_b N_b        N_b examples in batch b

    The weights matter: a mean of batch means is wrong when the last batch is shorter, and a sum of
    them scales every eigenvalue with the number of batches.

    loss     an Objective, a Problem, a function of theta; with batches: a Problem, or a function
             of theta and a batch
    theta    the point (n,)
    batches  list of tuples of arrays, examples along the first axis; None: the loss's own data
    mode     "exact": reverse over reverse, linearised once for each batch, and kept ("ror" is
             its older name)
             "fd":  `finite_difference_hvp`, an oracle; two gradients a product

    .n, .dtype, .calls   size and dtype of the vectors, products so far
    Raises   ValueError for a point that is not finite or not flat, no batches, an unknown mode

    Kinks (ReLU) are invisible: the product is that of the Hessian almost everywhere.
    """

    @expects(theta=brought)
    def __init__(self, loss, theta, batches=None, mode="exact"):
        theta = xp.asarray(theta)
        if theta.ndim != 1:
            raise ValueError("HessianOp: theta must be one flat point (n,), got shape "
                             f"{theta.shape}. Make one operator for each point, or ask "
                             "dense_hessians.")
        check_finite("HessianOp", theta)
        if mode not in PRODUCTS:
            raise ValueError(f"HessianOp: unknown mode {mode!r}. Use one of {', '.join(PRODUCTS)}.")
        self.product = PRODUCTS[mode](Objective.of(loss, batches, "HessianOp"), theta)
        self.n, self.dtype, self.calls = theta.shape[0], theta.dtype, 0

    def matvec(self, v):
        """H v for v (n,)."""
        check_vector("HessianOp", v, self.n)
        self.calls += 1
        return self.product(v)


class MatrixOp:
    """v -> A v of a matrix A (n, n), with the face of a HessianOp."""

    @expects(A=brought)
    def __init__(self, A):
        self.A = xp.asarray(A)
        if self.A.ndim != 2 or self.A.shape[0] != self.A.shape[1]:
            raise ValueError(f"MatrixOp: the matrix must be square, got shape {self.A.shape}.")
        self.n, self.dtype, self.calls = self.A.shape[0], self.A.dtype, 0

    def matvec(self, v):
        check_vector("MatrixOp", v, self.n)
        self.calls += 1
        return self.A @ v


def operator(op):
    """Anything with matvec and n as it is; a square matrix as a MatrixOp."""
    if hasattr(op, "matvec") and hasattr(op, "n"):
        return op
    if hasattr(op, "ndim"):
        return MatrixOp(op)
    raise TypeError("operator: need an object with .matvec and .n, or a square matrix, got "
                    f"{type(op).__name__}. Wrap a loss as HessianOp(loss, theta).")


def dtype_of(op):
    """The dtype of the vectors that an operator takes: float64 where it does not say."""
    return getattr(op, "dtype", xp.dtype(float))


# ---------------------------------------------------------------------- products

def exact_hvp(objective, theta):
    """v -> H v by differentiating the recorded gradient: reverse over reverse."""
    return objective.hvp(theta)


def finite_difference_hvp(objective, theta):
    """v -> (g(θ + e v) - g(θ - e v)) / 2e,   e = 1e-5 max(1, |θ|)/|v|  in float64.

    Rounding grows as 1/e, truncation as e^2: in float64 about nine digits are right. In float32
    (1e-2 in place of 1e-5) two or three are, which catches gross mistakes only.
    """
    relative = 1e-5 if theta.dtype.itemsize == 8 else 1e-2
    reach = relative * max(1.0, float_of(xp.linalg.norm(theta)))

    def product(v):
        length = float_of(xp.linalg.norm(v))
        if length == 0.0 or not math.isfinite(length):
            return v * 0.0                          # NaN where v is not finite
        e = reach / length
        up = objective.value_and_grad(theta + e * v)[1]
        return (up - objective.value_and_grad(theta - e * v)[1]) * (0.5 / e)

    return product


PRODUCTS = {"exact": exact_hvp, "fd": finite_difference_hvp, "ror": exact_hvp}


@expects(theta=vector, v=array)
def hvp(loss, theta, v, mode="exact"):
    """One product H v at theta. For many at the same point make a HessianOp."""
    return HessianOp(loss, theta, mode=mode).matvec(v)


as_objective = Objective.of         # an Objective as it is; a Problem or a function wrapped


# ---------------------------------------------------------------------- matrices

@expects(op=operator_of)
def dense_hessian(op):
    """The whole matrix (n, n) from n products, symmetrised; for small n, and to test the rest.

    Raises ValueError if the products are those of no symmetric matrix.
    """
    op = operator(op)
    H = xp.stack([op.matvec(row) for row in xp.eye(op.n, dtype=dtype_of(op))], axis=1)
    check_symmetric("dense_hessian", H)
    return 0.5 * (H + H.T)


@expects(loss=landscape, theta=brought)
def dense_hessians(loss, theta):
    """Hessians (..., d, d) of a batch of points (..., d), d products in all."""
    return Objective.of(loss, where="dense_hessians").hessian(xp.asarray(theta))


@expects(op=operator_of, tol=natural)
def index(op, tol=None):
    """Number of negative eigenvalues: those below -tol.

        index(D H D) = index(H) for any invertible D (Sylvester), though the eigenvalues change

    op    a symmetric matrix (n, n), or an operator, which is made dense first
    tol   default 1e-8 times the largest |eigenvalue|
    """
    H = op if hasattr(op, "ndim") else dense_hessian(op)
    check_symmetric("index", H)
    return index_of(xp.linalg.eigvalsh(H), tol)


def index_of(eigenvalues, tol=None):
    """The index, from all eigenvalues (..., n): an int, or an array for a batch of spectra."""
    if tol is None:
        tol = 1e-8 * xp.max(xp.abs(eigenvalues), axis=-1, keepdims=True)
    count = xp.sum(eigenvalues < -tol, axis=-1)
    return int(count) if count.ndim == 0 else count


# ---------------------------------------------------------------------- checks

def check_finite(name, theta):
    bad = int(xp.sum(~xp.isfinite(theta)))
    if bad:
        raise ValueError(f"{name}: theta has {bad} entries that are NaN or infinite, of "
                         f"{theta.size}. Take a point before the divergence.")


def check_vector(name, v, n):
    array(name, "the vector", v)
    if tuple(v.shape) != (n,):
        raise ValueError(f"{name}: the operator takes vectors of shape ({n},), got "
                         f"{tuple(v.shape)}. Ravel the direction with the problem's layout.")


def check_symmetric(name, H):
    if H.ndim != 2 or H.shape[0] != H.shape[1]:
        raise ValueError(f"{name}: the matrix must be square, got shape {tuple(H.shape)}.")
    size = float_of(xp.max(xp.abs(H)))
    gap = float_of(xp.max(xp.abs(H - H.T)))
    limit = max(1e-6, 30.0 * math.sqrt(float(xp.finfo(H.dtype).eps)))
    if not gap <= limit * size:
        raise ValueError(f"{name}: the operator is not symmetric: entries differ from their mirror "
                         f"images by up to {gap:.3g}, at a largest entry of {size:.3g}. "
                         "Use a Hessian, or (A + A^T)/2.")
