"""The same run again: equal bit for bit with as many BLAS threads, to some digits with others."""
import os
import subprocess
import sys
import textwrap

import numpy as np
import pytest

from minigrad.backend import on_device
from optim.parallel import THREADS

SCRIPT = textwrap.dedent("""
    import sys
    import numpy as np
    from minigrad.backend import xp
    from optim import Adam, train
    from problems import Network
    from problems.networks.mlp import MLP
    from problems.networks.transformer import Transformer

    kind, dtype, path = sys.argv[1:]
    rng = np.random.default_rng(0)
    if kind == "mlp":
        model = MLP((784, 256, 128, 10))
        batches = [(xp.asarray(rng.random((512, 784)), dtype), xp.asarray(rng.integers(0, 10, 512)))
                   for _ in range(20)]
    else:
        model = Transformer(60, layers=2, width=64, heads=4, context=64)
        batches = [tuple(xp.asarray(rng.integers(0, 60, (16, 64))) for _ in range(2))
                   for _ in range(20)]
    run = train(Network(model, dtype=dtype), Adam(1e-3), batches, epochs=1, rng=rng, progress=None)
    np.savez(path, theta=run.theta, loss=run.history["loss"])
""")


def result(folder, name, kind, dtype, threads):
    path = folder / f"{name}.npz"
    subprocess.run([sys.executable, "-c", SCRIPT, kind, dtype, str(path)], check=True,
                   env={**os.environ, **dict.fromkeys(THREADS, str(threads))})
    with np.load(path) as stored:
        return stored["theta"], stored["loss"]


@pytest.mark.slow
@pytest.mark.skipif(on_device, reason="about the threads of a BLAS on the host")
@pytest.mark.parametrize("kind", ["mlp", "transformer"])
@pytest.mark.parametrize("dtype, first, last", [("float32", 1e-5, 1e-2), ("float64", 1e-14, 1e-9)])
def test_twice_the_same_bits_and_with_two_threads_nearly(tmp_path, kind, dtype, first, last):
    """Twenty steps of Adam: sums in another order differ by rounding, and the steps enlarge it."""
    theta, loss = result(tmp_path, "one", kind, dtype, 1)
    again, _ = result(tmp_path, "again", kind, dtype, 1)
    assert theta.tobytes() == again.tobytes()
    two, two_loss = result(tmp_path, "two", kind, dtype, 2)
    twice, _ = result(tmp_path, "twice", kind, dtype, 2)
    assert two.tobytes() == twice.tobytes()
    gaps = np.abs(two_loss / loss - 1.0)
    apart = np.linalg.norm(two - theta) / np.linalg.norm(theta)
    print(f"{kind} {dtype}: 1 against 2 threads: loss of step 1 within {gaps[0]:.1e}, of step 20 "
          f"{gaps[-1]:.1e}; theta after 20 steps {apart:.1e}, relative")
    assert gaps[0] <= first and gaps.max() <= last
