"""Training over minibatches: nothing lost on the way, and the same bits again.

    loop         train: the minibatch loop, with checkpoints        (read first)
    minibatch    what one training step sees
    run          what a run has to remember
    checkpoint   ... in one file
    progress     the line that says how it is doing
    interrupt    Ctrl-C between two steps
"""
from .loop import Diverged, train
