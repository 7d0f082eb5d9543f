"""GNN, U-Net, DLRM, rotary decoder: derivatives, facts of each formula, errors, and torch."""
import numpy as np
import pytest

import minigrad as mg
from minigrad.backend import to_host, xp
from minigrad.tree import leaves_of, rebuild
from problems.data import miniatures
from problems.landscape.conditions import example_losses
from problems.networks.dlrm import DLRM
from problems.networks.gnn import GNN, mixing, packed
from problems.networks.rotary import Rotary
from problems.networks.unet import UNet
from problems.problem import Network
from tests.problems.model_checks import (check_against_torch, check_float32, check_landscape,
                                         integers)


def gnn():
    x, edges, y = miniatures.graphs(np.random.default_rng(0), n=5, nodes=6)
    return GNN(4, hidden=5, layers=2), (packed(xp.asarray(x), xp.asarray(edges)), xp.asarray(y))


def unet():
    rng = np.random.default_rng(0)          # no ties in the pools, no relu at exactly 0 (biases)
    x, y = (xp.asarray(rng.normal(size=(2, 1, 8, 8))) for _ in "xy")
    return UNet(width=2, init="uniform"), (x, y)


def dlrm():
    x, y = miniatures.clicks(np.random.default_rng(0), n=6, numbers=3, categories=(4, 3, 5))
    return DLRM(3, (4, 3, 5), width=4, bottom=(5,), top=(6,)), (xp.asarray(x), xp.asarray(y))


def rotary():
    rng = np.random.default_rng(0)
    return Rotary(7, layers=2, width=16, heads=2, context=6, share=0.5), (
        integers(rng, 7, 3, 5), integers(rng, 7, 3, 5))


MODELS = {"gnn": gnn, "unet": unet, "dlrm": dlrm, "rotary": rotary}


@pytest.mark.parametrize("name", MODELS)
def test_derivatives_and_dtype(name):
    check_landscape(*MODELS[name](), seed=2)         # no relu turns within the differences
    check_float32(*MODELS[name]())


@pytest.mark.parametrize("name", MODELS)
def test_losses_of_the_examples_average_to_the_loss(name):
    model, batch = MODELS[name]()
    problem = Network(model, batch)
    theta = problem.start(np.random.default_rng(3))
    each = to_host(example_losses(problem)(theta))
    assert each.shape == (len(batch[-1]),)
    assert each.mean() == pytest.approx(float(problem.loss(theta)), rel=1e-12)
    for i in range(len(each)):
        one = tuple(a[i:i + 1] for a in problem.data)
        assert float(problem.loss(theta, one)) == pytest.approx(each[i], rel=1e-12)


def test_graphs_do_not_know_the_order_of_their_nodes():
    model, (x, _) = gnn()
    params = model.init(np.random.default_rng(1))
    order = np.array([3, 0, 5, 1, 4, 2])
    columns = xp.asarray([0, 1, 2, 3, *(4 + order)])
    moved = model.apply(params, x[:, xp.asarray(order)][..., columns])
    np.testing.assert_allclose(to_host(moved), to_host(model.apply(params, x)), atol=1e-13)
    np.testing.assert_allclose(to_host(mixing(xp.asarray([[0.0, 1.0], [1.0, 0.0]]))), 0.5)
    np.testing.assert_allclose(to_host(mixing(xp.zeros((3, 3)))), np.eye(3))


def test_rotary_sees_distances_only():
    """q_t·k_s of turned vectors depends on t - s; turning keeps lengths."""
    model, _ = rotary()
    rng = np.random.default_rng(2)
    q, k = (np.tile(rng.normal(size=8), (1, 1, 6, 1)) for _ in range(2))
    turned_q, turned_k = (to_host(model.turn(xp.asarray(a)))[0, 0] for a in (q, k))
    scores = turned_q @ turned_k.T
    for distance in range(-5, 6):
        diagonal = np.diagonal(scores, distance)
        np.testing.assert_allclose(diagonal, diagonal[0], rtol=1e-12)
    assert np.ptp(scores) > 0.1
    np.testing.assert_allclose(np.linalg.norm(turned_q, axis=1), np.linalg.norm(q[0, 0, 0]))


def test_rotary_does_not_look_ahead():
    model, (x, _) = rotary()
    params = model.init(np.random.default_rng(1))
    other = x.copy()
    other[:, 3:] = (other[:, 3:] + 1) % 7
    a, b = (to_host(model.apply(params, tokens)) for tokens in (x, other))
    np.testing.assert_allclose(a[:, :3], b[:, :3], atol=1e-13)
    assert abs(a[:, 3:] - b[:, 3:]).max() > 1e-3
    assert len(model.sample(params, [1, 2], 4, np.random.default_rng(0))) == 4


def test_meetings_of_categories_by_hand():
    """With a top of one linear layer that adds, the logit is the sum of the meetings."""
    model = DLRM(2, (3, 4), width=2, bottom=(), top=())
    params = model.init(np.random.default_rng(0))
    params["top"] = [{"W": xp.asarray([[0.0], [0.0], [1.0], [1.0], [1.0]]), "b": xp.zeros(1)}]
    x = xp.asarray([[0.5, -1.0, 2.0, 1.0]])
    z = np.maximum(to_host(x[:, :2] @ params["bottom"][0]["W"] + params["bottom"][0]["b"])[0], 0.0)
    rows = to_host(params["tables"])[[2, 3 + 1]]
    by_hand = z @ rows[0] + z @ rows[1] + rows[0] @ rows[1]
    assert float(model.apply(params, x)[0]) == pytest.approx(by_hand, rel=1e-13)


def test_generated_sets():
    x, edges, y = miniatures.graphs(np.random.default_rng(0))
    assert (edges == edges.swapaxes(1, 2)).all() and not edges[:, range(12), range(12)].any()
    found = np.einsum("gij,gjk,gki->g", edges, edges, edges) / 6
    assert found[y == 1].mean() > found[y == 0].mean() + 1
    seen, images = miniatures.phantoms(np.random.default_rng(0), n=20)
    assert seen.shape == images.shape == (20, 1, 16, 16) and seen.min() >= 0
    assert 0.05 < np.sqrt(np.mean((seen - images)**2)) < np.sqrt(np.mean(images**2))
    x, clicks = miniatures.clicks(np.random.default_rng(0))
    assert x[:, 8:].max(axis=0).tolist() == [19] * 3 and 0.2 < clicks.mean() < 0.8


@pytest.mark.parametrize("make, message", [
    (lambda: GNN(3, layers=0), "GNN: needs at least one layer, got 0"),
    (lambda: UNet(levels=0), "UNet: needs at least one level, got 0"),
    (lambda: DLRM(categories=()), r"DLRM: categories must be positive table sizes, got \(\)"),
    (lambda: Rotary(5, width=6, heads=4), "Rotary: width 6 cannot be cut into 4 heads"),
    (lambda: Rotary(5, width=8, heads=4), "share 0.25 of 2 channels leaves none to turn"),
    (lambda: rotary()[0].apply(rotary()[0].init(np.random.default_rng(0)), xp.zeros((1, 7), int)),
     "Rotary: 7 tokens are more than its context of 6"),
    (lambda: UNet().apply(UNet().init(np.random.default_rng(0)), xp.zeros((1, 1, 6, 8))),
     r"UNet: images of \(6, 8\) cannot be halved 2 times")])
def test_errors(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def torch_loss(torch, name, model, p, data):
    """The same loss written with torch's own operations."""
    F = torch.nn.functional
    if name == "gnn":
        x, y = data
        h, A = x[..., :4], x[..., 4:]
        for layer in p["layers"]:
            h = F.relu(torch.bmm(A, h) @ layer["W"] + layer["b"])
        return F.cross_entropy(h.mean(1) @ p["head"]["W"] + p["head"]["b"], y)
    if name == "unet":
        def pair(h, two):
            for k in "ab":
                h = F.relu(F.conv2d(h, two[k]["K"], two[k]["b"], padding=1))
            return h
        x, y = data
        hs = [pair(x, p["down"][0])]
        for two in p["down"][1:]:
            hs.append(pair(F.max_pool2d(hs[-1], 2), two))
        h = hs.pop()
        for two in p["up"]:
            h = pair(torch.cat([F.interpolate(h, scale_factor=2), hs.pop()], 1), two)
        return F.mse_loss(F.conv2d(h, p["head"]["K"], p["head"]["b"]), y)
    if name == "dlrm":
        x, y = data
        z, chosen = x[:, :3], x[:, 3:].long()
        for layer in p["bottom"]:
            z = F.relu(z @ layer["W"] + layer["b"])
        rows = F.embedding(chosen + torch.tensor(model.offsets), p["tables"])
        vectors = torch.cat([z[:, None], rows], 1)
        i, j = torch.triu_indices(vectors.shape[1], vectors.shape[1], 1)
        h = torch.cat([z, torch.bmm(vectors, vectors.transpose(1, 2))[:, i, j]], 1)
        for k, layer in enumerate(p["top"]):
            h = h @ layer["W"] + layer["b"]
            h = F.relu(h) if k < len(p["top"]) - 1 else h
        return F.binary_cross_entropy_with_logits(h[:, 0], y.to(h.dtype))
    x, y = data
    B, T = x.shape
    H, D, half = model.heads, model.width // model.heads, model.turned // 2
    spin = torch.polar(torch.ones(T, half, dtype=p["E"].dtype),
                       torch.tensor(np.arctan2(model.sin, model.cos)[:T], dtype=p["E"].dtype))

    def turn(q):
        z = torch.complex(q[..., :half], q[..., half:2 * half]) * spin
        return torch.cat([z.real, z.imag, q[..., 2 * half:]], -1)

    def norm(h, layer):
        return F.layer_norm(h, (model.width,), layer["gain"], layer["shift"], 1e-5)

    h = F.embedding(x, p["E"])
    for b in p["blocks"]:
        qkv = norm(h, b["norm1"]) @ b["qkv"]["W"] + b["qkv"]["b"]
        q, k, v = (a.view(B, T, H, D).transpose(1, 2) for a in qkv.chunk(3, -1))
        seen = F.scaled_dot_product_attention(turn(q), turn(k), v, is_causal=True)
        seen = seen.transpose(1, 2).reshape(B, T, -1) @ b["out"]["W"] + b["out"]["b"]
        up = F.gelu(norm(h, b["norm2"]) @ b["up"]["W"] + b["up"]["b"], approximate="tanh")
        h = h + seen + up @ b["down"]["W"] + b["down"]["b"]
    logits = norm(h, p["norm"]) @ p["head"]["W"] + p["head"]["b"]
    return F.cross_entropy(logits.flatten(0, 1), y.flatten())


@pytest.mark.peers
@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_torch_agrees(name, dtype):
    torch = pytest.importorskip("torch")
    model, batch = MODELS[name]()
    problem = Network(model, batch, dtype=dtype)
    params = problem.params(problem.start(np.random.default_rng(2)))
    leaves = [torch.tensor(to_host(a), requires_grad=True) for a in leaves_of(params)]
    loss = torch_loss(torch, name, model, rebuild(params, leaves),
                      [torch.tensor(to_host(a)) for a in problem.data])
    loss.backward()
    ours = mg.value_and_grad(problem.tree_loss)(params)
    check_against_torch((ours[0], leaves_of(ours[1])),
                        (loss, [leaf.grad.numpy() for leaf in leaves]), dtype)
