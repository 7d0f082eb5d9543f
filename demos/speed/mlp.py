"""A training step of the 784-256-128-10 perceptron, batch 128, float32.

Hand-written NumPy is what one would write for this network alone: the same fused formulas, a manual
backward pass, no tape.
"""
import math

import numpy as np

import minigrad as mg
import optim
from demos.speed.timing import Case, Compared
from optim.second_order.krylov import krylov_basis
from problems import Network
from problems.networks.mlp import MLP

SIZES, B = (784, 256, 128, 10), 128
C, A = math.sqrt(2.0 / math.pi), 0.044715


def gelu(z):
    t = z * z
    t *= C * A
    t += C
    t *= z
    np.tanh(t, out=t)
    h = t + 1.0
    h *= z
    h *= 0.5
    return h, t


def gelu_back(g, z, t):
    d = z * z
    d *= 1.5 * C * A
    d += 0.5 * C
    d *= z
    slope = 1.0 - t * t
    slope *= d
    slope += 0.5 * t
    slope += 0.5
    slope *= g
    return slope


def hand_written(layers, x, labels):
    """Loss and gradients of three layers, by hand."""
    (W1, b1), (W2, b2), (W3, b3) = layers
    z1 = x @ W1 + b1
    h1, t1 = gelu(z1)
    z2 = h1 @ W2 + b2
    h2, t2 = gelu(z2)
    p = h2 @ W3 + b3
    p -= p.max(axis=1, keepdims=True)
    rows = np.arange(len(labels))
    chosen = p[rows, labels]
    np.exp(p, out=p)
    total = p.sum(axis=1)
    p /= total[:, None]
    loss = (np.log(total) - chosen).mean()
    p[rows, labels] -= 1.0
    p *= 1.0 / len(labels)
    d2 = gelu_back(p @ W3.T, z2, t2)
    d1 = gelu_back(d2 @ W2.T, z1, t1)
    return loss, [x.T @ d1, d1.sum(axis=0), h1.T @ d2, d2.sum(axis=0), h2.T @ p, p.sum(axis=0)]


class HandAdam:
    """Adam on one flat buffer, in place."""

    def __init__(self, size):
        self.m, self.v, self.t = np.zeros(size, "float32"), np.zeros(size, "float32"), 0

    def step(self, theta, g, lr=1e-3, b1=0.9, b2=0.999, eps=1e-8):
        self.t += 1
        self.m *= b1
        self.m += (1 - b1) * g
        self.v *= b2
        self.v += (1 - b2) * (g * g)
        root = np.sqrt(self.v)
        root *= 1.0 / math.sqrt(1 - b2**self.t)
        root += eps
        theta -= (lr / (1 - b1**self.t)) * (self.m / root)


def norm(arrays):
    return math.sqrt(sum(float((a * a).sum()) for a in arrays))


def cases():
    rng = np.random.default_rng(0)
    problem = Network(MLP(SIZES), dtype="float32")
    theta = problem.start(rng)
    x = rng.standard_normal((B, SIZES[0])).astype("float32")
    labels = rng.integers(0, SIZES[-1], B)
    v = rng.standard_normal(theta.shape).astype("float32")
    layout, f = problem.layout, lambda params: problem.tree_loss(params, (x, labels))
    params, direction = layout.unravel(theta), layout.unravel(v)
    gradient, product = mg.value_and_grad(f), mg.hvp(f, params)
    layers = [(layer["W"], layer["b"]) for layer in params["layers"]]

    def flat(tree):
        return [layer[key] for layer in tree["layers"] for key in ("W", "b")]

    def ours():
        loss, g = gradient(params)
        return loss, flat(g)

    def linearise_and_multiply():
        return (flat(mg.hvp(f, params)(direction)),)

    objective, adam = optim.Objective(problem, (x, labels)), optim.Adam(lr=1e-3)
    point = {"theta": theta.copy(), "state": adam.init(theta)}

    def our_step():
        point["theta"], point["state"], _ = adam.step(objective, point["theta"], point["state"])

    by_hand, moments = theta.copy(), HandAdam(theta.size)
    hand_layers = [(layer["W"], layer["b"]) for layer in layout.unravel(by_hand)["layers"]]

    def hand_step():
        _, g = hand_written(hand_layers, x, labels)
        moments.step(by_hand, np.concatenate([a.ravel() for a in g]))

    def products():
        """The matrix products of the gradient alone: the floor."""
        (W1, _), (W2, _), (W3, _) = layers
        h1 = x @ W1
        h2 = h1 @ W2
        d3 = h2 @ W3
        d2 = d3 @ W3.T
        d1 = d2 @ W2.T
        return h2.T @ d3, h1.T @ d2, x.T @ d1

    numbers = {"gradient": ours, "hand": lambda: hand_written(layers, x, labels)}
    engines = {"step": our_step, "hand step": hand_step, "hvp": linearise_and_multiply,
               "again": lambda: (flat(product(direction)),), "products": products}
    numbers |= torch_engines(layers, x, labels, flat(direction), engines)
    numbers |= elementary_engines(layers, x, labels)
    engines |= numbers
    agree = {label: compared(work) for label, work in engines.items()}
    bounds = [("gradient / hand-written NumPy", "gradient", "hand", 1.10),
              ("gradient / its matrix products alone", "gradient", "products",
               {256: 1.15, 512: 1.2}),
              ("gradient and Adam step / hand-written", "step", "hand step", 1.10),
              ("gradient / torch eager", "gradient", "torch", 0.90),
              ("gradient and Adam step / torch", "step", "torch step", 0.90),
              ("gradient / autograd", "gradient", "autograd", 0.33),
              ("gradient / jax, compiled", "gradient", "jax", 1.0),
              ("Hessian-vector product / gradient", "hvp", "gradient", 2.5),
              ("the same again at one point / gradient", "again", "gradient", 1.4),
              ("Hessian-vector product / torch", "hvp", "torch hvp", 1.0)]
    return [Case("MLP 784-256-128-10", agree, [("MLP " + c, *rest) for c, *rest in bounds],
                 agree=[["gradient", "hand", "torch", "autograd", "jax"],
                        ["hvp", "again", "torch hvp"]], rtol=1e-4),
            krylov(problem, theta, (x, labels), v)]


def krylov(problem, theta, batch, v, steps=100):
    """Lanczos beside the products that it asks for: what orthogonality costs."""
    H = mg.hvp(lambda t: problem.loss(t, batch), theta)

    def products():
        for _ in range(steps):
            H(v)
    return Case(f"Lanczos, n = {theta.size:,}", {
        "lanczos": lambda: krylov_basis(H, v, steps), "products": products},
        [(f"{steps} steps of Lanczos at n = {theta.size:,} / their products alone", "lanczos",
          "products", 1.4)])


def compared(work):
    """Work that returns (loss, gradient) or (product,), compared by the loss and the norm."""
    def loss_and_norm(result):
        return [*map(float, result[:-1]), norm([np.asarray(a) for a in result[-1]])]
    return Compared(work, loss_and_norm)


def torch_engines(layers, x, labels, direction, engines):
    """torch eager on copies of the same arrays; adds its HVP and its Adam step to `engines`."""
    try:
        import torch
    except ImportError:
        return {}
    torch.set_num_threads(1)
    F = torch.nn.functional
    flat = [torch.tensor(a, requires_grad=True) for layer in layers for a in layer]
    tx, tl = torch.tensor(x), torch.tensor(labels)
    v = [torch.tensor(np.ascontiguousarray(a)) for a in direction]

    def loss(p):
        h = F.gelu(torch.addmm(p[1], tx, p[0]), approximate="tanh")
        h = F.gelu(torch.addmm(p[3], h, p[2]), approximate="tanh")
        return F.cross_entropy(torch.addmm(p[5], h, p[4]), tl)

    def gradient():
        y = loss(flat)
        return y.detach(), torch.autograd.grad(y, flat)

    def product():
        g = torch.autograd.grad(loss(flat), flat, create_graph=True)
        return (torch.autograd.grad(sum((a * b).sum() for a, b in zip(g, v)), flat),)

    trained = [p.detach().clone().requires_grad_() for p in flat]
    adam = torch.optim.Adam(trained, lr=1e-3)

    def step():
        adam.zero_grad()
        loss(trained).backward()
        adam.step()

    engines |= {"torch hvp": product, "torch step": step}
    return {"torch": gradient}


def elementary_engines(layers, x, labels):
    """HIPS autograd, and jax compiled: the network in elementary operations."""
    flat, engines = [a for layer in layers for a in layer], {}
    try:
        import autograd
        import autograd.numpy as anp
        gradient = autograd.value_and_grad(elementary(anp, x, labels))
        engines["autograd"] = lambda: gradient(flat)
    except ImportError:
        pass
    return engines | jitted(lambda jnp: elementary(jnp, x, labels), flat)


def jitted(loss, flat):
    """{"jax": value and gradient of loss(jax.numpy), compiled}, or nothing where jax is missing."""
    try:
        import jax
    except ImportError:
        return {}
    jax.config.update("jax_enable_x64", True)
    gradient = jax.jit(jax.value_and_grad(loss(jax.numpy)))
    there = jax.tree.map(jax.numpy.asarray, flat)
    return {"jax": lambda: jax.block_until_ready(gradient(there))}


def elementary(anp, x, labels):
    """The loss as a function of the leaves, in a numpy that differentiates."""
    rows = np.arange(len(labels))

    def phi(z):
        return 0.5 * z * (1.0 + anp.tanh(C * (z + A * z * z * z)))

    def loss(p):
        h = phi(anp.dot(x, p[0]) + p[1])
        h = phi(anp.dot(h, p[2]) + p[3])
        z = anp.dot(h, p[4]) + p[5]
        z = z - anp.max(z, axis=1, keepdims=True)
        return anp.mean(anp.log(anp.sum(anp.exp(z), axis=1)) - z[rows, labels])

    return loss
