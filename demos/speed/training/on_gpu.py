"""One step of training at the published sizes, on a GPU, beside torch eager on the same card.

    MINIGRAD_BACKEND=cupy python -m demos.speed.training.on_gpu [ROUNDS]      one JSON line

transformer   4 layers, width 128, 4 heads, context 256, batches of 256 windows, no dropout, AdamW
resnet        ResNet-18 on 32 x 32 images, batches of 1,024, AdamW; an epoch of the published 40,000
              images is 39 steps
mlp           256-256-10 on 128 rows of 784: next to no arithmetic, the time is that of launching

float32 throughout, TF32 off in both. Both engines start at the same weights, must agree on the loss
to 1e-4, and take turns; a time is wall time with the device waited for, the median of the rounds.
Where no GPU is, the same at sizes of a few seconds on the processor: a trial of the file, no result.
"""
import json
import statistics
import sys
import time
from functools import partial

import numpy as np

import minigrad as mg
import optim
from demos.speed.transformer import torch_height
from minigrad.backend import float_of, on_device, to_host, xp
from minigrad.tree import leaves_of, rebuild
from problems import Network
from problems.networks.mlp import MLP
from problems.networks.resnet import BN_EPS, ResNet
from problems.networks.transformer import Transformer

LR, DECAY = 1e-3, 0.01
HEADS = 4


def works(rng):
    """{name: (Network on one batch, its loss in torch)} at the published sizes, or small ones."""
    B, T, layers = (256, 256, 4) if on_device else (4, 16, 1)
    tokens = rng.integers(0, 65, (2, B, T))
    text = Network(Transformer(65, layers=layers, width=128, heads=HEADS, context=T),
                   tuple(tokens), dtype="float32")
    B, widths = (1024, (64, 128, 256, 512)) if on_device else (8, (8, 16))
    images = rng.standard_normal((B, 3, 32, 32)), rng.integers(0, 10, B)
    residual = ResNet(widths)
    rows = rng.standard_normal((128, 784)), rng.integers(0, 10, 128)
    return {"transformer": (text, partial(torch_height, heads=HEADS)),
            "resnet": (Network(residual, images, dtype="float32"), partial(torch_resnet, residual)),
            "mlp": (Network(MLP((784, 256, 256, 10), "tanh"), rows, dtype="float32"), torch_mlp)}


def ours(problem, theta):
    """A step of training, repeated from where the last one ended; returns the loss."""
    objective, adamw = optim.Objective(problem), optim.AdamW(lr=LR, decay=DECAY)
    point = {"theta": theta, "state": adamw.init(theta)}

    def step():
        point["theta"], point["state"], loss = adamw.step(objective, point["theta"], point["state"])
        return loss

    def finish():
        if on_device:
            xp.cuda.Device().synchronize()
    return step, float_of, finish


def theirs(problem, theta, height):
    import torch
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
    place = "cuda" if on_device else "cpu"
    form = problem.params(theta)
    leaves = [torch.tensor(to_host(a), device=place, requires_grad=True) for a in leaves_of(form)]
    data = [torch.tensor(to_host(a), device=place) for a in problem.data]
    adamw = torch.optim.AdamW(leaves, lr=LR, weight_decay=DECAY)

    def step():
        adamw.zero_grad()
        loss = height(rebuild(form, leaves), *data)
        loss.backward()
        adamw.step()
        return loss.detach()

    def finish():
        if on_device:
            torch.cuda.synchronize()
    return step, float, finish


def torch_mlp(p, rows, labels):
    import torch
    F = torch.nn.functional
    layers = p["layers"]
    for k, layer in enumerate(layers):
        rows = rows @ layer["W"] + layer["b"]
        rows = torch.tanh(rows) if k + 1 < len(layers) else rows
    return F.cross_entropy(rows, labels)


def torch_resnet(model, p, images, labels):
    """The model's loss in torch, of the same tree of weights; norms by the batch."""
    import torch
    F = torch.nn.functional

    def conv(h, layer, **size):
        return F.conv2d(h, layer["K"], layer["b"], **size)

    def norm(h, layer):
        return F.batch_norm(h, None, None, layer["gain"], layer["shift"], True, 0.0, BN_EPS)

    h = F.relu(norm(conv(images, p["stem"]["conv"], padding=1), p["stem"]["norm"]))
    for stage, k, _, _, stride in model.plan():
        block = p["stages"][stage][k]
        y = F.relu(norm(conv(h, block["conv1"], stride=stride, padding=1), block["norm1"]))
        y = norm(conv(y, block["conv2"], padding=1), block["norm2"])
        if "shortcut" in block:
            h = norm(conv(h, block["shortcut"]["conv"], stride=stride), block["shortcut"]["norm"])
        h = F.relu(h + y)
    return F.cross_entropy(h.mean((2, 3)) @ p["head"]["W"] + p["head"]["b"], labels)


def timed(step, finish, times):
    finish()
    start = time.perf_counter()
    for _ in range(times):
        step()
    finish()
    return (time.perf_counter() - start) / times


def main(rounds=5):
    found = {"device": card(), "rounds": rounds}
    for name, (problem, height) in works(np.random.default_rng(0)).items():
        theta = problem.start(np.random.default_rng(1))
        engines = {"minigrad": ours(problem, theta), "torch": theirs(problem, theta, height)}
        losses = {who: number(step()) for who, (step, number, _) in engines.items()}
        if abs(losses["minigrad"] - losses["torch"]) > 1e-4 * abs(losses["torch"]):
            raise RuntimeError(f"on_gpu: {name}: the losses differ, {losses}.")
        seconds, times = {who: [] for who in engines}, 50 if name == "mlp" else 5
        for _ in range(rounds + 1):                          # the first to warm up
            for who, (step, _, finish) in engines.items():
                seconds[who].append(timed(step, finish, times))
        ratios = sorted(a / b for a, b in zip(seconds["minigrad"][1:], seconds["torch"][1:]))
        found[name] = {"parameters": int(theta.size), "losses": losses,
                       **{who: statistics.median(s[1:]) for who, s in seconds.items()},
                       "ratio": statistics.median(ratios), "range": [ratios[0], ratios[-1]],
                       "bytes": memory()}
        print(f"on_gpu: {name}: {found[name]}", file=sys.stderr, flush=True)
    print(json.dumps(found))


def card():
    if not on_device:
        return "no GPU: small sizes on the processor"
    return xp.cuda.runtime.getDeviceProperties(0)["name"].decode()


def memory():
    """Bytes that either library has taken from the device at most; the pools are then emptied."""
    if not on_device:
        return {}
    import torch
    pool = xp.get_default_memory_pool()
    taken = {"minigrad": pool.total_bytes(), "torch": torch.cuda.max_memory_reserved()}
    pool.free_all_blocks(), torch.cuda.empty_cache(), torch.cuda.reset_peak_memory_stats()
    return taken


if __name__ == "__main__":
    mg.keep_heap()
    main(*map(int, sys.argv[1:2]))
