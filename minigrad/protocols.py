"""What a Tensor answers to Python and to NumPy: as an array would, or with the way to say it."""
from minigrad.tensor import Tensor


def refuse_numpy(self, *_, **__):
    raise TypeError("np.asarray, np.sum, ...: a Tensor is not an array. Use its .data for the "
                    "values, or minigrad's functions (minigrad.sum, ...) to differentiate.")


def refuse_item(self, index, value):
    raise TypeError("item assignment: a Tensor is a value and cannot be written into. Use "
                    "minigrad.where(mask, new, old), or build it with concatenate or stack.")


Tensor.__array__ = Tensor.__array_function__ = refuse_numpy
Tensor.__setitem__ = refuse_item
Tensor.__len__ = lambda self: len(self.data)
Tensor.__float__ = Tensor.item = lambda self: float(self.data)
Tensor.__bool__ = lambda self: bool(self.data)
