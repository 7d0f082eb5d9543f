"""Gradient of an LSTM language model: hidden 128, 64 steps, batch 32, 65 symbols, float32.

The floor is the time of its matrix products alone, in the same order and with the same shapes: all
input products at once, one recurrent product a step each way, the weight gradients at the end.
torch's LSTM layer is one compiled operation, forward and backward.
"""
import numpy as np

import minigrad as mg
from demos.speed.mlp import compared
from demos.speed.timing import Case
from minigrad.tree import leaves_of
from problems import Network
from problems.networks.lstm import LSTM

V, B, T, H = 65, 32, 64, 128


def cases():
    rng = np.random.default_rng(0)
    batch = tuple(rng.integers(0, V, (B, T)) for _ in range(2))
    problem = Network(LSTM(V, width=H, hidden=H), batch, dtype="float32")
    params = problem.params(problem.start(rng))
    gradient = mg.value_and_grad(problem.tree_loss)

    def ours():
        loss, g = gradient(params)
        return loss, leaves_of(g)

    engines = {"gradient": ours, "products": products(rng)} | torch_engine(params, *batch)
    return [Case("LSTM", {label: compared(work) for label, work in engines.items()},
                 [("LSTM gradient / its matrix products alone", "gradient", "products",
                   {256: 1.2, 512: 1.5}),
                  ("LSTM gradient / torch's layer", "gradient", "torch", 1.1)],
                 agree=[["gradient", "torch"]], rtol=1e-4)]


def products(rng):
    def draw(*shape):
        return rng.standard_normal(shape).astype("float32")
    x, W, U, z = draw(T * B, H), draw(H, 4 * H), draw(H, 4 * H), draw(T * B, 4 * H)
    head, g, one, step = draw(H, V), draw(T * B, V), draw(V, T * B), z[:B].copy()
    h = x[:B].copy()

    def run():
        x @ W, x @ head
        for _ in range(T):
            h @ U
        g @ head.T, x.T @ g
        for _ in range(T):
            step @ U.T
        z @ W.T, x.T @ z, x.T @ z, one @ x              # dx, dW, dU, and the embedding's gradient
    return run


def torch_engine(params, tokens, following):
    """torch.nn.LSTM with the same weights; the gradient is put back into our order of gates."""
    try:
        import torch
    except ImportError:
        return {}
    torch.set_num_threads(1)
    gates = np.concatenate([np.arange(k * H, (k + 1) * H) for k in (0, 1, 3, 2)])
    layer = params["layers"][0]
    cell = torch.nn.LSTM(H, H)
    with torch.no_grad():
        cell.weight_ih_l0.copy_(torch.tensor(layer["W"][:, gates].T))
        cell.weight_hh_l0.copy_(torch.tensor(layer["U"][:, gates].T))
        cell.bias_ih_l0.copy_(torch.tensor(layer["b"][gates]))
        cell.bias_hh_l0.zero_()
    E, W, b = (torch.tensor(a, requires_grad=True)
               for a in (params["E"], params["head"]["W"], params["head"]["b"]))
    weights = [E, cell.weight_ih_l0, cell.weight_hh_l0, cell.bias_ih_l0, W, b]
    x, labels = torch.tensor(tokens.T.copy()), torch.tensor(following.T.copy()).reshape(-1)

    def gradient():
        h, _ = cell(E[x])
        loss = torch.nn.functional.cross_entropy(h.reshape(-1, H) @ W + b, labels)
        return loss.detach(), torch.autograd.grad(loss, weights)
    return {"torch": gradient}
