"""The demo of SAM against the size of the set: matched points, slopes, verdicts, a quick run."""
import json

import numpy as np
import pytest

from demos.__main__ import main
from demos.landscape.training import sam_and_data as demo


def test_both_runs_are_taken_where_they_are_nearest_to_the_higher_final_loss():
    """SGD ends at .01, SAM at .1: SGD is taken where it was at .09, not at .2 (nearer in logs)."""
    loss = np.array([[1.0, 2.0], [0.2, 0.9], [0.09, 0.3], [0.01, 0.1]])
    assert demo.matched(loss).tolist() == [2, 3]
    assert demo.matched(loss[:, ::-1]).tolist() == [3, 2]


def test_the_slope_is_that_of_a_line_over_doublings():
    """Gains that fall by .25 a doubling, beside an offset of each data set: exactly -.25."""
    rng = np.random.default_rng(0)
    offset = rng.standard_normal(6)
    entries = {n: offset - 0.25 * np.log2(n) for n in (50, 100, 200, 800)}
    assert demo.slopes(entries, lambda e: e) == pytest.approx([-0.25] * 6, rel=1e-12)
    bent = {n: np.array([np.log2(n)**2]) for n in (1, 2, 4)}        # 0, 1, 4: slope 2
    assert demo.slopes(bent, lambda e: e) == pytest.approx([2.0], rel=1e-12)


def test_one_fit_is_repeatable_and_compares_at_one_loss():
    found, again = (demo.fit([5, 1], 60, 0.2, 120) for _ in range(2))
    for key in found:
        assert np.array_equal(found[key], again[key])
    assert found["accuracy"].shape == found["loss"].shape == (len(demo.RADII),)
    assert found["radius"] == demo.RADII[1 + found["held_out"][1:].argmax()]
    assert len(set(found["held_out"])) == len(demo.RADII)          # a choice there was
    chosen = demo.RADII.index(found["radius"])
    assert np.allclose(found["end"], found["accuracy"][[0, chosen]])
    level = found["loss"][[0, chosen]].max()
    assert np.all(abs(np.log(found["losses"] / level)) < 0.5)
    assert np.all((0.2 < found["matched"]) & (found["matched"] <= 1.0))


def test_more_points_are_other_points_of_the_same_clusters():
    few, many = (demo.fit([5, 1], n, 0.0, 120)["accuracy"][0] for n in (30, 400))
    assert many > few + 0.1


def made_up(slope, start=0.05):
    """Gains that change by `slope` a doubling; SGD's errors are .3 at every size."""
    rng = np.random.default_rng(1)
    entries = {}
    for n in (50, 100, 200, 400, 800):
        gain = start + slope * np.log2(n / 50) + 1e-4 * rng.standard_normal(8)
        both = np.stack([np.full(8, 0.7), 0.7 + gain], axis=1)
        entries[n] = dict(end=both, matched=both)
    return entries


@pytest.mark.parametrize("noise", [0.0, 0.2])
@pytest.mark.parametrize("slope, start, words", [
    (-0.01, 0.05, ["holds"] * 5), (0.01, 0.05, ["holds", "fails", "holds", "fails", "fails"]),
    (-0.01, -0.05, ["fails", "holds", "fails", "holds", "holds"])])
def test_verdicts_follow_the_gains(slope, start, words, noise, verdicts):
    assert verdicts(demo.claim_gains, made_up(slope, start), noise, 8) == words


def test_robustness_compares_gains_not_accuracies(verdicts):
    much, little = made_up(0.02)[800], made_up(0.01)[800]
    assert verdicts(demo.claim_noise, little, much, 800, 8) == ["holds"]
    assert verdicts(demo.claim_noise, much, little, 800, 8) == ["fails"]


@pytest.mark.slow
def test_quick(tmp_path, capsys):
    assert main(["sam_and_data", "--quick", "--out", str(tmp_path)]) == 0
    assert "ImageNet are out of reach here" in " ".join(capsys.readouterr().out.split())
    assert (tmp_path / "sam_and_data.png").stat().st_size > 20_000
    record = json.loads((tmp_path / "sam_and_data.json").read_text())
    verdicts = {claim["claim"]: claim["verdict"] for claim in record["claims"]}
    assert len(verdicts) == 11 and "fails" not in verdicts.values()
