"""One update of 0.8 million float32 parameters, gradient given: ours on the flat point, torch's
default optimizers on the same numbers cut into the tensors of a small transformer."""
import numpy as np

import optim
from demos.speed.timing import Case, Compared

SHAPES = [(65, 128), (256, 128)] + 4 * [
    (128,), (128,), (128, 384), (384,), (128, 128), (128,), (128,), (128,), (128, 512), (512,),
    (512, 128), (128,)] + [(128,), (128,), (128, 65), (65,)]


def cases():
    rng = np.random.default_rng(0)
    parts = [rng.standard_normal(shape).astype("float32") for shape in SHAPES]
    slopes = [rng.standard_normal(shape).astype("float32") for shape in SHAPES]
    theta = np.concatenate([p.ravel() for p in parts])
    g = np.concatenate([s.ravel() for s in slopes])
    pairs = [
        ("SGD with momentum", optim.SGD(lr=1e-3, momentum=0.9), 0.6, ("SGD", {"momentum": 0.9})),
        ("AdamW", optim.AdamW(lr=1e-3, decay=0.01), 0.5, ("AdamW", {"weight_decay": 0.01}))]
    found = []
    for name, ours, bound, (theirs, settings) in pairs:
        engines = {"ours": our_steps(ours, theta, g)}
        try:
            engines["torch"] = torch_steps(theirs, settings, parts, slopes)
        except ImportError:
            pass
        claim = f"{name}, 0.8 M parameters / torch"
        found.append(Case(name, engines, [(claim, "ours", "torch", bound)],
                          agree=[["ours", "torch"]], rtol=1e-4))
    return found


def our_steps(method, theta, g):
    """Repeats theta <- theta + update, compared by the norm of theta."""
    state = method.init(theta)

    def step():
        nonlocal theta, state
        delta, state = method.update(g, 1.0, theta, state)
        theta = theta + delta
    return Compared(step, lambda _: [float(np.linalg.norm(theta))])


def torch_steps(name, settings, parts, slopes):
    import torch
    torch.set_num_threads(1)
    leaves = [torch.tensor(p, requires_grad=True) for p in parts]
    for leaf, slope in zip(leaves, slopes):
        leaf.grad = torch.tensor(slope)
    method = getattr(torch.optim, name)(leaves, lr=1e-3, **settings)
    return Compared(method.step, lambda _: [
        sum(float((p.detach()**2).sum()) for p in leaves) ** 0.5])
