"""A moving picture of `saddle_escape`: three methods on one saddle, and how long each stays there.

The surface is f = x²/2 - y²/2 + (x² + y²)²/4: a strict saddle at 0 between two minima at y = ±1.
All start on the ridge but for 1e-5, each from another side of the saddle, which are all alike; the
height of each is drawn as it falls.
"""
import numpy as np

from demos.report.looks import colour, look
from minigrad.backend import to_host, xp
from optim import SGD, Objective, PerturbedGD, SaddleFreeNewton
from optim.descent import descent
from problems.saddles import RayleighQuartic

SADDLE = RayleighQuartic([-1.0, 1.0])
STEPS, EVERY, REST = 160, 4, 8                          # the last picture stays for REST more
LABELS = {"gradient descent": "gradient descent", "perturbed": "with a kick where it is flat",
          "saddle-free Newton": "saddle-free Newton"}


def ways(seed):
    """{method: points (STEPS + 1, 2)}."""
    methods = {"gradient descent": (SGD(0.1), (0.85, 1e-5)),
               "perturbed": (PerturbedGD(0.1, np.random.default_rng([seed, 14])), (-0.85, 1e-5)),
               "saddle-free Newton": (SaddleFreeNewton(), (0.85, -1e-5))}
    return {name: np.array([to_host(theta) for _, theta, _, _ in descent(
        method, Objective(SADDLE), xp.asarray(start), steps=STEPS)])
        for name, (method, start) in methods.items()}


def animate(report, seed):
    figure = report.subplots(1, 1, figsize=(7.6, 3.6))[0]
    figure.clear()
    surface, heights = (figure.add_subplot(1, 2, 1, projection="3d", computed_zorder=False),
                        figure.add_subplot(1, 2, 2))
    draw_surface(surface)
    heights.set(xlabel="step", ylabel="height", xlim=(0, STEPS), ylim=(-0.3, 0.6),
                title="The plateau is the time spent at the saddle")
    drawn = []
    for name, path in ways(seed).items():
        height = to_host(SADDLE(xp.asarray(path)))
        trail, = surface.plot([], [], [], color=colour(name), linewidth=1.8, zorder=3)
        ball, = surface.plot([], [], [], "o", color=colour(name), markeredgecolor="white", zorder=4,
                             markersize=11 if name == "gradient descent" else 8)
        curve, = heights.plot([], [], linewidth=1.8, label=LABELS[name], **look(name))
        drawn.append((path, height, trail, ball, curve))
    heights.legend(fontsize=8, loc="upper right")

    def draw(frame):
        step = min(EVERY * frame, STEPS)
        for path, height, trail, ball, curve in drawn:
            x, y = path[:step + 1].T
            z = height[:step + 1] + 0.02                # above the surface, not in it
            trail.set_data_3d(x, y, z)
            ball.set_data_3d(x[-1:], y[-1:], z[-1:])
            curve.set_data(np.arange(step + 1), height[:step + 1])

    report.animation(figure, draw, STEPS // EVERY + 1 + REST, "moving")


def draw_surface(ax):
    x, y = np.meshgrid(np.linspace(-0.95, 0.95, 25), np.linspace(-1.3, 1.3, 33))
    z = to_host(SADDLE(xp.asarray(np.stack([x, y], axis=-1))))
    ax.plot_surface(x, y, z, color="#efe9dc", edgecolor="0.72", linewidth=0.3, rcount=33, ccount=25,
                    zorder=1)
    ax.set(xlim=(-0.95, 0.95), ylim=(-1.3, 1.3), zlim=(-0.3, 0.9),
           title="Three ways out of a saddle")
    ax.set_axis_off()
    ax.view_init(elev=48, azim=-62)
    ax.set_box_aspect((1, 1.3, 0.75), zoom=1.15)
