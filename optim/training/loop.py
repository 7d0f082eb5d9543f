"""The training loop: minibatches in, a trained point out, and nothing lost on the way.

`train` is the door; `Training` is the loop, one method for each thing that can happen between
two steps: a loss is read, the point is evaluated, the run is saved, Ctrl-C is answered.

A resumed run repeats the unbroken one bit for bit. The random numbers of a run come from
generators of their own for the batches and for the noise of the model (dropout), so that the
batches of a half-finished epoch can be drawn again without repeating its noise.
Read `minibatch.py` (what one step sees), `run.py` (what a run remembers), `resume.py` (how it is
saved and taken up), `checkpoint.py`.
"""
import copy
import math
import os
import time
from contextlib import suppress
from itertools import islice

import numpy as np

from minigrad import keep_heap
from minigrad.arguments import whole_number
from minigrad.backend import name as backend
from minigrad.backend import to_host, xp

from optim.descent import descent
from optim.optimizer import dot
from optim.training import checkpoint as files
from .asked import check_asked
from .interrupt import CtrlC
from .minibatch import MinibatchObjective, takes_noise
from .progress import Progress
from .resume import identify, record, take_up
from .run import RESERVED, Run

READ_EVERY = 1 if backend == "numpy" else 20        # steps; reading the loss waits for the GPU


class Diverged(RuntimeError):
    """The loss is no longer finite. `run` is the run up to there."""

    def __init__(self, message, run=None):
        super().__init__(message)
        self.run = run


def train(problem, optimizer, batches=None, *, rng, steps=None, epochs=None, theta=None,
          schedule=None, accumulate=1, clip=None, evaluate=None, evaluate_every=None,
          patience=None, checkpoint=None, checkpoint_every=None, checkpoint_seconds=None,
          resume=False, identity=None, progress="auto"):
    """Minimise a problem over minibatches; returns the finished `Run`.

        run = train(problem, Adam(1e-3), lambda rng: shuffled(data, 128, rng), epochs=10, rng=rng)

    problem      a landscape: what `Objective` takes; with `start(rng)` if theta is not given
    optimizer    any Optimizer
    batches      list of batches, the same in every epoch; or a function of a Generator that gives
                 the batches of one epoch; or None: the problem's own data at every step.
                 The arrays of a batch live on the backend.
    rng          Generator for the start, the batches and the model's noise
    steps        stop after so many steps, or after so many `epochs`, whichever comes first
    theta        start (d,), or (n, d) for n runs at once; default problem.start(rng)
    schedule     learning rate as a function of the step 0, 1, ...; in place of the optimizer's own
    accumulate   batches a step; their gradients are averaged
    clip         largest gradient norm that is let through
    evaluate     theta -> score, or a dict of scores whose first one counts; lower is better.
                 Asked every `evaluate_every` steps, or at the end of each epoch.
    patience     stop after so many evaluations without improvement
    checkpoint   file to save to: at the start, at the end, on Ctrl-C, and every
                 `checkpoint_every` steps or `checkpoint_seconds` seconds
    resume       go on from that file if it is there; with the same arguments, the same bits.
                 A file of another run (optimizer, settings, model, data, seed, precision) is
                 refused; "restart" begins anew in its place. After a divergence the rate may differ
    identity     {name: number or text}: what else a resumed run has to share, such as a flag
    progress     "auto" (standard error), None, or a function of one line of text

    Raises       Diverged when the loss is NaN or infinite (of n points: all of them);
                 KeyboardInterrupt on Ctrl-C, after the step is finished and saved;
                 RuntimeError for a checkpoint that cannot be written, read or used
    """
    check_asked(problem, optimizer, batches, rng=rng, steps=steps, epochs=epochs, theta=theta,
                accumulate=accumulate, clip=clip, evaluate=evaluate, evaluate_every=evaluate_every,
                patience=patience, checkpoint=checkpoint, checkpoint_every=checkpoint_every,
                checkpoint_seconds=checkpoint_seconds, resume=resume, identity=identity,
                progress=progress)
    keep_heap()
    loop = Training()
    loop.problem, loop.batches, loop.rng = problem, batches, rng
    loop.given = optimizer
    loop.optimizer = optimizer if schedule is None else optimizer.scheduled(schedule)
    loop.extra = identity or {}
    loop.steps, loop.epochs, loop.accumulate = map(whole_number, (steps, epochs, accumulate))
    loop.clip = None if clip is None else float(clip)
    loop.evaluate, loop.evaluate_every, loop.patience = evaluate, evaluate_every, patience
    loop.path = None if checkpoint is None else os.fspath(checkpoint)
    loop.save_every, loop.save_seconds = checkpoint_every, checkpoint_seconds
    return loop.go(theta, resume, progress)


class Training:
    """The loop behind `train`, whose arguments are its settings."""

    def go(self, theta, resume, progress):
        self.layout = getattr(self.problem, "layout", None)
        self.unread = []                        # (step, loss, |delta|, traces) still on the device
        self.began = self.saved_at = time.monotonic()
        self.saved = None                           # step of the last checkpoint
        self.first_batch = None                     # a checksum; whose batches are drawn, see below
        self.identity = identify(self, theta)
        if not (resume and os.path.exists(self.path) and take_up(self, theta, resume)):
            self.begin(theta)
        self.progress = Progress(self.total(), progress)
        with CtrlC() as ctrl_c:
            while not self.finished():
                for parts in self.rest_of_epoch():
                    if self.finished():
                        break
                    self.one_step(parts)
                    self.between_steps(ctrl_c)
                else:
                    self.end_epoch()
        self.read()
        self.run.seconds = time.monotonic() - self.began
        if self.path is not None:
            self.save()
        return self.run

    def begin(self, theta):
        """A fresh run. It is saved at once, so a file that cannot be written is found out now."""
        theta = self.problem.start(self.rng) if theta is None else theta
        self.run = Run(theta, self.optimizer.init(theta))
        noisy = takes_noise(self.problem)
        self.noise = np.random.default_rng(int(self.rng.integers(2**63))) if noisy else None
        # Whoever else draws from rng during an epoch must not change the batches drawn again.
        shared = any(other is self.rng for other in (*self.run.state.values(),
                                                     *self.identity.generators()))
        self.draws = np.random.default_rng(int(self.rng.integers(2**63))) if shared else self.rng
        self.first_rng = self.epoch_rng = copy.deepcopy(self.draws.bit_generator.state)
        if self.path is not None:
            self.save()

    def total(self):
        """The number of steps, if it is known beforehand."""
        if self.epochs is None or callable(self.batches):
            return self.steps
        batches = 1 if self.batches is None else len(self.batches)
        total = self.epochs * -(-batches // self.accumulate)
        return total if self.steps is None else min(total, self.steps)

    def finished(self):
        run, reason = self.run, ""
        if self.patience is not None and run.waited >= self.patience:
            reason = "patience"
        if self.steps is not None and run.step >= self.steps or (
                self.epochs is not None and run.epoch >= self.epochs):
            reason = "steps"
        run.stopped = reason
        return bool(reason)

    def rest_of_epoch(self):
        """The batches of this epoch that have not been used yet, grouped as the steps use them."""
        self.draws.bit_generator.state = self.epoch_rng
        batches = iter([None] if self.batches is None else
                       self.batches(self.draws) if callable(self.batches) else self.batches)
        groups = iter(lambda: list(islice(batches, self.accumulate)), [])
        used = sum(1 for _ in islice(groups, self.run.position))
        group = None
        for group in groups:
            yield group
        if not used and group is None:
            raise ValueError("train: an epoch gave no batch. Give at least one.")

    def one_step(self, parts):
        run = self.run
        if self.first_batch is None and self.path is not None and callable(self.batches):
            self.first_batch = self.identity.text(parts[0])
        objective = MinibatchObjective(self.problem, parts, self.noise, self.clip)
        walk = descent(self.optimizer, iter([objective]), run.theta, run.state)
        _, before, loss, _ = next(walk)
        self.unread.append([run.step, loss, None, {}])
        if len(self.unread) >= READ_EVERY:
            self.look()
        try:
            _, run.theta, _, run.state = next(walk)
        except ValueError:                          # refused by the step, which looks now and then
            self.look()
            raise
        with np.errstate(over="ignore", invalid="ignore"):      # a run on its way to diverge
            change = run.theta - before
            delta = xp.sqrt(dot(change, change)).reshape(change.shape[:-1])
        traces = {name: xp.array(run.state[name]) for name in self.optimizer.traces
                  if name in run.state}
        self.unread[-1][2:] = delta, traces
        run.step += 1
        run.position += 1

    def look(self):
        """Stop if a loss that was not looked at yet is not finite."""
        for i, (step, loss, _, _) in enumerate(self.unread):
            if not finite(loss):
                del self.unread[i:]
                self.read()
                self.diverged(step, loss)

    def read(self):
        """Bring what the last steps recorded to the host; stop if a loss is not finite."""
        self.look()
        unread, self.unread = self.unread, []
        for _, loss, delta, traces in unread:
            self.run.record(xp.asarray(loss), delta, traces)

    def diverged(self, step, loss=None):
        what = ("a parameter became NaN or infinite" if loss is None else
                f"the loss became {np.ravel(to_host(loss))[0]}")
        lr = self.optimizer.learning_rate({"t": step})
        lr = np.ravel(to_host(np.nan if lr is None else lr))
        rate = f"{lr[0]:g}" if lr.size == 1 else f"{lr.min():g} to {lr.max():g}"
        good = (f"The last good checkpoint is {self.path}, of step {self.saved}; resume it with a "
                "smaller rate." if self.saved is not None else
                "No checkpoint was written. Start again with a smaller rate.")
        if self.saved is not None:                  # the one case in which the rate may change
            with suppress(RuntimeError):
                files.save(self.path, {**files.load(self.path), "diverged": True})
        raise Diverged(f"train: {what} at step {step} (learning rate {rate}). {good}", self.run)

    def between_steps(self, ctrl_c):
        run = self.run
        if self.evaluate_every is not None and run.step % self.evaluate_every == 0:
            self.score()
        due = self.save_every is not None and run.step % self.save_every == 0
        late = (self.save_seconds is not None
                and time.monotonic() - self.saved_at >= self.save_seconds)
        if self.path is not None and (due or late or ctrl_c.asked):
            self.save()
        if ctrl_c.asked:
            where = ("nothing was saved, since no checkpoint file was given" if self.path is None
                     else f"saved to {self.path}. To go on, resume (resume=True, or --resume)")
            raise KeyboardInterrupt(f"train: stopped by Ctrl-C after step {run.step}; {where}.")
        self.progress.update(run.step, self.recent_loss, last=run.step == self.total())

    def end_epoch(self):
        run = self.run
        run.epoch, run.position = run.epoch + 1, 0
        self.epoch_rng = copy.deepcopy(self.draws.bit_generator.state)
        run.history["epochs"].append(run.step)
        if self.evaluate_every is None:
            self.score()

    def score(self):
        if self.evaluate is None:
            return
        self.read()
        self.run.seconds = time.monotonic() - self.began
        with np.errstate(over="ignore", invalid="ignore"):
            scores = self.evaluate(self.run.theta)
        scores = scores if isinstance(scores, dict) else {"score": scores}
        taken = [name for name in scores if name in (*RESERVED, *self.optimizer.traces)]
        if taken:
            raise ValueError(f"train: evaluate gave a score named {taken[0]!r}, under which the "
                             "history keeps something else. Use another name, such as "
                             "'validation_loss'.")
        if not scores:
            raise ValueError("train: evaluate gave no score. Give a number or a dict of them.")
        self.run.record_scores(scores)

    def recent_loss(self):
        """For the progress line: the middle of the last twenty losses, of all points."""
        self.read()
        return float(np.nanmedian(np.asarray(self.run.history["loss"][-20:])))

    def save(self):
        self.read()
        run = self.run
        if not finite(xp.sum(run.theta, axis=-1)):
            self.diverged(run.step - 1)
        run.seconds = time.monotonic() - self.began
        files.save(self.path, record(self))
        self.saved, self.saved_at = run.step, time.monotonic()


def finite(loss):
    """Whether the loss of at least one point is finite."""
    if getattr(loss, "ndim", 0) == 0:
        return math.isfinite(float(loss))
    return bool(xp.any(xp.isfinite(loss)))
