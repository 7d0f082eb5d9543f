"""Memory of the transformer's gradient: peak of the process, and page faults of a training step;
and of a Hessian-vector product of a function that reads its argument T times.

    python -m demos.speed.memory minigrad | torch        one engine, one JSON line
    python -m demos.speed.memory reads                   the function of T reads

Each engine runs in a process of its own. The peak is the largest resident size of the whole
process (library, parameters and gradient), `growth` what the first gradient added to it. Faults
are minor page faults of one gradient and AdamW step after three others, with the heap kept.

Each read x[t] of T rows gives a cotangent that is zero but for its row. An engine that writes them
out at once holds T arrays as large as x, so T² rows; kept as parts (minigrad/engine/cotangents.py)
they are T rows.
"""
import json
import resource
import sys
import tracemalloc

import numpy as np

from demos.speed.timing import pin


def peak_mb():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt


def measured(gradient, step):
    """{"peak", "growth"} in MB around the first gradient, and the faults of a later step."""
    before = peak_mb()
    gradient()
    peak = peak_mb()
    for _ in range(3):
        step()
    start = faults()
    step()
    return {"peak": peak, "growth": peak - before, "faults": faults() - start}


def reads(counts=(32, 256), width=1000):
    """Most bytes that a Hessian-vector product of Σ_t x[t]·sin x[t] holds, for each T."""
    import minigrad as mg

    def f(x):
        return sum(mg.sum(mg.sin(x[t]) * x[t]) for t in range(len(x)))
    held = []
    for T in counts:
        x = np.linspace(-1.0, 1.0, T * width).reshape(T, width)
        mg.hvp(f, x)(x)
        tracemalloc.start()
        mg.hvp(f, x)(x)
        held.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    return {"T": counts, "bytes": held}


def main(engine):
    if engine == "reads":
        return print(json.dumps(reads()))
    from demos.speed import transformer
    pin()
    if engine == "minigrad":
        import minigrad
        minigrad.keep_heap()
    work = transformer.alone(engine)
    print(json.dumps(measured(*work)))


if __name__ == "__main__":
    main(sys.argv[1])
