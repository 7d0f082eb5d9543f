"""With the exponent chosen per layer, training ends about where the better of Muon and AdamW does.

Question   does choosing t while training keep up with the better of Muon and AdamW, on networks of
           several kinds; and is it the choice that does it, or any mixture of exponents?
Expected   within 1.2 times the better of the two at the end of training. On perceptrons and small
           transformers it ties Muon rather than beats it; deep in a linear chain pinned steps end
           at the size of the rate, and white inputs favour SGD.
Seen       ties with Muon on text and patches, with all arms on factors; with K-FAC curvature a
           fifth below Muon on the perceptron, where MuAdam is ahead of all; behind AdamW by orders
           of magnitude in a chain of one layer, behind Muon on some seeds of a chain of five, whose
           hidden layers the identity curvature misjudges.
Time       half an hour with --jobs 2 on busy cores; --quick 20 s. --scenes and --seeds choose.
Source     Massena, Friedrich & Serrurier 2026, arXiv:2605.19781, which claims to stay competitive
           with the better of Muon and AdamW in three scenarios (vision, language, adaptation) at
           scales beyond a laptop; its result tables were not to be had, so no number of it is here.

Contrary evidence to read beside it: random or inverted spectra matched Muon on GPT-2, and a greedy
exponent per batch failed there through noise (arXiv:2605.11181); with fair tuning, gains over AdamW
shrink to 1.4 times and less, and ranks flip during training (arXiv:2509.02046), so only ends are
compared here, over grids of equal size.

Rates: three for each arm, a factor of about three apart, the best by its mean over seeds; the edge
of a grid is marked. Matrix arms take steps pinned to one size and share AdamW's rate for the rest.
The grids were moved up once, all arms by one rate, after a first run on text had three of six arms
best at the highest; the numbers of steps were cut once, before any result, to what two busy cores
do in half an hour.
"""
import numpy as np

from demos.evidence import ratio_interval, t_interval
from optim import run_all

from .arms import ARMS, follow, grid, method
from .picture import draw
from .scenes import SCENES, deep_linear

SOURCE = "arXiv:2605.19781"
DTYPE = "float32"
STEPS = {"perceptron": 400, "text": 200, "patches": 120, "factors": 150}
DEPTHS = (1, 2, 5)
FEWER = [arm for arm in ARMS if arm not in ("MuAdam", "adaptive, kfac")]    # where steps are dear


def arguments(parser):
    parser.add_argument("--scenes", default=None, metavar="LIST", help="of depth, "
                        + ", ".join(SCENES) + "; default all, with --quick depth and perceptron")
    parser.add_argument("--seeds", type=int, default=5, metavar="N", help="runs of each arm and "
                        "rate (default 5, the fewest that give an interval; --quick 2)")


def run(args, report):
    chosen = args.scenes.split(",") if args.scenes else (
        ["depth", "perceptron"] if args.quick else ["depth", *SCENES])
    unknown = set(chosen) - {"depth", *SCENES}
    if unknown:
        raise ValueError(f"adaptive_lmo: unknown scenes {', '.join(sorted(unknown))}. "
                         f"Use some of depth, {', '.join(SCENES)}.")
    results = {}
    for scene in [f"depth {d}" for d in DEPTHS if "depth" in chosen] + [
            s for s in chosen if s != "depth"]:
        results[scene] = compare(scene, args, report)
        claims(scene, results[scene], report)
    if report.plotting:
        draw(report, results)


def compare(scene, args, report):
    """{arm: (rate, score of each seed at it, the whole curve, exponents of the first seed)}."""
    seeds = range(args.seed, args.seed + (2 if args.quick else args.seeds))
    steps = 60 if args.quick else STEPS.get(scene, 600)
    arms = ARMS if scene == "perceptron" else FEWER
    calls = [(scene, arm, lr, seed, steps, args.data_dir)
             for arm in arms for lr in grid(arm) for seed in seeds]
    done = dict(zip([call[1:4] for call in calls], run_all(
        one, calls, args.jobs, lambda text, share: report.progress(f"{scene}: {text}", share))))
    found, rows = {}, []
    for arm in arms:
        curve = {lr: [done[arm, lr, seed][0] for seed in seeds] for lr in grid(arm)}
        best = min(curve, key=lambda lr: np.mean(curve[lr]))
        edge = "" if sorted(curve).index(best) == 1 else " edge"
        found[arm] = best, np.array(curve[best]), curve, done[arm, best, seeds[0]][1]
        rows.append([arm, f"{best:g}{edge}", float(np.mean(curve[best])),
                     float(np.min(curve[best])), float(np.max(curve[best])),
                     *(float(np.mean(curve[lr])) for lr in curve)])
    report.table(["arm", "best rate", "mean", "lowest", "highest", "low", "middle", "high"], rows,
                 title=f"{scene}: at the end of {steps} steps, {len(seeds)} seeds; means at the "
                 "three rates")
    report.data[scene] = {arm: {"rates": curve, "exponents": exponents}
                          for arm, (_, _, curve, exponents) in found.items()}
    return found


def one(scene, arm, lr, seed, steps, folder):
    """One run: (score at the end, [exponents every 10 steps])."""
    make = (lambda s, _: deep_linear(int(scene.split()[1]), s)) if scene.startswith("depth") \
        else SCENES[scene]
    problem, batches, theta, matrices, judge = make(seed, folder)
    opt = method(arm, problem.layout, lr, steps, matrices, np.random.default_rng([seed, 99]))
    theta, _, exponents = follow(opt, problem, batches, theta, steps)
    score = np.inf if theta is None else judge(theta)
    return (score if np.isfinite(score) else np.inf), [list(map(float, e)) for e in exponents]


def claims(scene, found, report):
    """The adaptive arms against the better of Muon and AdamW, and against random exponents."""
    better = np.minimum(found["Muon, pinned"][1], found["AdamW"][1])
    n = len(better)
    for arm in (arm for arm in ("adaptive", "adaptive, kfac") if arm in found):
        scores = found[arm][1]
        if not np.isfinite(scores).all():
            report.note(f"{scene}: a run of {arm} diverged at its best rate.")
            continue
        report.claim(f"{scene}, {arm}: loss at the end / the better of Muon and AdamW",
                     *ratio_interval(scores, better), origin="paper" if arm == "adaptive" else
                     "ours", where="abstract: competitive with the better of the two",
                     how=f"95 % t of logarithms, n = {n} seeds", at_most=1.2, quick=False,
                     why="asked of the method before the first run")
    gap = np.log(found["random t"][1]) - np.log(found["adaptive"][1])
    if np.isfinite(gap).all():
        report.claim(f"{scene}: log loss of random exponents minus that of chosen ones",
                     *t_interval(gap), origin="ours", where="is it the choice?", above=0.0,
                     how=f"95 % t, n = {n} seeds", quick=False,
                     lesson="Here a mixture of exponents drawn at random does as well: the choice "
                     "is not what matters.")
