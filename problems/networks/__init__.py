"""Networks, one a file: settings with init(rng) -> params, apply(params, x), loss(params, batch).

    mlp  cnn  resnet  resnet9  lstm  transformer          importable as problems.mlp, ... too
"""
from problems.networks import cnn, lstm, mlp, resnet, resnet9, transformer
