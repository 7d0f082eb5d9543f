"""A slope that ends in a bowl: the landscape on which 1/eps^2 and 1/eps^4 can be counted."""
import minigrad as mg
from minigrad.backend import xp

from problems.problem import Problem


class Ramp(Problem):
    """The slope times |x|, with a parabola of curvature l at the bottom: Huber's function.

        f = l x^2/2                             if |x| < w,    w = slope/l
            slope (|x| - w/2)                   else

    On the ramp an exact step of 1/l lowers f by slope^2/l, so falling by `height` takes
    l height/slope^2 steps: with a slope of order eps that is 1/eps^2. Gradients with noise of
    deviation s keep x shaking at the bottom, |f'|^2 = lr l s^2/2 on average. To rest below eps the
    step must shrink to lr ~ eps^2/(l s^2), and the same descent takes height/(lr slope^2) steps,
    of order l s^2 height/eps^4.

    slope, l     of the ramp; curvature of the bowl
    height       at which `top` lies
    """

    def __init__(self, slope, l=1.0, height=1.0):
        if not (slope > 0 and l > 0 and height >= slope**2 / (2 * l)):
            raise ValueError("Ramp: needs slope > 0, l > 0 and a height of at least slope^2/(2 l), "
                             f"got slope={slope}, l={l}, height={height}.")
        self.slope, self.l, self.width = slope, l, slope / l
        self.minimum, self.minimisers = 0.0, ((0.0,),)
        self.top = height / slope + 0.5 * self.width

    def start(self, rng=None):
        """The point at `height`."""
        return xp.asarray([self.top])

    def loss(self, theta, batch=None):
        x = mg.abs(theta[..., 0])
        return mg.where(x < self.width, 0.5 * self.l * x * x, self.slope * (x - 0.5 * self.width))

    def steepness(self, theta):
        """|f'| (...)."""
        return xp.minimum(self.l * xp.abs(theta[..., 0]), self.slope)
