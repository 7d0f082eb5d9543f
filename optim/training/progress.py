"""One line that says how a long run is doing: step, loss, speed, time left.

In a terminal the line is rewritten in place ten times a second; in a pipe or a log file a
plain line appears now and then, so that neither fills up.
"""
import shutil
import sys
import time


class Progress:
    """Shows `step 1200/2000  loss 1.834  9.8 steps/s  1:22 left`.

    total    number of steps if it is known, else None
    out      "auto" for standard error, None for silence, or a function of one line of text
    every    seconds between plain lines
    """

    def __init__(self, total=None, out="auto", every=15.0):
        self.total, self.out = total, out
        self.terminal = out == "auto" and sys.stderr.isatty()
        self.pause = 0.1 if self.terminal else every
        self.started = self.shown = time.monotonic()
        self.first = None
        self.width = 0

    def update(self, step, loss, last=False):
        """Show the line if it is time; `loss` is a function, called only then."""
        now = time.monotonic()
        if self.first is None:
            self.first = step - 1
        if self.out is None or (now - self.shown < self.pause and not (last and self.width)):
            return
        self.shown = now
        self.show(self.line(step, loss(), now - self.started), last)

    def line(self, step, loss, seconds):
        speed = (step - self.first) / max(seconds, 1e-9)
        if self.total is None:
            return f"step {step}  loss {loss:.4g}  {speed:.3g} steps/s"
        left = (self.total - step) / max(speed, 1e-9)
        return (f"step {step}/{self.total}  loss {loss:.4g}  {speed:.3g} steps/s  "
                f"{duration(left)} left")

    def show(self, text, last=False):
        if not self.terminal:
            self.width = len(text)
            if self.out == "auto":
                print(text, file=sys.stderr, flush=True)
            else:
                self.out(text)
            return
        end, room = "\n" if last else "", shutil.get_terminal_size().columns - 1
        if len(text) > room:                            # a line that wraps cannot be rewritten
            first, *between, left = text.split("  ")
            text = (f"{first.removeprefix('step ')}  {left}" if between else text)[:room]
        print("\r" + text.ljust(min(self.width, room)), end=end, file=sys.stderr, flush=True)
        self.width = len(text)


def duration(seconds):
    """0:07, 12:30, 1:02:05."""
    seconds = int(round(seconds))
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{seconds:02d}" if hours else f"{minutes}:{seconds:02d}"
