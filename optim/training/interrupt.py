"""Ctrl-C without loss: the signal is noted, and answered between two steps.

A step may be anywhere when the signal comes, with half of the optimizer's state updated in
place. So inside the block the first Ctrl-C only sets a flag, and the loop ends when it is
ready; a second one breaks off at once, as usual.
"""
import signal
import threading


class CtrlC:
    """`with CtrlC() as ctrl_c:` ... `if ctrl_c.asked:`. Outside the main thread it does nothing."""

    def __enter__(self):
        self.asked = False
        self.before = None
        if threading.current_thread() is threading.main_thread():
            self.before = signal.signal(signal.SIGINT, self.note)
        return self

    def note(self, number, frame):
        self.asked = True
        signal.signal(signal.SIGINT, signal.default_int_handler)

    def __exit__(self, *error):
        if self.before is not None:
            signal.signal(signal.SIGINT, self.before)
