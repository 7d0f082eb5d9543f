"""One update of 0.8 million float32 parameters, gradient given: ours on the flat point, torch's
default optimizers on the same numbers cut into the tensors of a small transformer."""
import numpy as np

import optim
from demos.speed.timing import Case

SHAPES = [(65, 128), (256, 128)] + 4 * [
    (128,), (128,), (128, 384), (384,), (128, 128), (128,), (128,), (128,), (128, 512), (512,),
    (512, 128), (128,)] + [(128,), (128,), (128, 65), (65,)]


def cases():
    rng = np.random.default_rng(0)
    parts = [rng.standard_normal(shape).astype("float32") for shape in SHAPES]
    slopes = [rng.standard_normal(shape).astype("float32") for shape in SHAPES]
    theta = np.concatenate([p.ravel() for p in parts])
    g = np.concatenate([s.ravel() for s in slopes])
    pairs = [("SGD with momentum", optim.SGD(lr=1e-3, momentum=0.9), 0.6, ("SGD", {"momentum": 0.9})),
             ("AdamW", optim.AdamW(lr=1e-3, decay=0.01), 0.5, ("AdamW", {"weight_decay": 0.01}))]
    found = []
    for name, ours, bound, (theirs, settings) in pairs:
        engines = {"ours": stepper(ours, theta, g)}
        try:
            engines["torch"] = torch_stepper(theirs, settings, parts, slopes)
        except ImportError:
            pass
        found.append(Case(name, engines, [(f"{name}, 0.8 M parameters / torch", "ours", "torch", bound)],
                          agree=[["ours", "torch"]], rtol=1e-4))
    return found


class stepper:
    """Repeats theta <- theta + update; looks at the norm of theta when asked."""

    def __init__(self, method, theta, g):
        self.method, self.g = method, g
        self.theta, self.state = theta.copy(), method.init(theta)

    def __call__(self):
        delta, self.state = self.method.update(self.g, 1.0, self.theta, self.state)
        self.theta = self.theta + delta
        return self

    def __iter__(self):
        return iter([float(np.linalg.norm(self.theta))])


def torch_stepper(name, settings, parts, slopes):
    import torch
    torch.set_num_threads(1)
    leaves = [torch.tensor(p, requires_grad=True) for p in parts]
    for leaf, slope in zip(leaves, slopes):
        leaf.grad = torch.tensor(slope)
    method = getattr(torch.optim, name)(leaves, lr=1e-3, **settings)

    def step():
        method.step()
        return Norm(leaves)
    return step


class Norm:
    """Norm over torch leaves, worked out when looked at."""

    def __init__(self, leaves):
        self.leaves = leaves

    def __iter__(self):
        return iter([sum(float((p.detach()**2).sum()) for p in self.leaves) ** 0.5])
