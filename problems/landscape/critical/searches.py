"""Three ways to solve g(θ) = 0, for many starts side by side. `critical` is the door to them.

    newton     d = -pinv(H) g
    lm         d = -(H² + μ I)⁻¹ H g: Newton's step for small μ, descent on |g|^2 for large
    gradnorm   d = -t H g: descent on |g|^2/2, by products with H only

All three lower |g| at every step (gradnorm: the largest of its last ten values), whatever the
height does. Each row of a batch has its own step, its own μ, and its own end.
"""
from minigrad.backend import xp

LM_START, LM_DOWN, LM_UP = 1e-3, 0.2, 4.0
PINV_CUT = 1e-12               # curvatures below this share of the largest count as zero
HALVINGS = 20                  # of a step, before the row is stuck
PATIENCE, PROGRESS = 5, 0.8    # newton: |g| has to fall to this share in so many steps
MEMORY = 10                    # values of |g| that gradnorm's steps are compared with


class Search:
    """n searches: points (n, d), heights and gradients there, and who is still looking.

    surface   `Flat` or `Curved` of `critical`: height, gradient, Hessian and how to step
    tol       |g| <= tol (1 + |f - f at the start|) ends a search; so does |θ| > bound (n,)

    (Heights count from the start's, since a constant added to them changes no critical point.)
    """

    def __init__(self, surface, theta, tol, bound):
        self.surface, self.theta, self.tol, self.bound = surface, theta, tol, bound
        self.f, self.g = surface.model(theta)
        self.ground = self.f + 0.0
        self.steps = xp.zeros(len(theta), dtype=int)
        self.stuck = xp.zeros(len(theta), dtype=bool)

    def active(self):
        """Rows that go on: not yet critical, not out of bounds, not stuck."""
        critical = norms(self.g) <= self.goal()
        return xp.flatnonzero(~(critical | (norms(self.theta) > self.bound) | self.stuck))

    def goal(self):
        """How small |g| has to get, for each search."""
        return self.tol * (1.0 + xp.abs(self.f - self.ground))

    def try_step(self, rows, d, good_enough):
        """Move `rows` by d where the new |g| is finite and passes; says which rows moved."""
        theta = self.surface.move(self.theta[rows], d)
        f, g = self.surface.model(theta)
        size = norms(g)
        good = xp.isfinite(f) & xp.isfinite(size) & good_enough(size)
        moved = rows[good]
        self.theta[moved], self.f[moved], self.g[moved] = theta[good], f[good], g[good]
        self.steps[moved] += 1
        return good

    def halved(self, rows, d, below):
        """Move each row by d, d/2, d/4, ... until |g| < below (n,); what never does is stuck."""
        t = xp.ones((len(rows), 1), dtype=d.dtype)
        left = xp.arange(len(rows))
        for _ in range(HALVINGS):
            goal = below[rows[left]]
            good = self.try_step(rows[left], t[left] * d[left], lambda size: size < goal)
            left = left[~good]
            if len(left) == 0:
                return
            t[left] *= 0.5
        self.stuck[rows[left]] = True


def newton(search, iterations):
    """d = -pinv(H) g, halved until |g| falls. Where it hardly falls the search is stuck."""
    for k in range(iterations):
        before = norms(search.g)
        if k % PATIENCE == 0:
            if k:
                search.stuck |= before > PROGRESS * earlier
            earlier = before
        rows = search.active()
        if len(rows) == 0:
            return
        eig, Q = xp.linalg.eigh(search.surface.hessian(search.theta[rows]))
        search.halved(rows, -pinv_times(eig, Q, search.g[rows]), before)


def levenberg_marquardt(search, iterations):
    """d = -Q λ/(λ² + μ) Qᵀ g for H = Q λ Qᵀ; μ/5 on success, else 4 μ."""
    like = search.theta
    n, d = like.shape
    eig, Q = xp.zeros_like(like), xp.zeros((n, d, d), dtype=like.dtype)
    mu = xp.zeros((n, 1), dtype=like.dtype)
    stale = xp.ones(n, dtype=bool)                          # rows that moved since H was taken
    for k in range(iterations):
        rows = search.active()
        if len(rows) == 0:
            return
        new = rows[stale[rows]]
        if len(new):
            eig[new], Q[new] = xp.linalg.eigh(search.surface.hessian(search.theta[new]))
        largest = xp.max(xp.abs(eig[rows]), axis=1, keepdims=True)
        if k == 0:
            mu[rows] = LM_START * largest**2
        mu[rows] = xp.maximum(mu[rows], 1e-30 * largest**2)
        weight = eig[rows] / xp.maximum(eig[rows]**2 + mu[rows], 1e-300)
        step = -in_basis(Q[rows], weight, search.g[rows])
        before = norms(search.g[rows])
        good = search.try_step(rows, step, lambda size: size < before)
        mu[rows] *= xp.where(good[:, None], LM_DOWN, LM_UP)
        stale[rows] = good
        search.stuck[rows] = norms(step) <= 1e-16 * (1.0 + norms(search.theta[rows]))


def gradnorm(search, iterations):
    """θ <- θ - t p,   p = H g the gradient of |g|^2/2,   t = |s|^2/<s, y>

    s and y are the last changes of theta and p (Barzilai & Borwein 1988). A step costs a product
    and a gradient.
    """
    theta, p = search.theta.copy(), xp.zeros_like(search.theta)
    t = xp.zeros(len(theta), dtype=theta.dtype)
    recent = xp.repeat(norms(search.g)[:, None], MEMORY, axis=1)
    for k in range(iterations):
        rows = search.active()
        if len(rows) == 0:
            return
        now = search.surface.times(search.theta[rows], search.g[rows])
        if k == 0:                                          # exact along the first line
            twice = search.surface.times(search.theta[rows], now)
            size = xp.sum(now * now, axis=1)
            least = xp.maximum(1e-16 * size, 1e-300)
            t[rows] = size / xp.maximum(xp.sum(twice * twice, axis=1), least)
        else:
            s, y = search.theta[rows] - theta[rows], now - p[rows]
            sy = xp.sum(s * y, axis=1)
            quotient = xp.sum(s * s, axis=1) / xp.where(sy > 0, sy, 1.0)
            t[rows] = xp.where(sy > 0, quotient, 2.0 * t[rows])
        theta[rows], p[rows] = search.theta[rows], now
        search.halved(rows, -t[rows, None] * now, xp.max(recent, axis=1))
        recent[:, k % MEMORY] = norms(search.g)


SEARCHES = {"newton": newton, "lm": levenberg_marquardt, "gradnorm": gradnorm}


def in_basis(Q, weight, g):
    """Q diag(weight) Q^T g for a batch: Q (..., d, d), weight and g (..., d)."""
    return (Q @ (weight * (xp.swapaxes(Q, -1, -2) @ g[..., None])[..., 0])[..., None])[..., 0]


def pinv_times(eig, Q, g):
    """pinv(H) g, from H's eigenpairs."""
    keep = bent(eig)
    return in_basis(Q, xp.where(keep, 1.0 / xp.where(keep, eig, 1.0), 0.0), g)


def bent(eig):
    """Which directions count as curved at all."""
    return xp.abs(eig) > PINV_CUT * xp.max(xp.abs(eig), axis=-1, keepdims=True)


def norms(x):
    return xp.linalg.norm(x, axis=-1)
