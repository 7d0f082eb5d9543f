"""Memory of the transformer's gradient: peak of the process, and page faults of a training step.

    python -m demos.speed.memory minigrad | torch        one engine, one JSON line

Each engine runs in a process of its own. The peak is the largest resident size of the whole
process (library, parameters and gradient), `growth` what the first gradient added to it. Faults
are minor page faults of one gradient and AdamW step after three others, with the heap kept.
"""
import json
import resource
import sys

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


def main(engine):
    from demos.speed import transformer
    pin()
    if engine == "minigrad":
        import minigrad
        minigrad.keep_heap()
    work = transformer.alone(engine)
    print(json.dumps(measured(*work)))


if __name__ == "__main__":
    main(sys.argv[1])
