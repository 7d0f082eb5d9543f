"""What recording one operation costs: x * x on an array of two numbers."""
from demos.speed.timing import Case
from minigrad import tensor, xp

N = 1000


def cases():
    a = xp.asarray([1.0, 2.0])
    x = tensor(a)

    def ours():
        for _ in range(N):
            x * x

    def numpy():
        for _ in range(N):
            a * a

    def allowance():
        """NumPy's own time and 2.5 microseconds more an operation, for the ratio to stay below 1."""
    return [Case("a recorded operation", {"minigrad": ours, "NumPy": numpy},
                 [("recorded x*x on 2 numbers / NumPy's own", "minigrad", "NumPy", 15.0)])]
