"""Time several engines on the same work, fairly, and report ratios.

A Case holds callables that do the same work in different libraries. They first have to agree: each
returns a few numbers (loss, gradient norm, ...), compared before anything is timed. Then they take
turns, round after round, so that a slow moment of a shared machine hits all of them; what is timed
is CPU time of the process on one BLAS thread, and a ratio is taken within each round.
"""
import math
import os
import statistics
import sys
import time
from dataclasses import dataclass, field

from demos.evidence import median_interval
from demos.report.provenance import blas

# One thread for every library; the variables count at import, so `demos.speed.measure` starts in a
# process that has them.
ONE_THREAD = {name: "1" for name in (
    "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS")} | {
    "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1",
    "JAX_PLATFORMS": "cpu"}
PEERS = ("torch", "autograd", "jax", "micrograd")
SHORTEST = 0.03          # seconds: a sample repeats its work until it takes at least this long


@dataclass
class Case:
    """Work to be timed.

    title     one line
    engines   {label: callable}; each returns a tuple of numbers by which they are compared, or None
    agree     lists of labels whose numbers must agree to `rtol`
    ratios    (claim, label, label of the reference, largest ratio allowed): one number, or one
              for each vector width in bits, since a peer with wider vectors is another peer
    per       operations in one call, if the times are to be told for one of them
    """
    title: str
    engines: dict
    ratios: list
    agree: list = field(default_factory=list)
    rtol: float = 1e-5
    per: int = 1


@dataclass
class Timing:
    """Median of a ratio over the rounds with its exact 95 % interval; two medians in seconds."""
    claim: str
    seconds: float
    reference: float
    ratio: float
    low: float
    high: float
    bound: float


class Compared:
    """Work as it is timed; `numbers(result)` is worked out when looked at, so not while timing."""

    def __init__(self, work, numbers):
        self.work, self.numbers = work, numbers

    def __call__(self):
        self.result = self.work()
        return self

    def __iter__(self):
        return iter(self.numbers(self.result))


def measure(case, rounds=15):
    """Check that the engines agree, then time them; a ratio of a missing engine is left out."""
    for labels in case.agree:
        known = [label for label in labels if label in case.engines]
        results = [[float(x) for x in case.engines[label]()] for label in known]
        for label, result in zip(known, results):
            for a, b in zip(results[0], result):
                if not math.isclose(a, b, rel_tol=case.rtol, abs_tol=case.rtol):
                    raise RuntimeError(f"speed: {case.title}: {known[0]} and {label} disagree, "
                                       f"{results[0]} and {result}. A timing would mean nothing.")
    samples = {label: [] for label in case.engines}
    counts = {label: repeats(work) for label, work in case.engines.items()}
    for _ in range(rounds):
        for label, work in case.engines.items():
            start = time.process_time()
            for _ in range(counts[label]):
                work()
            samples[label].append((time.process_time() - start) / counts[label])
    timings = []
    for claim, ours, theirs, bound in case.ratios:
        if ours in samples and theirs in samples:
            each = [a / b for a, b in zip(samples[ours], samples[theirs])]
            ratio, low, high = median_interval(each)
            timings.append(Timing(claim, statistics.median(samples[ours]) / case.per,
                                  statistics.median(samples[theirs]) / case.per, ratio, low, high,
                                  allowed(bound)))
    return timings


def repeats(work):
    """How often to repeat the work for one sample; two warm-up calls."""
    work(), work()
    n = 1
    while True:
        start = time.process_time()
        for _ in range(n):
            work()
        if time.process_time() - start >= SHORTEST:
            return n
        n *= 2


def allowed(bound):
    """The bound that holds for this processor's vectors."""
    if not isinstance(bound, dict):
        return bound
    width = blas()["vector_bits"]
    return bound[max((bits for bits in bound if bits <= width), default=min(bound))]


def only(peers):
    """Without the other peers: to import one of them fails, as if it were not there."""
    for name in PEERS:
        if name not in peers:
            sys.modules[name] = None


def pin():
    """Stay on one processor, where the system allows it."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
