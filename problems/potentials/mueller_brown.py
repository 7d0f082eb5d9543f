"""The Mueller-Brown surface, at its old address: see `gaussians`."""
from .gaussians import MuellerBrown                                            # noqa: F401
