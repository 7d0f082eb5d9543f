"""grad, value_and_grad, vjp, jvp, hvp: functions of functions, over trees of arrays. Read second.

Arrays in, arrays out: Tensors are seen only inside the differentiated function, so no graph can
leak. Transforms nest to any order. While one runs the function it counts itself in `tape.depth`;
a backward pass is recorded exactly when another transform is still running around it.

Fresh leaves also keep nested gradients apart. In

    >>> from minigrad import grad
    >>> def slope(x):
    ...     inner = lambda y: x + y         # its derivative in y is 1, whatever x is
    ...     return grad(inner)(x)
    >>> f = lambda x: x * slope(x)          # so f(x) = x, and f'(x) = 1
    >>> float(grad(f)(3.0))
    1.0

an engine that keeps one derivative for each value would take 2 for the slope, since y is the x of
outside and both count (perturbation confusion). Here y is a Tensor of its own, and a sweep goes no
further back than the number of its own leaves.
"""
from minigrad import tape
from minigrad.backend import xp
from minigrad.errors import (called, differentiable, fitting_cotangent, in_our_words, not_a_scalar,
                             outputs)
from minigrad.tensor import Tensor, constant, next_number, own, primitives, sweep
from minigrad.tree import leaves_like, leaves_of, rebuild


def lifted(x, operation, keep):
    """One array of x as a fresh leaf. A Tensor of an outer transform stays connected to it."""
    if type(x) is Tensor and x.number:
        return primitives["identity"](x)
    x = xp.asarray(x) if type(x) is float else differentiable(constant(x), operation)
    return Tensor(keep(x) if keep else x, next_number())


def linearised(f, x, operation, keep=None):
    """y = f(x), as f gave it, and what sweeps cotangents of y's leaves back to x.

    keep  if the graph is to outlive the caller: what copies the data in it
    """
    (depth, around), recording = tape.running.get(), tape.recording.get()
    keep = around if depth and around else keep
    tape.running.set((depth + 1, keep))              # operations and sweeps in f are recorded
    tape.recording.set(True)
    try:
        leaves = [lifted(leaf, operation, keep) for leaf in leaves_of(x)]
        form, y = rebuild(x, leaves), called(f, operation)(rebuild(x, leaves))
    except (ValueError, TypeError) as error:
        raise in_our_words(error)
    finally:
        tape.running.set((depth, around))
        tape.recording.set(recording)
    ends, floor = outputs(leaves_of(y), operation), leaves[0].number if leaves else next_number()

    def back(cotangents):
        record, taken = tape.in_transform(), set(map(id, cotangents))
        swept = tape.without_copies(sweep) if record else sweep         # data was copied before
        found = swept(zip(ends, cotangents), floor, record)
        return rebuild(form, [cotangent_of(leaf, found, taken) for leaf in leaves])
    return y, back


def checked(back, y, operation):
    """The same for a tree of cotangents like y, as they come from outside."""
    ends = leaves_of(y)
    form = rebuild(y, ends)

    def pullback(u):
        given = [fitting_cotangent(g, o, operation) for g, o in
                 zip(leaves_like(u, form, operation), ends)]
        keep = tape.running.get()[1] if tape.in_transform() else constant
        return back([keep(g) for g in given] if keep else given)
    return pullback


def cotangent_of(leaf, found, taken):
    """What a sweep found for a leaf, in the leaf's dtype; zeros where nothing depends on it."""
    if leaf.number not in found:
        return xp.zeros_like(leaf.data)
    g = found[leaf.number][1]
    if type(g) is not Tensor:
        return own(g, leaf, taken)
    return g if g.dtype == leaf.dtype else primitives["_astype"](g, dtype=leaf.dtype)


def released(y):
    """A result on its way out of the outermost transform: arrays, and the caller's own."""
    if tape.in_transform() or type(y) is Tensor:
        return y if tape.in_transform() else tape.copied(y.data)
    return rebuild(y, [tape.copied(constant(o)) for o in leaves_of(y)])


def vjp(f, x):
    """y = f(x) and the pullback  u -> u^T J,  J = df/dx.   One sweep for a whole tree u like y."""
    y, back = linearised(f, x, "vjp", tape.Copies())
    return released(y), checked(back, y, "vjp")


def jvp(f, x):
    """y = f(x) and the push  v -> J v,  J = df/dx.

    The pullback u -> u^T J is linear in u, so its own pullback is v -> J v: reverse mode twice.
    Linearised once, applied to as many v as wanted.
    """
    keep = tape.Copies()
    y, back = linearised(f, x, "jvp", keep)
    zeros = [xp.zeros_like(constant(o)) for o in leaves_of(y)]
    like_x, push = linearised(back, zeros, "jvp", keep)
    push = checked(push, like_x, "jvp")
    form = rebuild(y, leaves_of(y))
    return released(y), lambda v: rebuild(form, push(v))


def value_and_grad(f, *, each=False):
    """x -> (f(x), df/dx) for scalar f. Further arguments are passed on, not differentiated.
    each: f gives heights (...), each of its own row of x (..., d), and the gradient has their rows.
    """
    def value_and_gradient(x, *rest, **settings):
        def heights(t):
            y = called(f, "grad")(t, *rest, **settings)
            shape = getattr(y, "shape", None)
            return y if shape == () or each and shape else not_a_scalar(y)
        y, back = linearised(heights, x, "grad")
        return released(y), back([xp.ones(y.shape, y.dtype)])
    return value_and_gradient


def grad(f):
    """x -> df/dx for scalar f, with respect to its first argument: an array or a tree of arrays."""
    both = value_and_grad(f)
    return lambda x, *rest, **settings: both(x, *rest, **settings)[1]


def hvp(f, x):
    """v -> H v,  H = d2f/dx2 at x: the pullback of the gradient (H is symmetric).

    The gradient is recorded once; each product is then one sweep through its graph.
    """
    g, back = linearised(grad(f), x, "hvp", tape.Copies())
    return checked(back, g, "hvp")
