"""What recording one operation costs: x * x on an array of two numbers."""
from timeit import timeit

from demos.speed.timing import Case
from minigrad import tensor, xp

N = 1000
ALLOWED = 2.5e-6                # seconds over NumPy's own time


def cases():
    a = xp.asarray([1.0, 2.0])
    x = tensor(a)

    def ours():
        for _ in range(N):
            x * x

    def numpy():
        for _ in range(N):
            a * a

    bound = round(1.0 + ALLOWED / (min(timeit(numpy, number=1) for _ in range(20)) / N), 1)
    return [Case("one recorded operation", {"minigrad": ours, "NumPy": numpy},
                 [("one recorded x*x on 2 numbers / NumPy's own", "minigrad", "NumPy", bound)],
                 per=N)]
