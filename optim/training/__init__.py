"""Training over minibatches: nothing lost on the way, and the same bits again.

    loop         train: the minibatch loop, with checkpoints        (read first)
    minibatch    what one training step sees
    asked        what it is asked for, looked at before the work
    run          what a run has to remember
    identity     which run is this? what a resumed run must share with the saved one
    resume       how a run is saved, and taken up again by the run that it was
    checkpoint   ... in one file
    archive      named arrays in a file that is there whole or not at all
    progress     the line that says how it is doing
    interrupt    Ctrl-C between two steps
"""
from .loop import Diverged, train
