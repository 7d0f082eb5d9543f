"""The paper's tables at reduced size: losses, spread, barriers, shells, kernels, and its slips."""
import json
from pathlib import Path

import numpy as np

from optim import run_all
from problems.data import first_local, load
from problems.landscape.slices.kernel_pca import gaussian_twins, kernel_pca, separation, unit

from demos.evidence import holm, permutation_test, t_interval

from . import ours, paper, slips

PUBLISHED = json.loads((Path(__file__).parents[1] / "published" / "topography.json").read_text())
RUNS = "95 % t over {} starts shared by the arms"


def protocol(args, report):
    """The paper's tables at reduced size: losses, spread, barriers, shells, kernels."""
    sizes = paper.SIZES["quick" if args.quick else args.size]
    names = args.networks.split(",") if args.networks else list(sizes)
    for name in names:
        if name not in sizes:
            raise ValueError(f"topography: --networks {name!r} is unknown at this size. "
                             f"Use some of {', '.join(sizes)}.")
    source = args.data or first_local("mnist", "strokes", root=args.data_dir)
    starts = 3 if args.quick else args.starts
    report.data["data"] = source
    found, rates = {}, {}
    for name in names:
        where = (name, source, args.data_dir, sizes[name])
        report.progress(f"{name}: SGD's rate")
        rate, tried = (0.1, {}) if args.quick else paper.choose_rate(*where, args.seed)
        rates[name] = rate, tried
        runs = run_all(paper.train, [(*where, rate, args.seed, i) for i in range(starts)],
                       args.jobs, report.progress)
        pairs = ours.pairs_of(starts, 1)
        heights = run_all(paper.barrier, [
            (*where, runs[i]["points"][key], runs[j]["points"][key], args.seed)
            for key in paper.SETS for i, j in pairs], args.jobs, report.progress)
        found[name] = runs, pairs, {key: heights[k * len(pairs):(k + 1) * len(pairs)]
                                    for k, key in enumerate(paper.SETS)}
    about = paper.parts_of(names[0], source, args.data_dir, sizes[names[0]])[1]
    report.note(f"THE PAPER'S PROTOCOL, REDUCED (as coded; {about}; {starts} starts where the paper "
                "has 75). Test sets are chosen on the test loss, as the paper's are.")
    report.note("SGD's rate, of a list that widens at its edges: " + ", ".join(
        f"{name} {rate:g}" for name, (rate, _) in rates.items()) + ".")
    report.data["rates"] = {name: tried for name, (_, tried) in rates.items()}
    loss_table(report, found)
    weight_table(report, found)
    barrier_table(report, found)
    kernel_table(args, report, found)
    images = (f"MNIST has {len(first_images(args)):,}" if source == "mnist" else
              "60,000 by the code; MNIST is not at hand here")
    rows = slips.table(found, images)
    report.table(["", "as printed", "as it is"], rows, "SLIPS of the text, each executed")
    report.data["slips"] = rows
    report.data["protocol"] = {name: {"losses": [run["losses"] for run in runs],
                                      "passes": [run["passes"] for run in runs],
                                      "heights": heights}
                               for name, (runs, _, heights) in found.items()}
    return found


def first_images(args):
    """All training images as the paper's code loads them."""
    return load("mnist", args.data_dir, split="paper", flat=True).train.inputs


def loss_table(report, found):
    rows = []
    for name, (runs, _, _) in found.items():
        there = PUBLISHED["loss"].get(name.split()[0], {})
        for key in (*paper.SETS, "qn valid", "sgd valid", "ours train"):
            mean = [np.mean([run["losses"][key][part] for run in runs])
                    for part in ("train", "test")]
            rows.append([name, key, *mean, there.get(key)])
    report.table(["network", "set", "train loss", "test loss", "published"], rows,
                 "Losses (published: of each set on its own data, 60,000 images, 75 starts)")
    for name, (runs, _, _) in found.items():
        gap = [np.log(run["losses"]["qn train"]["train"] / run["losses"]["sgd train"]["train"])
               for run in runs]
        report.claim(f"{name}: quasi-Newton trains deeper than SGD (log of the ratio of training "
                     "losses)", *t_interval(gap), below=0.0, origin="paper", where="table I",
                     how=RUNS.format(len(runs)), quick=False,
                     lesson="With the lengths of runs chosen here SGD is not behind.")
        gap = [run["losses"]["qn test"]["test"] - run["losses"]["sgd test"]["test"]
               for run in runs]
        better = name == "autoencoder"
        report.claim(f"{name}: at its lowest test loss it is "
                     + ("better" if better else "worse") + " on new data (difference)",
                     *t_interval(gap), **{"below" if better else "above": 0.0}, origin="paper",
                     where="table I, test sets", how=RUNS.format(len(runs)), quick=False,
                     lesson="The order of the test losses is not that of the published table.")


def weight_table(report, found):
    rows, there = [], PUBLISHED["mean and deviation of the weights"]
    for name, (runs, _, _) in found.items():
        for key in paper.SETS:
            mean, deviation = paper.weights(np.array([run["points"][key] for run in runs]))
            rows.append([name, key, mean, deviation,
                         *there.get(name.split()[0], {}).get(key, (None, None))])
        gap = [np.std(run["points"]["qn train"]) - np.std(run["points"]["sgd train"])
               for run in runs]
        report.claim(f"{name}: the weights of quasi-Newton spread wider (difference of deviations)",
                     *t_interval(gap), above=0.0, origin="paper", where="table S1, 8 of 8",
                     how=RUNS.format(len(runs)), quick=False,
                     lesson="How far weights grow depends on how long each method runs.")
    report.table(["network", "set", "mean", "deviation", "published", "published"], rows,
                 "All entries of the weights: mean and deviation")


def barrier_table(report, found):
    rows, p_values, names = [], [], []
    for name, (runs, pairs, heights) in found.items():
        for key in paper.SETS:
            rows.append([name, key, *(np.mean([h[what] for h in heights[key]])
                                      for what in ("straight", "path", "ends"))])
        gap = [q["path"] - s["path"] for q, s in zip(heights["qn train"], heights["sgd train"])]
        p_values.append(permutation_test(gap))
        names.append((name, float(np.mean(gap))))
        away = [np.mean(side) for side in paper.shells(
            *(np.array([run["points"][key] for run in runs]) for key in ("qn train", "sgd train")))]
        report.note(f"{name}: mean distance to the common centroid, quasi-Newton {away[0]:.1f}, "
                    f"SGD {away[1]:.1f}.")
    report.table(["network", "set", "straight", "path", "ends"], rows, "Heights H of paths on the "
                 "training loss (sampled, not above the ends, as the paper has them)")
    for (name, gap), p in zip(names, holm(p_values)):
        report.claim(f"{name}: barriers of the training sets differ (quasi-Newton less SGD "
                     f"{gap:+.3g}; p, Holm)", p, rejects=0.05, origin="paper",
                     where="figure 4: SGD lower in fcp, lenet, lstm, not in the autoencoder",
                     how=f"exact sign permutation over pairs in a ring, {len(names)} networks",
                     quick=False)


def kernel_table(args, report, found):
    rng, rows = np.random.default_rng([args.seed, 7]), []
    for name, (runs, _, _) in found.items():
        qn, sgd = (np.array([run["points"][key] for run in runs], dtype=float)
                   for key in ("qn train", "sgd test"))
        rows += separations(name, np.concatenate([qn, sgd]), len(qn), rng)
    report.table(["network", "vectors", *HEADERS], rows,
                 "First kernel component: how well it parts quasi-Newton (train) from SGD (test), "
                 "area under the ROC curve; 0.5 says nothing, 1 parts them")
    report.data["kernel separation"] = rows


HEADERS = ("rbf 2s2=N", "rbf median", "linear", "polynomial", "sigmoid")


def separations(name, rows, first, rng):
    """Rows of the table: raw vectors, unit vectors, and Gaussian twins, the null model."""
    twins = np.concatenate([np.asarray(gaussian_twins(rng, len(part), part.shape[1], part.mean(),
                                                      part.std()))
                            for part in (rows[:first], rows[first:])])
    table = []
    for what, vectors in (("raw", rows), ("unit", np.asarray(unit(rows))), ("null model", twins)):
        areas = []
        for kernel, width in (("rbf", "parameters"), ("rbf", "median"), ("linear", None),
                              ("polynomial", None), ("sigmoid", None)):
            settings = {} if width is None else {"bandwidth": width}
            scores = kernel_pca(vectors, kernel, components=1, **settings).coordinates[:, 0]
            areas.append(separation(scores[:first], scores[first:]))
        table.append([name, what, *areas])
    return table
