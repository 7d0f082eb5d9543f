"""Standard output and error that the work outlives: readers may leave, terminals may lack letters.

`python -m demos NAME | head -1` closes the pipe after a line; `>&-` and `2>&-` begin without one.
The run goes on in silence then, and writes its files. A disk that is full under `> file` is said
at the first line, which is before the work.
"""
import os
import shutil
import sys

WIDTH = 80                                              # columns where nobody says how many there are


def columns(stream):
    """How many columns to write into: those of a terminal, at least 40 and at most 80."""
    if not stream.isatty():
        return WIDTH
    return min(WIDTH, max(40, shutil.get_terminal_size((WIDTH, 24)).columns))


class Lasting:
    """A text stream whose reader may leave: what is written afterwards is dropped.

    Raises OSError with one sentence if the stream fails for another reason, once.
    """

    def __init__(self, stream, name):
        self.stream, self.name = stream, name
        stream.reconfigure(errors="backslashreplace")   # a letter it lacks is no reason to end

    def __getattr__(self, name):
        return getattr(self.stream, name)

    def write(self, text):
        return self.attempt(self.stream.write, text)

    def flush(self):
        return self.attempt(self.stream.flush)

    def attempt(self, act, *arguments):
        try:
            return act(*arguments)
        except OSError as problem:
            os.dup2(os.open(os.devnull, os.O_WRONLY), self.stream.fileno())
            if not isinstance(problem, BrokenPipeError):
                raise OSError(f"demos: cannot write to {self.name} ({problem.strerror}). Send it "
                              "to a place with room.") from None


def make_lasting():
    """Put lasting streams in the place of sys.stdout and sys.stderr."""
    for handle in range(3):                         # no file that is opened later may become one of them
        try:
            os.fstat(handle)
        except OSError:
            os.open(os.devnull, os.O_RDWR)          # takes the lowest number that is free
    for attribute, name in (("stdout", "standard output"), ("stderr", "standard error")):
        stream = getattr(sys, attribute) or open(os.devnull, "w")
        setattr(sys, attribute, Lasting(stream, name))
