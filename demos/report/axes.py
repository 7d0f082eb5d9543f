"""Numbers along logarithmic axes that do not print over each other.

matplotlib labels the powers of ten, and where there are none, all of 2 x 10^0, 3 x 10^0, ... in
full: six labels in the room of three. Here an axis over less than a power of ten has plain numbers
at a few round places; over some powers it has 1, 2 and 5 of each; over many the powers alone.
"""
import math


def legible(figure):
    """Give the logarithmic axes of a figure whose labels nobody has chosen legible ones."""
    for axes in figure.get_axes():
        for axis in (axes.xaxis, axes.yaxis):
            if axis.get_scale() == "log" and left_alone(axis):
                label(axis)


def left_alone(axis):
    """Whether the labels are still matplotlib's own."""
    from matplotlib.ticker import LogFormatterSciNotation, LogLocator

    return (isinstance(axis.get_major_formatter(), LogFormatterSciNotation)
            and isinstance(axis.get_major_locator(), LogLocator))


def label(axis):
    from matplotlib.ticker import FixedLocator, FuncFormatter, NullFormatter, NullLocator

    low, high = sorted(axis.get_view_interval())
    axis.set_minor_formatter(NullFormatter())
    if not 0 < low < high or math.log10(high / low) > 2.5:      # the powers of ten are enough
        return
    places = few(low, high)
    if len(places) > 1:
        axis.set_major_locator(FixedLocator(places))
        axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.6g}"))
        if math.log10(high / low) < 0.8:
            axis.set_minor_locator(NullLocator())


def few(low, high):
    """Two to five round numbers within [low, high]."""
    bottom = math.floor(math.log10(low))
    for digits in ((1,), (1, 3), (1, 2, 5)):
        places = [d * 10.0**k for k in range(bottom, bottom + 5) for d in digits
                  if low <= d * 10.0**k <= high]
        if len(places) > 2:
            return places
    step = 10.0 ** math.floor(math.log10(high - low))
    for share in (0.2, 0.5, 1.0, 2.0, 5.0):                     # within one power: even steps
        first = math.ceil(low / (share * step) - 1e-9)
        places = [k * share * step for k in range(first, first + 60) if k * share * step <= high]
        if len(places) <= 4:
            return places
    return places
