"""Formula above, speed below: what stands below the banners of ops/ changes nothing but the time."""
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import minigrad as mg
from minigrad.backend import on_device, to_host
from minigrad.tensor import primitives
from tests.minigrad.samples import SAMPLES, draw, label

ROOT = Path(mg.__file__).parent.parent
OPS = sorted({*(ROOT / "minigrad" / "ops").glob("*.py")} - {ROOT / "minigrad/ops/passes.py"})
BANNER = re.compile(r"^# -{20,} the same, ", re.M)

# Four networks whose gradients and products go through every fused operation.
SCRIPT = """
import sys
import numpy as np
import minigrad as mg
from minigrad.backend import plain
from problems import Network
from problems.networks import cnn, lstm, mlp, resnet, transformer
rng = np.random.default_rng(0)
tokens = mg.xp.asarray(rng.integers(0, 7, (3, 6)))
images = mg.xp.asarray(rng.standard_normal((4, 3, 8, 8)))
labels = mg.xp.asarray(rng.integers(0, 5, 4))
found = [float(plain)]
for model, batch in ((mlp.MLP((3, 6, 5), norm=True), (images[:, :, 0, 0], labels)),
                     (cnn.CNN((3, 8, 8), 5, (2, 3), 3), (images, labels)),
                     (lstm.LSTM(7, 4, 5, 2, 6), (tokens, tokens)),
                     (transformer.Transformer(7, 2, 8, 2, context=6), (tokens, tokens))):
    net = Network(model, batch)
    theta = net.start(np.random.default_rng(1))
    value, g = mg.value_and_grad(net.loss)(theta)
    v = mg.xp.asarray(np.random.default_rng(2).standard_normal(theta.shape))
    Hv = mg.hvp(net.loss, theta)(v)
    found += [float(value), *map(float, g[::7]), *map(float, Hv[::7])]
np.save(sys.argv[1], found)
"""


def measured(tmp_path, name, **environment):
    """The numbers of SCRIPT, run in a process of its own."""
    out = tmp_path / f"{name}.npy"
    run = subprocess.run([sys.executable, "-c", SCRIPT, str(out)], capture_output=True, text=True,
                         cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT), **environment})
    assert run.returncode == 0, run.stderr[-2000:]
    return np.load(out)


@pytest.mark.parametrize("sample", [s for s in SAMPLES if primitives[s[0]].forward is not primitives[s[0]].formula], ids=label)
def test_an_operation_is_its_formula(sample):
    operation, inputs, settings, _ = draw(sample)
    np.testing.assert_allclose(to_host(operation(*inputs, **settings)),
                               to_host(operation.formula(*inputs, **settings)),
                               rtol=1e-12, atol=1e-14)          # other orders of summation


@pytest.mark.skipif(on_device, reason="the suite already runs on a device")
def test_formulas_alone_give_the_same(tmp_path):
    fast, plain = measured(tmp_path, "fast"), measured(tmp_path, "plain", MINIGRAD_PLAIN="1")
    assert (fast[0], plain[0]) == (0.0, 1.0) and len(fast) > 200
    np.testing.assert_allclose(plain[1:], fast[1:], rtol=1e-9, atol=1e-11)


@pytest.mark.skipif(on_device, reason="the suite already runs on a device")
def test_what_stands_below_the_banners_can_be_deleted(tmp_path):
    for room in ("minigrad", "optim", "problems"):
        shutil.copytree(ROOT / room, tmp_path / room, ignore=shutil.ignore_patterns("__pycache__"))
    cut = 0
    for path in sorted((tmp_path / "minigrad" / "ops").glob("*.py")):
        text = path.read_text(encoding="utf-8")
        found = BANNER.search(text)
        if found:
            path.write_text(text[:found.start()], encoding="utf-8")
            cut += 1
    assert cut >= 8
    out = tmp_path / "cut.npy"
    run = subprocess.run([sys.executable, "-c", SCRIPT, str(out)], capture_output=True, text=True,
                         cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(tmp_path)})
    assert run.returncode == 0, run.stderr[-2000:]
    np.testing.assert_allclose(np.load(out)[1:], measured(tmp_path, "whole")[1:],
                               rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("path", OPS, ids=lambda p: p.stem)
def test_speed_stands_below_and_nowhere_else(path):
    """Above the banner no rule for arrays; below it no operation and no rule of derivation."""
    text = path.read_text(encoding="utf-8")
    found = BANNER.search(text)
    above, below = (text[:found.start()], text[found.start():]) if found else (text, "")
    assert ".vjp_arrays" not in above and ".arrays\n" not in above
    assert "@primitive" not in below and ".vjp\n" not in below and ".vjp(" not in below
