"""nanoGPT's processor line: a character transformer trained on Shakespeare, beside torch eager.

    python -m demos.speed.training.nanogpt [ITERATIONS]       one JSON line; `demos speed --nanogpt` runs it

4 layers, 4 heads, width 128, context 64, batch 12, 2,000 iterations, no dropout; AdamW with
β₂ = 0.99 and decay 0.1, 100 steps of warm-up to 1e-3 and a cosine down to 1e-4, gradients clipped
at norm 1. Both engines start at the same weights, read the same batches, and take turns of 50
iterations in one process; what is counted is processor time of one thread. The loss is that of all
validation windows, not of 20 batches.

Differs from nanoGPT: biases, a head of its own instead of the tied embedding, initial values of
variance 1/fan-in, decay of vectors too. Both engines do the same.
Source: A. Karpathy, nanoGPT, README, "I only have a macbook": loss 1.88 after 2,000 iterations.
"""
import json
import sys
import time

import numpy as np

import minigrad as mg
import optim
from demos.speed.timing import pin
from demos.speed.transformer import torch_height
from minigrad.tree import leaves_of, rebuild
from optim import schedules
from problems import Network, data
from problems.networks.transformer import Transformer

B, T, HEADS, TURN = 12, 64, 4, 50
LR, END, WARMUP, BETA2, DECAY, CLIP = 1e-3, 1e-4, 100, 0.99, 0.1, 1.0


def batches(tokens, rng):
    """Random windows, as (tokens (B, T), next tokens (B, T)), without end."""
    while True:
        at = rng.integers(0, len(tokens) - T, B)[:, None] + np.arange(T + 1)
        windows = tokens[at]
        yield windows[:, :-1], windows[:, 1:]


def ours(problem, theta, rate, stream):
    """One iteration after another: yields after each, with theta."""
    method = optim.AdamW(LR, beta2=BETA2, decay=DECAY).scheduled(rate)
    state = method.init(theta)
    for batch in stream:
        theta, state, _ = method.step(optim.Objective(problem, batch, clip=CLIP), theta, state)
        yield theta


def theirs(problem, theta, rate, stream):
    """The same in torch."""
    import torch
    torch.set_num_threads(1)
    form = problem.params(theta)
    leaves = [torch.tensor(a, requires_grad=True) for a in leaves_of(form)]
    method = torch.optim.AdamW(leaves, lr=LR, betas=(0.9, BETA2), weight_decay=DECAY)
    for step, (tokens, following) in enumerate(stream):
        method.param_groups[0]["lr"] = rate(step)
        method.zero_grad()
        torch_height(rebuild(form, leaves), torch.tensor(tokens), torch.tensor(following),
                     HEADS).backward()
        torch.nn.utils.clip_grad_norm_(leaves, CLIP)
        method.step()
        yield problem.layout.ravel(rebuild(form, [a.detach().numpy() for a in leaves]))


def validation(problem, theta, tokens):
    """Loss over all whole windows of the validation part."""
    n = (len(tokens) - 1) // T
    x, y = tokens[:n * T].reshape(n, T), tokens[1:n * T + 1].reshape(n, T)
    losses = [float(problem.loss(theta, (x[i:i + 100], y[i:i + 100]))) * len(x[i:i + 100])
              for i in range(0, n, 100)]
    return sum(losses) / n


def main(iterations=2000, root=None):
    pin()
    mg.keep_heap()
    text = data.load("tinyshakespeare", root=root, split="paper", context=T).facts["tokens"]
    model = Transformer(int(text["train"].max()) + 1, layers=4, width=128, heads=HEADS, context=T)
    problem = Network(model, dtype="float32")
    theta = problem.start(np.random.default_rng(1337))
    rate = schedules.warmup_cosine(LR, WARMUP, max(iterations, WARMUP + 1), end=END)
    engines = {"minigrad": ours, "torch": theirs}
    runs = {name: engine(problem, theta, rate, batches(text["train"], np.random.default_rng(0)))
            for name, engine in engines.items()}
    seconds, wall, last = dict.fromkeys(runs, 0.0), dict.fromkeys(runs, 0.0), {}
    for _ in range(0, iterations, TURN):
        for name, run in runs.items():
            start, clock = time.process_time(), time.perf_counter()
            for _ in range(TURN):
                last[name] = next(run)
            seconds[name] += time.process_time() - start
            wall[name] += time.perf_counter() - clock
    losses = {name: validation(problem, theta, text["valid"]) for name, theta in last.items()}
    print(json.dumps({"iterations": iterations, "parameters": theta.size, "loss": losses,
                      "seconds": seconds, "wall": wall}))


if __name__ == "__main__":
    main(*map(int, sys.argv[1:2]), *sys.argv[2:3])
