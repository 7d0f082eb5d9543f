"""The quick runs of fourier_path and neuron_swap: tables, verdicts, JSON and figures."""
import json

import numpy as np
import pytest

from demos.__main__ import main
from demos.topography.neuron_swap import best_output_weights
from minigrad.backend import xp
from problems.potentials import NeuronSwap


@pytest.mark.slow
def test_fourier_path_quick(tmp_path, capsys):
    assert main(["fourier_path", "--quick", "--out", str(tmp_path)]) == 0
    printed = capsys.readouterr().out
    assert "as printed" in printed and "as coded" in printed and "Ours as shipped" in printed
    assert (tmp_path / "fourier_path.png").stat().st_size > 20_000
    record = json.loads((tmp_path / "fourier_path.json").read_text())
    claims = {claim["claim"]: claim for claim in record["claims"]}
    fails = [text for text, claim in claims.items() if claim["verdict"] == "fails"]
    assert len(claims) == 13 and all("printed objective" in text for text in fails)
    assert len(fails) == 3
    origins = {claim["origin"] for claim in claims.values()}
    assert origins == {"paper", "ours"}
    assert all(row[2] <= 2.0 for row in record["data"]["shipped"])


@pytest.mark.slow
def test_neuron_swap_quick(tmp_path, capsys):
    assert main(["neuron_swap", "--quick", "--out", str(tmp_path)]) == 0
    assert "least loss of one neuron" in capsys.readouterr().out
    assert (tmp_path / "neuron_swap.png").stat().st_size > 20_000
    record = json.loads((tmp_path / "neuron_swap.json").read_text())
    assert "fails" not in {claim["verdict"] for claim in record["claims"]}
    assert abs(record["data"]["exact"] - 0.00166832) < 5e-9
    assert abs(record["data"]["straight"] - 0.01766881) < 5e-9


def test_the_best_output_weights_by_least_squares():
    net, w = NeuronSwap(), np.array([-0.3, 0.0, 0.7, 2.0, 3.1])
    plane, (x, y) = best_output_weights(net, w), net.data
    for i, j in np.ndindex(5, 5):
        t = np.tanh(np.outer(x, [w[i], w[j]]))
        v = np.linalg.lstsq(t, y, rcond=1e-9)[0]
        assert abs(plane[i, j] - 0.5 * np.mean((t @ v - y) ** 2)) < 1e-12
        loss = float(net.loss(xp.asarray([*v, w[i], w[j]])))
        assert abs(plane[i, j] - loss) < 1e-12
