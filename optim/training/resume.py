"""How a run is saved, and taken up again by the run that it was and by no other.

What goes into the file beside the `Run`: what makes the run this one (identity.py), every random
generator, and what the steps changed in the optimizer and the problem themselves. Taking it up
compares first, then puts everything where it was.
"""
import copy

import numpy as np

from minigrad.backend import to_host

from . import checkpoint as files
from .identity import Identity, check_same_model, describe, difference, seed_of
from .minibatch import takes_noise
from .run import Run

PARTS = ("model", "optimizer", "identity", "rates", "first_batch", "first_rng", "kept", "rng",
         "draws", "epoch_rng", "noise", "diverged")


class AnotherRun(RuntimeError):
    """A checkpoint that is not of the run that asks for it."""


def identify(loop, theta):
    """What makes this run this run, read off before its first step.

    Data are read through only where there is a file to compare with.
    """
    saved = loop.path is not None
    identity = Identity({"optimizer": loop.optimizer, "problem": loop.problem}, in_full=saved)
    data = "drawn" if callable(loop.batches) else identity.text(loop.batches) if saved else ""
    identity.entries |= {
        "seed": seed_of(loop.rng), "accumulate": repr(loop.accumulate), "clip": repr(loop.clip),
        "start": "drawn" if theta is None else identity.text(theta) if saved else "",
        "batches": data, **{name: repr(value) for name, value in loop.extra.items()}}
    return identity


def record(loop):
    """The tree that goes into the file."""
    run = loop.run
    return {**run.tree(), "model": describe(loop.layout, run.theta),
            "optimizer": type(loop.optimizer).__name__, "identity": loop.identity.entries,
            "rates": rates(loop.optimizer, run.step), "kept": loop.identity.changed(),
            "first_batch": loop.first_batch, "first_rng": loop.first_rng, "rng": loop.rng,
            "draws": loop.draws, "epoch_rng": loop.epoch_rng, "noise": loop.noise,
            "diverged": False}


def rates(optimizer, steps):
    """{"learning rate of step t": text} at some of the steps done, where it depends on t."""
    if not callable(getattr(optimizer, "lr", None)):
        return {}
    times = [t for t in (2**k - 1 for k in range(63)) if t < steps]
    return {f"learning rate of step {t}":
            repr(np.asarray(to_host(optimizer.learning_rate({"t": np.array(t)}))).tolist())
            for t in times}


def take_up(loop, theta, resume):
    """Let the loop go on from its file; False if that is of no use and a restart was asked for.

    Raises RuntimeError with a sentence: a file that is damaged, of another run, or incomplete
    """
    try:
        restore(loop, files.load(loop.path), theta)
    except RuntimeError:
        if resume != "restart":
            raise
        return False
    return True


def restore(loop, tree, theta):
    start = loop.problem.start(copy.deepcopy(loop.rng)) if theta is None else theta
    missing = [name for name in PARTS if not isinstance(tree, dict) or name not in tree]
    if missing:
        raise unfit(loop, f"{missing[0]} is missing")
    check_same_model(loop.path, tree["model"], describe(loop.layout, start))
    if tree["optimizer"] != type(loop.optimizer).__name__:
        raise AnotherRun(f"checkpoint: {loop.path} was made by {tree['optimizer']}, not by "
                         f"{type(loop.optimizer).__name__}. Name another file.")
    try:
        check_identity(loop, tree)
        run = Run.from_tree(tree, start, loop.optimizer.init(start))
        check_generators(loop, tree)
        check_first_batch(loop, tree)
        put_back(loop, tree, run)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise unfit(loop, error) from error
    loop.run, loop.saved = run, run.step
    loop.began -= run.seconds


def check_identity(loop, tree):
    """Raise AnotherRun with the first setting that differs; after a divergence, not for a rate."""
    stored, current = tree["identity"], loop.identity.entries
    ignored = {name for name, value in tree["kept"].items()
               if not isinstance(value, np.random.Generator)}     # those have a seed to compare
    if tree["diverged"]:
        ignored |= {name for name in (*stored, *current) if name.endswith(".lr")}
    else:
        stored = {**stored, **tree["rates"]}
        current = {**current, **rates(loop.optimizer, tree["step"])}
    found = difference(stored, current, ignored)
    if found:
        raise another(loop, *found)


def check_first_batch(loop, tree):
    """Raise AnotherRun if the first batch of the run, drawn again, is not the one it was."""
    if tree["first_batch"] is None or not callable(loop.batches):
        return
    again = copy.deepcopy(tree["draws"])
    again.bit_generator.state = tree["first_rng"]
    found = loop.identity.text(next(iter(loop.batches(again)), None))
    if found != tree["first_batch"]:
        raise another(loop, "first batch", tree["first_batch"], found)


def check_generators(loop, tree):
    """Raise ValueError or TypeError unless the states in the file fit the generators at hand."""
    copy.deepcopy(loop.rng).bit_generator.state = tree["rng"].bit_generator.state
    copy.deepcopy(tree["draws"]).bit_generator.state = tree["epoch_rng"]
    if isinstance(tree["noise"], np.random.Generator) != takes_noise(loop.problem):
        raise ValueError("its noise and that of this problem do not go together")


def put_back(loop, tree, run):
    """Every generator goes on where it was, whoever shared one with the loop shares it again; what
    the steps had changed in the optimizer and the problem is changed."""
    stored, bits = tree["rng"], loop.rng.bit_generator
    bits.state = stored.bit_generator.state
    spawned = (stored.bit_generator.seed_seq.n_children_spawned
               - getattr(bits.seed_seq, "n_children_spawned", 0))
    if spawned > 0:
        bits.seed_seq.spawn(spawned)

    def ours(value):
        return loop.rng if value is stored else value

    run.state = {name: ours(value) for name, value in run.state.items()}
    kept = {name: ours(value) for name, value in tree["kept"].items()}
    loop.identity.put_back(kept)
    Identity({"optimizer": loop.given}, in_full=False).put_back(kept)
    loop.draws, loop.noise, loop.epoch_rng = ours(tree["draws"]), tree["noise"], tree["epoch_rng"]
    loop.first_batch, loop.first_rng = tree["first_batch"], tree["first_rng"]


def another(loop, name, was, here):
    return AnotherRun(f"checkpoint: {loop.path} is of another run: {name} was {was}, here it is "
                      f"{here}. Name another file, or begin anew in its place "
                      "(resume='restart', or --restart).")


def unfit(loop, reason):
    return RuntimeError(f"checkpoint: {loop.path} does not hold what a run holds ({reason}). "
                        "Name another file.")
