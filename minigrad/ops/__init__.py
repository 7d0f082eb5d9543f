"""Every operation, and the operators and methods of Tensor that stand for them."""
from minigrad.ops import arithmetic as _a
from minigrad.ops import elementary as _e
from minigrad.ops import linalg as _l
from minigrad.ops import reduce as _r
from minigrad.ops import shape as _s
from minigrad.ops.activations import dropout, dropout_mask, gelu, relu, silu
from minigrad.ops.arithmetic import (
    abs, add, astype, clip, div, identity, maximum, minimum, mul, neg, power, sign, square, sub,
    where)
from minigrad.ops.conv import conv2d, conv2d_input, conv2d_kernel
from minigrad.ops.elementary import (
    arctan, cos, exp, expm1, log, log1p, sigmoid, sin, softplus, sqrt, tan, tanh)
from minigrad.ops.linalg import dot, linear, matmul, outer
from minigrad.ops.nn import (
    attention, attention_weights, embedding, embedding_sum, mean_squared_error,
    softmax_cross_entropy)
from minigrad.ops.normalisation import batch_norm, batch_statistics, layer_norm, standardize
from minigrad.ops.pool import average_pool, global_mean, max_pool
from minigrad.ops.recurrent import lstm
from minigrad.ops.reduce import max, mean, min, norm, prod, sum, var
from minigrad.ops.self_attention import self_attention
from minigrad.ops.shape import (
    broadcast_to, concatenate, expand_dims, getitem, put, reshape, stack, sum_to, swapaxes,
    transpose)
from minigrad.ops.softmax import log_softmax, logsumexp, softmax
from minigrad.tensor import Tensor

__all__ = [name for name, value in globals().items() if callable(value) and value is not Tensor]

# Operators. An operation is a plain function, so it can be a method as it is.
Tensor.__add__, Tensor.__radd__ = _a.add, lambda a, b: _a.add(b, a)
Tensor.__sub__, Tensor.__rsub__ = _a.sub, lambda a, b: _a.sub(b, a)
Tensor.__mul__, Tensor.__rmul__ = _a.mul, lambda a, b: _a.mul(b, a)
Tensor.__truediv__, Tensor.__rtruediv__ = _a.div, lambda a, b: _a.div(b, a)
Tensor.__pow__, Tensor.__rpow__ = _a.power, lambda a, b: _a.power(b, a)
Tensor.__matmul__, Tensor.__rmatmul__ = _l.matmul, lambda a, b: _l.matmul(b, a)
Tensor.__neg__, Tensor.__abs__ = _a.neg, _a.abs
Tensor.__getitem__ = lambda x, index: _s.getitem(x, index=_s.index_of(index))

# Methods, with NumPy's names and arguments.
Tensor.reshape = lambda x, *shape: _s.reshape(
    x, shape=shape[0] if len(shape) == 1 and type(shape[0]) is not int else shape)
Tensor.transpose = lambda x, *axes: _s.transpose(
    x, axes=axes[0] if len(axes) == 1 and type(axes[0]) is not int else axes or None)
Tensor.swapaxes = lambda x, a, b: _s.swapaxes(x, a=a, b=b)
Tensor.T = property(lambda x: _s.transpose(x))
Tensor.astype = lambda x, dtype: _a.astype(x, dtype)
Tensor.sum = lambda x, axis=None, keepdims=False: _r.sum(x, axis=axis, keepdims=keepdims)
Tensor.mean = lambda x, axis=None, keepdims=False: _r.mean(x, axis=axis, keepdims=keepdims)
Tensor.prod = lambda x, axis=None, keepdims=False: _r.prod(x, axis=axis, keepdims=keepdims)
Tensor.max = lambda x, axis=None, keepdims=False: _r.max(x, axis=axis, keepdims=keepdims)
Tensor.min = lambda x, axis=None, keepdims=False: _r.min(x, axis=axis, keepdims=keepdims)
Tensor.var = lambda x, axis=None, keepdims=False, ddof=0: _r.var(
    x, axis=axis, keepdims=keepdims, ddof=ddof)
Tensor.tanh, Tensor.exp, Tensor.log, Tensor.sqrt = _e.tanh, _e.exp, _e.log, _e.sqrt
