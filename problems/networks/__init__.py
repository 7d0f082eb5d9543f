"""Networks, one a file: settings with init(rng) -> params, apply(params, x), loss(params, batch).

    mlp  cnn  lenet  resnet  resnet9  lstm  row_lstm  transformer    importable as problems.mlp, ...
    vit  lora                       images as patches; thin factors beside a trained transformer
    gnn  unet  dlrm  rotary         large systems in miniature: graphs, images, clicks, text
"""
from problems.networks import (
    cnn, dlrm, gnn, lenet, lora, lstm, mlp, resnet, resnet9, rotary, row_lstm, transformer, unet,
    vit)
