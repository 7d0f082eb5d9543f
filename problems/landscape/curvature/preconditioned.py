"""Curvature as an adaptive method feels it, and how much of it the method bears.

Adam divides each coordinate of its mean gradient by p_i = (1 - β₁^t)(√v̂_i + ε). With P = diag(p)
held fixed that is descent with momentum in the coordinates φ = P^½ θ, where the Hessian is

    P^-½ H P^-½            same eigenvalues as P⁻¹ H, and symmetric: Lanczos applies

Its largest eigenvalue is the *preconditioned sharpness*. How large it may be: on a quadratic, along
an eigenvector of eigenvalue λ,

    m_{t+1} = β₁ m_t + (1-β₁) λ x_t,     x_{t+1} = x_t - η m_{t+1}

and, m eliminated by η m_t = x_{t-1} - x_t,

    x_{t+1} = (1 + β₁ - η (1-β₁) λ) x_t - β₁ x_{t-1}

The roots of z² - b z + β₁ lie inside the unit circle exactly if β₁ < 1 and |b| < 1 + β₁, that is if

    0 < λ < (2 + 2 β₁) / ((1 - β₁) η)          38 / η at β₁ = .9;   2 / η at β₁ = 0

At the threshold a root is -1: the point swings from side to side. (The mean of gradients is a heavy
ball with rate (1-β₁) η, hence the factor that Polyak's threshold in `edge` has not.)

P is not fixed: v̂ follows the gradient. So the sharpness of Adam's way is bounded only relative to
its own gradients, and a small gradient makes P small and the preconditioned sharpness large.

Source: Cohen et al. 2022, arXiv:2207.14484, abstract (with the full batch, 38/η for β₁ = .9);
derived here as stated.
"""
from minigrad.backend import float_of, xp
from minigrad.kinds import array, expects, having, real, source, vector, whole
from optim.optimizer import weight_sum
from problems.landscape.doors import landscape, operator_of

from .hessian import HessianOp, check_vector, dtype_of, operator
from .sharpness import TopCurvature
from .spectrum import lanczos


class PreconditionedOp:
    """v -> P^-½ A P^-½ v for a diagonal P, with the face of the operator A.

    op   a HessianOp, a matrix, anything with matvec and n
    p    (n,) the diagonal of P, all entries positive

    .n, .dtype, .calls   as in HessianOp
    """

    @expects(op=operator_of, p=array)
    def __init__(self, op, p):
        self.op = operator(op)
        self.n, self.dtype, self.calls = self.op.n, dtype_of(self.op), 0
        check_vector("PreconditionedOp", p, self.n)
        least = float_of(xp.min(p))
        if not least > 0 or not bool(xp.isfinite(p).all()):
            raise ValueError(f"PreconditionedOp: p must be positive and finite, got {least:.3g} "
                             "for its least entry. A coordinate that never moved needs an eps.")
        self.root = (p ** -0.5).astype(self.dtype)

    def matvec(self, v):
        check_vector("PreconditionedOp", v, self.n)
        self.calls += 1
        return self.root * self.op.matvec(self.root * v)

    def back(self, v):
        """A direction P^-½ v of parameter space for a direction v of this operator's."""
        return self.root * v


@expects(lr=real, beta1=real)
def adam_threshold(lr, beta1=0.9):
    """(2 + 2 β₁)/((1 - β₁) η): the preconditioned curvature above which Adam, P fixed, diverges."""
    if not lr > 0 or not 0 <= beta1 < 1:
        raise ValueError(f"adam_threshold: needs lr > 0 and 0 <= beta1 < 1, got lr {lr}, beta1 "
                         f"{beta1}.")
    return (2.0 + 2.0 * beta1) / ((1.0 - beta1) * lr)


@expects(optimizer=having("beta1", "beta2", "eps"))
def adam_preconditioner(optimizer, state):
    """The p (..., d) of the last step: (1 - β₁^t)(√v̂ + ε), v̂ = v/(1 - β₂^t).

    optimizer   Adam, or AdamW (whose decay adds its own to the curvature, left out here)
    state       its state after one step or more; `v` in it holds v/(1 - β₂)
    """
    missing = [key for key in ("t", "v") if key not in (state if isinstance(state, dict) else ())]
    if missing or int(state["t"]) < 1:
        raise ValueError("adam_preconditioner: needs Adam's state after a step, got "
                         + (f"one without {' and '.join(missing)}." if missing else "t = 0.")
                         + " Take a step first.")
    t = int(state["t"])
    v_hat = state["v"] * (1.0 / weight_sum(optimizer.beta2, t))
    return (1.0 - optimizer.beta1**t) * (v_hat**0.5 + optimizer.eps)


@expects(objective=landscape, theta=vector, p=array, rng=source, m=whole(1))
def preconditioned_sharpness(objective, theta, p, rng, m=30):
    """The largest eigenvalue of P^-½ H P^-½, by m Lanczos steps: a TopCurvature.

    p        (n,) the diagonal of P; ones give S1 of `sharpness`
    vector   of the record: in the coordinates P^½ θ
    """
    op = PreconditionedOp(HessianOp(objective, theta), p)
    ritz = lanczos(op, min(m, op.n), which="LA", rng=rng)
    return TopCurvature(float(ritz.values[-1]), float(ritz.residuals[-1]), ritz.converged,
                        ritz.vectors[-1], ritz)
