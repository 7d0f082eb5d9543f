"""What the theorems promise: bounds on M_K = min_{k<K} E[f(x_k) - f*], one function a theorem.

    f      a FiniteSum: σ_int² is its `interpolation_error`, σ_pos² its `positive_error`
    α, β   a pair that the condition allows, a = α - β;   L the smoothness of the parts
    R²     the squared distance of the start from the minimisers;   K the number of steps
    γ      the method's rate

What was met on the way, where a bound asks for it: D², the largest squared distance from the
minimisers, and G², the largest squared slope of a part.

Source: arXiv:2410.12455, theorems 1 to 7. Printed forms that differ between text and appendix: see
`guarantees`.
"""
import math
from typing import NamedTuple


class Constants(NamedTuple):
    """What the bounds know of a problem: α, β, L, R², σ_int², σ_pos²."""

    alpha: float
    beta: float
    L: float
    R2: float
    s: float
    positive: float

    @property
    def a(self):
        return self.alpha - self.beta


def sgd(k, K, rate):
    """SGD at a constant rate γ <= a/2L.

        M_K <= R²/(K γ a) + 2 L γ σ_int²/a + 2 β σ_int²/a                           (theorem 1)

    Source: arXiv:2410.12455.
    """
    return k.R2 / (K * rate * k.a) + 2 * k.L * rate / k.a * k.s + 2 * k.beta / k.a * k.s


def sps(k, K, c, cap=1.0):
    """SPS_max with the largest rate γ_b, for c > 1/2a.

        M_K <= c_1 R²/K + 2 α c_1 γ_b σ_int²                                        (theorem 2)

        c_1 = c / (γ_min (2 a c - 1)),   γ_min = min(1/(2 c L), γ_b)

    Source: arXiv:2410.12455.
    """
    c1 = c / (min(1 / (2 * c * k.L), cap) * (2 * k.a * c - 1))
    return c1 / K * k.R2 + 2 * k.alpha * c1 * cap * k.s


def ngn(k, K, rate=1.0):
    """NGN at a constant γ, for α >= β + 1. The last term is the text's; the appendix has half of it.

        M_K <= R² (1+2γL)²/(2γ K c_2) + 3 L γ α (1+γL) σ_int²/c_2
               + γ L max(2γL-1, 0) σ_pos²/c_2 + 2 β σ_int²/c_2                       (theorem 3)

        c_2 = 2 γ L (a-1) + a

    Source: arXiv:2410.12455.
    """
    gL = rate * k.L
    c2 = 2 * gL * (k.a - 1) + k.a
    return (k.R2 * (1 + 2 * gL) ** 2 / (2 * rate * K * c2)
            + 3 * gL * k.alpha * (1 + gL) * k.s / c2
            + gL * max(2 * gL - 1, 0) * k.positive / c2 + 2 * k.beta * k.s / c2)


def sgd_falling(k, K, rate):
    """SGD at the rate γ/√(k+1).

        M_K <= 5 R²/(4 a γ √K) + 5 γ L σ_int² log(K+1)/(a √K) + 2 β σ_int²/a         (theorem 4)

    Source: arXiv:2410.12455.
    """
    root = math.sqrt(K)
    return (5 * k.R2 / (4 * k.a * rate * root)
            + 5 * rate * k.L * k.s * math.log(K + 1) / (k.a * root) + 2 * k.beta * k.s / k.a)


def decsps(k, K, c, D2, cap=1.0):
    """DecSPS with c_k = c √(k+1) and the largest rate γ_b.

        M_K <= 2 L̃ D² c_{K-1}/(K a) + 2 β σ_int²/a + (1/K) Σ_k σ_int²/(a c_k)        (theorem 5)

        L̃ = max(L, 1/(2 c γ_b));   Σ_k 1/√(k+1) <= 2 √K

    Source: arXiv:2410.12455.
    """
    root = math.sqrt(K)
    return (2 * max(k.L, 1 / (2 * c * cap)) * D2 * c * root / (K * k.a)
            + 2 * k.beta * k.s / k.a + k.s / (k.a * c) * 2 / root)


def ngn_falling(k, K, rate=1.0):
    """NGN at γ/√(k+1), with P = (1+γL)(1+2γL).

        M_K <= 5 P R²/(8 γ √K) + 15 L γ P α σ_int² log(K+1)/(2 √K) + P β σ_int²/a
               + 5 P γ L max(2γL-1, 0) σ_pos² log(K+1)/(2 √K)                        (theorem 6)

    Source: arXiv:2410.12455.
    """
    gL, root = rate * k.L, math.sqrt(K)
    P = (1 + gL) * (1 + 2 * gL)
    slow = math.log(K + 1) / root
    return (5 * P / (8 * rate) * k.R2 / root + 7.5 * gL * P * k.alpha * k.s * slow
            + P * k.beta * k.s / k.a + 5 * P * gL * max(2 * gL - 1, 0) * k.positive / 2 * slow)


def adagrad(k, K, rate, b0, G2, D2):
    """AdaGrad-norm with the largest slope, for D² <= |g_0|²: the proof gives 4 α, printed is 2 α.

        M_K <= R² √(b_0² + G² K)/(γ K a)
               + 4 α σ_int² √(b_0² + G² K) √(b_0² + D² (K+1))/(a K D²)               (theorem 7)

    Source: arXiv:2410.12455.
    """
    rise = math.sqrt(b0 * b0 + G2 * K)
    return (k.R2 * rise / (rate * K * k.a)
            + 4 * k.alpha * k.s * rise * math.sqrt(b0 * b0 + D2 * (K + 1)) / (k.a * K * D2))
