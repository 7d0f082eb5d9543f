"""A batch whose targets or inputs do not fit gets a sentence: broadcasting would give it a loss."""
import numpy as np
import pytest

from minigrad.backend import xp
from problems.networks.dlrm import DLRM
from problems.networks.lstm import LSTM
from problems.networks.rotary import Rotary
from problems.networks.transformer import Transformer
from problems.networks.unet import UNet
from problems.networks.vit import ViT


def rng():
    return np.random.default_rng(0)


def points(*shape):
    return xp.asarray(rng().standard_normal(shape))


@pytest.mark.parametrize("shape", [
    (1, 4, 4), (4, 4), (2, 4, 4), (2, 1, 1, 1), (1, 1, 4, 4), (2, 2, 4, 4), ()])
def test_wanted_images(shape):
    network = UNet(channels=1, width=2, levels=1)
    with pytest.raises(ValueError, match="UNet: the wanted images have shape .* They must be alike"):
        network.loss(network.init(rng()), (points(2, 1, 4, 4), xp.ones(shape)))


def clicks(categories=((0, 1), (2, 1)), answers=(0.0, 1.0)):
    network = DLRM(numbers=2, categories=(3, 3), width=2, bottom=(3,), top=(3,))
    x = xp.concatenate([points(2, 2), xp.asarray(categories, dtype="float64")], axis=1)
    return network.loss(network.init(rng()), (x, xp.asarray(answers)))


def test_clicks_and_categories():
    assert np.isfinite(float(clicks()))
    for answers in ([[0.0], [1.0]], [[0.0, 1.0]], [1.0], 1.0, [0.0, 1.0, 1.0]):
        with pytest.raises(ValueError, match="DLRM: 2 examples have clicks"):
            clicks(answers=answers)


@pytest.mark.parametrize("wrong", [dict(categories=((0, 1), (3, 1))), dict(categories=((0, -1), (2, 1))),
                                   dict(answers=(0.0, 7.0)), dict(answers=(-1.0, 1.0))])
def test_numbers_out_of_range(wrong):
    """Category 3 of 3 was row 0 of the next table. A GPU says it when a number is next read."""
    with pytest.raises(ValueError, match=r"DLRM: (category [01]|clicks) must lie in \[0, [23]\)"):
        from minigrad.backend import float_of
        float_of(clicks(**wrong))


@pytest.mark.parametrize("shape", [(2, 8, 8, 1), (2, 8, 8), (2, 64), (2, 1, 4, 16)])
def test_images_in_another_order(shape):
    """As many numbers, cut into other patches."""
    network = ViT(image=(1, 8, 8), patch=4, classes=2, layers=1, width=4, heads=2)
    with pytest.raises(ValueError, match=r"ViT: images must be \(B, 1, 8, 8\), got "):
        network.apply(network.init(rng()), xp.ones(shape))


@pytest.mark.parametrize("network", [
    Transformer(5, layers=1, width=4, heads=2, context=4), LSTM(5, width=4, hidden=4),
    Rotary(5, layers=1, width=16, heads=2, context=4)], ids=lambda network: type(network).__name__)
def test_texts_in_rows(network):
    with pytest.raises(ValueError, match=rf"{type(network).__name__}: tokens must be \(B, T\)"):
        network.apply(network.init(rng()), xp.asarray([0, 1, 2, 3]))
