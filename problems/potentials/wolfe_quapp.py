"""The Wolfe-Quapp surface: three minima, two ways between the lower two."""
from .potential import Potential, Route


class WolfeQuapp(Potential):
    """V = x⁴ + y⁴ - 2x² - 4y² + xy + 0.3x + 0.1y

    The better of the two ways between the lower minima passes the third; the other one is nearly as
    low and easily taken for the only one.

    Source: Quapp 2005, J. Chem. Phys. 122, 174106, after Wolfe's polynomial.
    """

    bounds = ((-2.0, 2.0), (-2.0, 2.0))
    minima = ((-1.174056057210, 1.477087059114), (1.124101755409, -1.485274278126),
              (-0.821907827222, -1.366729589145))
    minima_heights = (-6.762452573703, -6.368956506584, -4.137203122943)
    saddles = ((-0.303210557748, -1.401337588600), (-1.022244487395, -0.116062266384),
               (0.940969480202, 0.131251722704))
    saddle_heights = (-3.980303235498, -1.251312365006, -0.636563647205)
    maxima, maxima_heights = ((0.081199305484, 0.022655727574),), (0.013268946779,)
    routes = {"by the third minimum": Route(minima[0], minima[1], saddle_heights[1], -0.00745417),
              "to the third minimum": Route(minima[1], minima[2], saddle_heights[0])}

    def loss(self, theta, batch=None):
        x, y = theta[..., 0], theta[..., 1]
        xx, yy = x * x, y * y
        return xx * xx + yy * yy - 2.0 * xx - 4.0 * yy + x * y + 0.3 * x + 0.1 * y
