"""Potential energies: landscapes whose minima are molecules and whose passes are reactions.

Chemists ask for the lowest way from one minimum to another; its highest point, a saddle of index 1,
sets the rate. The methods that find it (bands, strings, path finders) are tried here on landscapes
whose passes are known, two small networks among them.

    potential     minima, saddles, and routes: two ends with the height of the lowest way
    wells         double, tilted, curved: a straight line is right, nearly right, far too high
    rings         two ways round a hill, and a straight line that is stationary by symmetry
    gaussians     Mueller-Brown, three holes, the toy landscape of a paper
    wolfe_quapp   three minima, the better way passes the third
    egg_box       Rastrigin's wells: the lowest way moves one coordinate at a time
    neurons       networks of one and two neurons whose barriers are exact
    embedded      any of these, rotated in many dimensions and stiff across
"""
from .egg_box import EggBox
from .embedded import Embedded
from .gaussians import MuellerBrown, ThreeHole, Toy
from .neurons import NeuronSwap, OneNeuron
from .potential import Potential, Route
from .rings import Ring, TiltedRing
from .wells import CurvedWell, DoubleWell, TiltedWell
from .wolfe_quapp import WolfeQuapp
