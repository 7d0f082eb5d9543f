"""Where a paper's text, its code and its figures say different things: each slip executed.

The numbers come from the runs of this demo and from the paper's toy landscape; what needs the
authors' own vectors is executed with --weights FILE only, and said to be open otherwise.
"""
import numpy as np

from minigrad.backend import float_of, to_host, xp
from optim import Objective
from problems import Network
from problems.landscape.paths.path import Straight
from problems.landscape.paths.published_path import PublishedPath
from problems.potentials import Toy

from . import paper


def table(found, training_images):
    """Rows [number, as printed, as it is], of the twelve slips, in the order of the specification
    of this trial. `found` {network: (runs, pairs, heights)} of the protocol."""
    toy = Toy()
    ends = toy.ends("figure 3")
    line = Straight(*ends)(xp.asarray(np.linspace(0.0, 1.0, 101)))
    heights, steps = to_host(toy.loss(line)), np.diff(to_host(line), axis=0)
    squares, length = float((steps**2).sum()), float(np.linalg.norm(steps, axis=1).sum())
    coded, printed = (H(toy, ends, power, 15, 101) for power in (2, 1))
    short, long = H(toy, ends, 2, 10, 100), H(toy, ends, 2, 10, 101)
    name, (runs, _, barriers) = next(iter(found.items()))
    chosen = [run["losses"]["sgd test"]["test"] - run["losses"]["sgd valid"]["test"]
              for run in runs]
    uphill = [int((np.diff([row[1] for row in run["curves"]["qn"]]) > 0).sum()) for run in runs]
    centre = {key: np.mean([run["points"][key] for run in runs], axis=0)
              for key in ("qn train", "qn test")}
    apart = float(np.linalg.norm(centre["qn train"] - centre["qn test"]))
    above = np.mean([h["path"] - h["ends"] for h in barriers["sgd test"]])
    share = np.mean([h["ends"] / h["path"] for h in barriers["sgd test"]])
    ae = found.get("autoencoder")
    return [
        [1, "the figure minimises the sum of heights (eq. 4)",
         f"sum of squares: straight line {np.sum(heights**2):.6f} (its log: 35.5316), H at lambda "
         f"100 {coded:.4f}; by eq. 4 {printed:.4f} (published .640)"],
        [2, "ReLU", f"softplus in the code: other losses from one start, {activations()}"],
        [3, "50,000 training images", training_images],
        [4, "test loss of the set with the lowest test loss",
         f"{np.mean(chosen):+.4f} of {name}'s SGD against a choice on validation data"],
        [5, "lambda 1e-4", f"the code's 1e-3: on the toy line its share of the objective is "
         f"{1e-3 * squares / heights.sum():.1e} instead of {1e-4 * squares / heights.sum():.1e}"],
        [6, "50 or 100 points, 10 terms", f"51 or 101, 15 on the toy: H at lambda 100 is "
         f"{short:.4f} (10 terms, 100), {long:.4f} (10, 101), {coded:.4f} (15, 101)"],
        [7, "mu .0106, sigma .733 of the LSTM", "the released file decides: --weights FILE"],
        [8, "the centroid of the test vectors, in a figure of the training vectors",
         f"{name}: those two centroids lie {apart:.2f} apart"],
        [9, "Brent's search", f"golden section that accepts rises: {np.mean(uphill):.1f} uphill "
         f"steps a run of {name}"],
        [10, "the notebook's picture", f"its log has the plain length {length:.4f} where the code "
         f"has the sum of squared steps {squares:.4f}"],
        [11, "barriers of SGD tend to be lower; transferable",
         "no transfer test (see the demo transfer); " + (
             "autoencoder not run" if ae is None else
             "autoencoder: H " + ", ".join(f"{np.mean([h['path'] for h in ae[2][key]]):.4f} ({key})"
                                           for key in ("qn train", "sgd train")))],
        [12, "barrier = H", f"{name}, SGD test sets: {100 * share:.0f} % of H is the height of the "
         f"ends, {above:.4f} stands above them"],
    ]


def H(toy, ends, power, terms, points):
    """The paper's height of its toy path at lambda 100, without noise."""
    finder = PublishedPath(power, terms, points, 100.0, 300, 0.01, keep="best")
    return finder.find(toy, *ends).height


def activations():
    """Loss of the fcp network at one start by both activations, on two generated images."""
    rng = np.random.default_rng(0)
    batch = (xp.asarray(rng.random((2, 784))), xp.asarray(np.array([3, 7])))
    losses = []
    for name in ("fcp", "fcp relu"):
        problem = Network(paper.model_of(name), batch)
        losses.append(float_of(Objective(problem).value(problem.start(np.random.default_rng(1)))))
    return f"{losses[0]:.6f} and {losses[1]:.6f}"
