"""Potential energies: landscapes whose minima are molecules and whose passes are reactions.

Chemists ask for the lowest way from one minimum to another; its highest point, a saddle of index 1,
sets the rate. The methods that find it (elastic bands, strings) are tried here on surfaces whose
passes are known.

    mueller_brown   three minima, two passes, curved so that straight lines mislead
"""
from .mueller_brown import MuellerBrown
