"""One update of 0.8 million float32 parameters, gradient given: ours on the flat point, torch's
default optimizers on the same numbers cut into the tensors of a small transformer."""
import numpy as np

import optim
from demos.speed.timing import Case, Compared
from minigrad import Layout

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
    return found + [muon(parts, slopes, theta, g)]


def muon(parts, slopes, theta, g):
    """Muon of all matrices, AdamW of the vectors; torch runs the same formula, as written by its
    author, in float32. (torch.optim.Muon multiplies in bfloat16, which a CPU does slowly.)"""
    layout = Layout({f"{i}.{'W' if p.ndim > 1 else 'b'}": p for i, p in enumerate(parts)})
    rest = optim.AdamW(1e-3, beta1=0.9, beta2=0.999, decay=0.0)
    engines = {"ours": our_steps(optim.Muon(layout, 0.02, fallback=rest), theta, g)}
    try:
        engines["torch"] = torch_muon(parts, slopes)
    except ImportError:
        pass
    return Case("Muon", engines, [("Muon, 0.8 M parameters / the same formula in torch, float32",
                                   "ours", "torch", 0.7)], agree=[["ours", "torch"]], rtol=1e-4)


def torch_muon(parts, slopes):
    import torch
    torch.set_num_threads(1)
    leaves, grads = ([torch.tensor(a) for a in some] for some in (parts, slopes))
    matrices = [i for i, p in enumerate(parts) if p.ndim > 1]
    momenta = {i: torch.zeros_like(leaves[i]) for i in matrices}
    vectors = [leaf.requires_grad_() for i, leaf in enumerate(leaves) if i not in momenta]
    for leaf, grad in zip(vectors, (g for i, g in enumerate(grads) if i not in momenta)):
        leaf.grad = grad
    rest = torch.optim.AdamW(vectors, lr=1e-3, weight_decay=0.0)

    @torch.no_grad()
    def step():
        for i in matrices:
            momenta[i].lerp_(grads[i], 0.05)
            u = grads[i].lerp(momenta[i], 0.95)
            X = u.T if u.shape[0] > u.shape[1] else u
            X = X / (X.norm() + 1e-7)
            for _ in range(5):
                S = X @ X.T
                X = 3.4445 * X + (-4.7750 * S + 2.0315 * S @ S) @ X
            O = X.T if u.shape[0] > u.shape[1] else X
            rows, columns = u.shape                             # (in, out), as `x @ W` has it
            leaves[i].add_(O, alpha=-0.02 * max(1.0, columns / rows) ** 0.5)
        rest.step()
    return Compared(step, lambda _: [
        sum(float((p.detach()**2).sum()) for p in leaves) ** 0.5])


def our_steps(method, theta, g):
    """Repeats θ ← θ + update, compared by the norm of θ."""
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
