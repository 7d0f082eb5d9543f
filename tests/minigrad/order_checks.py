"""What a primitive must pass on a sample: three orders of derivatives, its two rules, dtypes."""
import numpy as np

import minigrad as mg
from minigrad.backend import to_host, xp
from minigrad.tensor import Tensor, constant, tensor
from tests.minigrad.test_ops import scalar


def check_orders(operation, inputs, settings, smooth=3, seed=1):
    """Gradient, Hessian products and, where smooth, the derivative of v.Hv, against differences."""
    rng = np.random.default_rng(seed)
    f, x = scalar(operation, inputs, settings, rng)
    mg.check_gradient(f, x, rng)
    mg.check_hvp(f, x, rng)
    if smooth >= 3:
        v = [xp.asarray(rng.standard_normal(a.shape)) for a in x]
        mg.check_gradient(lambda x: sum(mg.sum(a * b) for a, b in zip(mg.hvp(f, x)(v), v)),
                          x, rng, h=1e-5, rtol=1e-5)


def check_rules_agree(operation, inputs, settings, rtol=1e-11):
    """The rule for arrays and the differentiable one, on arrays and on Tensors, give the same."""
    leaves = [tensor(a) for a in inputs]
    y = operation(*leaves, **settings)
    g = xp.asarray(np.random.default_rng(2).standard_normal(y.shape))
    needs = [True] * len(inputs)
    fast = operation.rule_arrays(g, y.data, y.saved, *inputs, needs=needs, **settings)
    for arguments in ((g, y.data, *inputs), (Tensor(g), y, *leaves)):
        slow = operation.rule(*arguments, needs=needs, **settings)
        for a, b in zip(fast, slow):
            a, b = to_host(a), to_host(constant(b))
            np.testing.assert_allclose(a, b, rtol=0, atol=rtol * max(1.0, abs(b).max()))


def check_dtypes(operation, inputs, settings, dtype):
    """Values, gradients and Hessian products have the dtype of the inputs."""
    assert operation(*inputs, **settings).dtype == dtype

    def f(x):
        y = operation(*x, **settings)
        return mg.sum(y * y)
    for g, Hv in zip(mg.grad(f)(inputs), mg.hvp(f, inputs)(inputs)):
        assert g.dtype == dtype and Hv.dtype == dtype
