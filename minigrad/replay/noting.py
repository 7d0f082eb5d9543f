"""The numpy of a recording: while a function is recorded, the name `xp` of every module is this.

Constructors see no Noted array, and so NumPy would tell nobody. Here `zeros`, `array` and their kin
note themselves; everything else is NumPy's own.
"""
import sys
import threading
import types

import numpy

from minigrad.replay.recording import CannotReplay, Noted, Recording, arrays_in


class Noting:
    """numpy, with constructors that note themselves in the thread that records."""

    def __init__(self, recording):
        self._recording = recording

    def __getattr__(self, name):
        return getattr(numpy, name)

    @property
    def lib(self):
        tricks = types.SimpleNamespace(as_strided=self.as_strided)
        return types.SimpleNamespace(stride_tricks=tricks)

    def as_strided(self, x, shape, strides, **settings):
        """NumPy's gives an ordinary array that does not say whose memory it shows."""
        if not isinstance(x, Noted):
            return numpy.lib.stride_tricks.as_strided(x, shape, strides, **settings)
        x = self._recording.plain(x)
        return self._recording.noted(numpy.ndarray(shape, x.dtype, buffer=x, strides=strides))

    def full(self, shape, value, dtype=None, **settings):
        if threading.get_ident() != self._recording.thread:
            return numpy.full(shape, value, dtype, **settings)
        return self._recording.filled(shape, value, dtype, **settings)

    def zeros(self, shape, dtype=float, **settings):
        return self.full(shape, 0, dtype, **settings)

    def ones(self, shape, dtype=float, **settings):
        return self.full(shape, 1, dtype, **settings)

    def empty(self, shape, dtype=float, **settings):
        return self.full(shape, 0, dtype, **settings)

    def array(self, x, dtype=None, **settings):
        return self.made(numpy.array, x, dtype, True, **settings)

    def asarray(self, x, dtype=None, **settings):
        return self.made(numpy.asarray, x, dtype, False, **settings)

    def ascontiguousarray(self, x, dtype=None):
        return self.made(numpy.ascontiguousarray, x, dtype, False)

    def asfortranarray(self, x, dtype=None):
        return self.made(numpy.asfortranarray, x, dtype, False)

    def made(self, function, x, dtype, copies, **settings):
        """array and its kin: of a Noted array, or a copy of data that may be written into."""
        if not isinstance(x, Noted) and any(isinstance(a, Noted) for a in arrays_in(x)):
            raise CannotReplay("an array is made of a list of arrays. Use stack.")
        if not isinstance(x, Noted) and (
                not copies or threading.get_ident() != self._recording.thread):
            return function(x, dtype, **settings)
        return self._recording.function(function, x, dtype=dtype, **settings)


lock = threading.RLock()


class recorded:
    """`with recorded() as recording:` the name xp of every module is a numpy that notes."""

    def __enter__(self):
        lock.acquire()
        self.recording = Recording()
        noting = Noting(self.recording)
        self.modules = [m for m in list(sys.modules.values())
                        if getattr(m, "__dict__", {}).get("xp") is numpy]
        for module in self.modules:
            module.xp = noting
        return self.recording

    def __exit__(self, *_):
        for module in self.modules:
            module.xp = numpy
        self.recording.open = False
        lock.release()
