"""Networks, one a file: settings with init(rng) -> params, apply(params, x), loss(params, batch).

    mlp  cnn  lenet  resnet  resnet9  lstm  row_lstm  transformer    importable as problems.mlp, ...
"""
from problems.networks import cnn, lenet, lstm, mlp, resnet, resnet9, row_lstm, transformer
