"""What `train` is asked for, looked at before the work: one sentence for what cannot be."""
import os

from minigrad.arguments import count, generator, short
from minigrad.kinds import extended
from optim.optimizer import Optimizer


def check_asked(problem, optimizer, batches, *, rng, steps, epochs, theta, accumulate, clip,
                evaluate, evaluate_every, patience, checkpoint, checkpoint_every,
                checkpoint_seconds, resume, identity, progress):
    """Raises TypeError for a wrong kind, ValueError for a wrong value; arguments as in `train`."""
    counts = dict(steps=steps, epochs=epochs, accumulate=accumulate, patience=patience,
                  evaluate_every=evaluate_every, checkpoint_every=checkpoint_every)
    for argument, number in counts.items():
        if number is not None:
            count("train", argument, number)
    if steps is None and epochs is None:
        raise ValueError("train: neither steps nor epochs is given. Say when to stop.")
    if not isinstance(optimizer, Optimizer):
        raise TypeError(f"train: needs an optimizer, got {short(optimizer)}. "
                        "Give one of optim, such as Adam(1e-3).")
    generator("train", rng)
    if not (callable(problem) or hasattr(problem, "tree_loss") or hasattr(problem, "loss")):
        raise TypeError(f"train: needs a Problem or a function of theta, got {short(problem)}.")
    if theta is None and not hasattr(problem, "start"):
        raise TypeError("train: this problem does not say where to start. Give theta.")
    if not (batches is None or callable(batches) or isinstance(batches, list)):
        raise TypeError("train: batches must be a list of batches or a function of a Generator, "
                        f"got a {type(batches).__name__}. Wrap a single batch in a list.")
    for argument, number in dict(clip=clip, checkpoint_seconds=checkpoint_seconds).items():
        if number is not None and not extended("train", argument, number) > 0:
            raise ValueError(f"train: {argument} must be > 0, got {short(number)}.")
    if not (evaluate is None or callable(evaluate)):
        raise TypeError(f"train: evaluate must be a function of theta, got {short(evaluate)}.")
    if not (progress is None or callable(progress) or isinstance(progress, str)):
        raise TypeError("train: progress must be 'auto', None or a function of one line of text, "
                        f"got {short(progress)}.")
    if not (isinstance(resume, bool) or isinstance(resume, str) and resume == "restart"):
        raise ValueError(f"train: resume must be True, False or 'restart', got {short(resume)}.")
    if not (identity is None or isinstance(identity, dict)):
        raise TypeError(f"train: identity must be a dict, got {short(identity)}.")
    if not (checkpoint is None or isinstance(checkpoint, (str, os.PathLike))):
        raise TypeError(f"train: checkpoint must be the name of a file, got {short(checkpoint)}.")
    if checkpoint is None and (resume or checkpoint_every or checkpoint_seconds):
        raise ValueError("train: resume and checkpoint_... need a file. Give checkpoint=PATH.")
