"""Gradient, AdamW step and Hessian-vector product of a small transformer, float32.

4 layers, width 128, 4 heads, context 64, 65 symbols, batch 32; dropout off. The hand-written
NumPy is in `transformer_by_hand`; torch uses its fused attention where it can (its second
derivative cannot).
"""
import math

import numpy as np

import minigrad as mg
import optim
from demos.speed.mlp import HandAdam, compared, jitted
from demos.speed.timing import Case
from demos.speed.transformer_by_hand import loss_and_gradient
from minigrad.tree import leaves_of, rebuild
from problems import Network
from problems.networks.transformer import Transformer

V, B, T, C, HEADS, LAYERS = 65, 32, 64, 128, 4, 4
LR, DECAY = 1e-3, 0.01
C_GELU, A_GELU = math.sqrt(2.0 / math.pi), 0.044715


def network():
    """(problem, theta, rng): the model on one random batch, at its start."""
    rng = np.random.default_rng(0)
    batch = tuple(rng.integers(0, V, (B, T)) for _ in range(2))
    model = Transformer(V, layers=LAYERS, width=C, heads=HEADS, context=T)
    problem = Network(model, batch, dtype="float32")
    return problem, problem.start(rng), rng


def alone(engine):
    """(gradient, training step) of one engine, for `demos.speed.memory`."""
    problem, theta, _ = network()
    params = problem.params(theta)
    if engine == "torch":
        engines = torch_engines(params, params, *problem.data)
        return engines["torch"], engines["torch step"]
    return lambda: mg.value_and_grad(problem.tree_loss)(params), training_step(problem, theta)


def training_step(problem, theta):
    """Gradient and AdamW step of ours, repeated from where the last one ended."""
    objective, adamw = optim.Objective(problem), optim.AdamW(lr=LR, decay=DECAY)
    point = {"theta": theta.copy(), "state": adamw.init(theta)}

    def step():
        point["theta"], point["state"], _ = adamw.step(objective, point["theta"], point["state"])
    return step


def cases():
    problem, theta, rng = network()
    batch, params = problem.data, problem.params(theta)
    v = problem.params(rng.standard_normal(theta.shape).astype("float32"))
    f = problem.tree_loss
    gradient, again = mg.value_and_grad(f), mg.hvp(f, params)

    def flat(result):
        return result[0], leaves_of(result[1])

    by_hand, moments = theta.copy(), HandAdam(theta.size)
    hand_params = problem.params(by_hand)

    def hand_step():
        _, g = loss_and_gradient(hand_params, *batch, HEADS)
        by_hand.__imul__(1.0 - LR * DECAY)
        moments.step(by_hand, np.concatenate([a.ravel() for a in leaves_of(g)]), lr=LR)

    engines = {"gradient": lambda: flat(gradient(params)),
               "hand": lambda: flat(loss_and_gradient(params, *batch, HEADS)),
               "products": products(rng),
               "step": training_step(problem, theta), "hand step": hand_step,
               "hvp": lambda: (leaves_of(mg.hvp(f, params)(v)),),
               "again": lambda: (leaves_of(again(v)),)}
    engines |= torch_engines(params, v, *batch) | elementary_engines(params, *batch)
    bounds = [("gradient / hand-written NumPy", "gradient", "hand", 1.10),
              ("gradient / its matrix products alone", "gradient", "products",
               {256: 1.25, 512: 1.5}),
              ("gradient and AdamW step / hand-written", "step", "hand step", 1.10),
              ("gradient / torch eager", "gradient", "torch", 0.95),
              ("gradient and AdamW step / torch", "step", "torch step", 0.95),
              ("gradient / autograd", "gradient", "autograd", 0.5),
              ("gradient / jax, compiled", "gradient", "jax", 1.0),
              ("Hessian-vector product / gradient", "hvp", "gradient", 3.5),
              ("the same again at one point / gradient", "again", "gradient", 2.2),
              ("Hessian-vector product / torch", "hvp", "torch hvp", 0.9)]
    return [Case("transformer", {label: compared(work) for label, work in engines.items()},
                 [("transformer " + c, *rest) for c, *rest in bounds],
                 agree=[["gradient", "hand", "torch", "autograd", "jax"],
                        ["hvp", "again", "torch hvp"]], rtol=1e-4)]


def products(rng):
    """The matrix products of the gradient alone, on arrays of the same shapes: the floor."""
    def draw(*shape):
        return rng.standard_normal(shape).astype("float32")
    N, D = B * T, C // HEADS
    shapes = LAYERS * [(C, 3 * C), (C, C), (C, 4 * C), (4 * C, C)] + [(C, V)]
    layers = [(draw(N, m), draw(m, n), draw(N, n)) for m, n in shapes]
    q, a = draw(B, HEADS, T, D), draw(B, HEADS, T, T)

    def run():
        for x, W, g in layers:
            x @ W, g @ W.T, x.T @ g
        for _ in range(2 * LAYERS):                     # scores, output; and twice that backwards
            q @ q.swapaxes(-1, -2), a @ q, a.swapaxes(-1, -2) @ q
    return run


def torch_engines(params, v, tokens, following):
    """torch eager on copies of the same arrays."""
    try:
        import torch
        from torch.nn.attention import SDPBackend, sdpa_kernel
    except ImportError:
        return {}
    torch.set_num_threads(1)

    def leaves():
        return [torch.tensor(a, requires_grad=True) for a in leaves_of(params)]
    tokens, following = torch.tensor(tokens), torch.tensor(following)
    parameters, direction = leaves(), [torch.tensor(a) for a in leaves_of(v)]

    def loss(flat):
        return torch_height(rebuild(params, flat), tokens, following)

    def gradient():
        y = loss(parameters)
        return y.detach(), torch.autograd.grad(y, parameters)

    def product():
        with sdpa_kernel(SDPBackend.MATH):
            g = torch.autograd.grad(loss(parameters), parameters, create_graph=True)
            slope = sum((a * b).sum() for a, b in zip(g, direction))
            return (torch.autograd.grad(slope, parameters),)

    trained = leaves()
    adamw = torch.optim.AdamW(trained, lr=LR, weight_decay=DECAY)

    def step():
        adamw.zero_grad()
        loss(trained).backward()
        adamw.step()
    return {"torch": gradient, "torch step": step, "torch hvp": product}


def torch_height(p, tokens, following, heads=HEADS):
    """The model's loss in torch, of the same tree of weights."""
    import torch
    F = torch.nn.functional
    (B, T), C = tokens.shape, p["E"].shape[1]

    def linear(h, p):
        return F.linear(h, p["W"].T, p["b"])

    def norm(h, p):
        return F.layer_norm(h, (C,), p["gain"], p["shift"], 1e-6)

    h = p["E"][tokens] + p["P"]
    for block in p["blocks"]:
        qkv = linear(norm(h, block["norm1"]), block["qkv"])
        q, k, value = (a.reshape(B, T, heads, -1).transpose(1, 2) for a in qkv.split(C, dim=-1))
        seen = F.scaled_dot_product_attention(q, k, value, is_causal=True)
        h = h + linear(seen.transpose(1, 2).reshape(B, T, C), block["out"])
        up = F.gelu(linear(norm(h, block["norm2"]), block["up"]), approximate="tanh")
        h = h + linear(up, block["down"])
    logits = linear(norm(h, p["norm"]), p["head"])
    return F.cross_entropy(logits.reshape(B * T, -1), following.reshape(-1))


def elementary_engines(params, tokens, following):
    """HIPS autograd, and jax compiled: the same network in elementary operations."""
    flat, engines = leaves_of(params), {}
    try:
        import autograd
        import autograd.numpy as anp
        gradient = autograd.value_and_grad(elementary(anp, params, tokens, following))
        engines["autograd"] = lambda: gradient(flat)
    except ImportError:
        pass
    return engines | jitted(lambda jnp: elementary(jnp, params, tokens, following), flat)


def elementary(anp, params, tokens, following):
    """The loss as a function of the leaves, in a numpy that differentiates."""
    N, D, rows = B * T, C // HEADS, np.arange(B * T)
    future = np.triu(np.full((T, T), -np.inf, "float32"), 1)

    def norm(h, p):
        h = h - anp.mean(h, axis=-1, keepdims=True)
        h = h / anp.sqrt(anp.mean(h * h, axis=-1, keepdims=True) + 1e-6)
        return h * p["gain"] + p["shift"]

    def softmax(z):
        z = anp.exp(z - anp.max(z, axis=-1, keepdims=True))
        return z / anp.sum(z, axis=-1, keepdims=True)

    def loss(flat):
        p = rebuild(params, flat)
        h = anp.reshape(p["E"][tokens] + p["P"], (N, C))
        for block in p["blocks"]:
            qkv = anp.dot(norm(h, block["norm1"]), block["qkv"]["W"]) + block["qkv"]["b"]
            q, k, v = (anp.transpose(anp.reshape(a, (B, T, HEADS, D)), (0, 2, 1, 3))
                       for a in (qkv[:, :C], qkv[:, C:2 * C], qkv[:, 2 * C:]))
            a = softmax(anp.matmul(q, anp.swapaxes(k, -1, -2)) * (1 / math.sqrt(D)) + future)
            seen = anp.reshape(anp.transpose(anp.matmul(a, v), (0, 2, 1, 3)), (N, C))
            h = h + anp.dot(seen, block["out"]["W"]) + block["out"]["b"]
            z = anp.dot(norm(h, block["norm2"]), block["up"]["W"]) + block["up"]["b"]
            z = 0.5 * z * (1.0 + anp.tanh(C_GELU * (z + A_GELU * z * z * z)))
            h = h + anp.dot(z, block["down"]["W"]) + block["down"]["b"]
        z = anp.dot(norm(h, p["norm"]), p["head"]["W"]) + p["head"]["b"]
        z = z - anp.max(z, axis=-1, keepdims=True)
        chosen = z[rows, following.reshape(-1)]
        return anp.mean(anp.log(anp.sum(anp.exp(z), axis=-1)) - chosen)

    return loss
