"""Gradient of a small convolutional network: 28 x 28 images, 16 and 32 filters, batch 64, float32.

Both engines do conv, max-pool, relu twice and a linear layer, with kernels of 3 x 3 and of 5 x 5.
The larger ones copy 25 numbers for each pixel and channel, which torch's direct convolution does
not.
"""
import numpy as np

import minigrad as mg
from demos.speed.mlp import compared
from demos.speed.timing import Case
from minigrad.tree import leaves_of, rebuild
from problems import Network
from problems.networks.cnn import CNN

B = 64


def cases():
    return [case(kernel) for kernel in (3, 5)]


def case(kernel):
    rng = np.random.default_rng(0)
    batch = rng.standard_normal((B, 1, 28, 28)), rng.integers(0, 10, B)
    model = CNN(image=(1, 28, 28), filters=(16, 32), kernel=kernel)
    problem = Network(model, batch, dtype="float32")
    params = problem.params(problem.start(rng))
    gradient = mg.value_and_grad(problem.tree_loss)

    def ours():
        loss, g = gradient(params)
        return loss, leaves_of(g)

    engines = {"gradient": ours} | torch_engine(params, *problem.data, kernel // 2)
    name = f"CNN {kernel} x {kernel}"
    return Case(name, {label: compared(work) for label, work in engines.items()},
                [(f"{name} gradient / torch eager", "gradient", "torch", 1.1)],
                agree=[["gradient", "torch"]], rtol=1e-4)


def torch_engine(params, images, labels, padding):
    try:
        import torch
    except ImportError:
        return {}
    torch.set_num_threads(1)
    F = torch.nn.functional
    leaves = [torch.tensor(a, requires_grad=True) for a in leaves_of(params)]
    p = rebuild(params, leaves)
    x, labels = torch.tensor(images), torch.tensor(labels)

    def gradient():
        h = F.relu(F.max_pool2d(F.conv2d(x, p["conv1"]["K"], p["conv1"]["b"], padding=padding), 2))
        h = F.relu(F.max_pool2d(F.conv2d(h, p["conv2"]["K"], p["conv2"]["b"], padding=padding), 2))
        features = h.permute(0, 2, 3, 1).reshape(B, -1)
        loss = F.cross_entropy(features @ p["head"]["W"] + p["head"]["b"], labels)
        return loss.detach(), torch.autograd.grad(loss, leaves)
    return {"torch": gradient}
