"""MINIGRAD_PROFILE=1: calls and milliseconds of every operation, printed when the program ends.

Forward passes carry the operation's name, derivative rules the name with a prime: `matmul` and
`matmul'`. Times are wall-clock and include operations called inside an operation.
"""
import atexit
import os
import sys
import time

enabled = os.environ.get("MINIGRAD_PROFILE", "0") not in ("", "0")
calls, seconds = {}, {}


def timed(label, function):
    """`function`, counted and timed under `label`; unchanged when profiling is off."""
    if not enabled:
        return function

    def measured(*args, **kwargs):
        start = time.perf_counter()
        try:
            return function(*args, **kwargs)
        finally:
            calls[label] = calls.get(label, 0) + 1
            seconds[label] = seconds.get(label, 0.0) + time.perf_counter() - start
    return measured


def report(file=None):
    """Print the table, slowest first."""
    print(f"{'operation':24s}{'calls':>10s}{'ms':>12s}{'us/call':>12s}", file=file or sys.stderr)
    for label in sorted(seconds, key=seconds.get, reverse=True):
        s, n = seconds[label], calls[label]
        print(f"{label:24s}{n:10d}{1e3 * s:12.2f}{1e6 * s / n:12.2f}", file=file or sys.stderr)


if enabled:
    atexit.register(report)
