"""The two switches of the engine, here and nowhere else."""


class Tape:
    """Are operations recorded, and how many transforms are running?"""
    recording = True                 # False inside no_grad()
    depth = 0                        # how many transforms (grad, vjp, ...) are running


tape = Tape()


class no_grad:
    """`with no_grad():` operations on Tensors give constants, and build no graph."""

    def __enter__(self):
        self.before, tape.recording = tape.recording, False

    def __exit__(self, *_):
        tape.recording = self.before
