"""Break the project on purpose, in 88 places, and see whether the tests notice.

    python tests/demos/mutants.py                  all of them, about ten minutes
    python tests/demos/mutants.py verdicts         48 in the code that speaks to the reader
    python tests/demos/mutants.py library          40 in the library
    python tests/demos/mutants.py --jobs 2 WORD    only those whose file holds the word

A mutant is (file, old text, new text, tests to run). It is applied in a temporary copy of the
project, one at a time; noticed means that one of its tests fails. Status 0 if at most one in
fifteen goes unnoticed, 1 if more do, 2 if a mutant no longer fits the code: its old text is gone,
or its tests cannot be run. Such a mutant is to be rewritten, not dropped.
"""
import argparse
import os
import queue
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).parents[2]
ALLOWED = 1 / 15                                        # share that may go unnoticed: 2 of 30
QUIET = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1", "OMP_NUM_THREADS": "1",
         "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}

EVIDENCE, T_EVIDENCE = "demos/evidence.py", "tests/demos/test_evidence.py"
VERDICT, T_VERDICT = "demos/report/verdict.py", "tests/demos/test_verdict.py"
REPORT, T_REPORT = "demos/report/__init__.py", "tests/demos/test_report.py"
METRIC, T_METRIC = "demos/induced_metric", "tests/demos/test_verdicts_of_optimizers.py"
T_ERRATA = "tests/demos/test_errata.py"
LAND, T_LAND = "demos/landscape", "tests/demos/test_verdicts_of_landscapes.py"
T_WARM, T_NORMS = "tests/demos/test_warmup.py", "tests/demos/test_norm_layers.py"

VERDICTS = [
    # intervals
    (EVIDENCE, "width = t_quantile(quantile_of(of), n - 1) *",
     "width = 2 * t_quantile(quantile_of(of), n - 1) *", T_EVIDENCE),
    (EVIDENCE, "float(x.std(ddof=1)) / math.sqrt(n)", "float(x.std(ddof=0)) / math.sqrt(n)",
     T_EVIDENCE),
    (EVIDENCE, "float(x.std(ddof=1)) / math.sqrt(n)", "0.0 / math.sqrt(n)", T_EVIDENCE),
    (EVIDENCE, "LEAST = 5 ", "LEAST = 2 ", T_EVIDENCE),
    (EVIDENCE, "1 - (1 - LEVEL) / (2 * of)", "1 - (1 - LEVEL) / of", T_EVIDENCE),
    (EVIDENCE, "1 - (1 - LEVEL) / (2 * of)", "1 - (1 - LEVEL) / 2", T_EVIDENCE),
    (EVIDENCE, "* math.sqrt(a + b)\n", "* math.sqrt(a)\n", T_EVIDENCE),
    (EVIDENCE, "<= 1 - quantile_of(of):", "<= 2 - 2 * quantile_of(of):", T_EVIDENCE),
    (EVIDENCE, "(sample[pick] for sample in samples)",
     "(sample[rng.permutation(pick)] for sample in samples)", T_EVIDENCE),
    (EVIDENCE, "1 - at_most(k - 1, n, p) - tail", "1 - at_most(k, n, p) - tail", T_EVIDENCE),
    # tests
    (EVIDENCE, "(abs(means) >= seen - slack)", "(abs(means) <= seen + slack)", T_EVIDENCE),
    (EVIDENCE, "(abs(means) >= seen - slack)", "(means >= seen - slack)", T_EVIDENCE),
    (EVIDENCE, "if w <= ways[k])", "if w >= ways[k])", "tests/demos/test_same_rate.py"),
    (EVIDENCE, "(m - j) * p_values[i]", "1 * p_values[i]", T_EVIDENCE),
    # verdicts
    (VERDICT, "inside, outside = least <= low and high <= most,",
     "inside, outside = least <= high and low <= most,", T_VERDICT),
    (VERDICT, '"survives": "fails"}[kind] if small else "undecided"',
     '"survives": "fails"}[kind] if small else "holds"', T_VERDICT),
    (VERDICT, 'math.isnan(high):\n            return "undecided"',
     'math.isnan(high):\n            return "holds"', T_VERDICT),
    (VERDICT, "((low > bar, high <= bar)", "((high > bar, high <= bar)", T_VERDICT),
    (VERDICT, "if not why and not speaks", "if False and not speaks", T_VERDICT),
    (REPORT, 'decided = decided if asked else "undecided"', "decided = decided", T_REPORT),
    # demos
    (f"{METRIC}/regression.py", "*t_interval(gap, of=2)", "*t_interval(abs(gap), of=2)", T_METRIC),
    (f"{METRIC}/mnist.py", '"test": 1.0 - error(run.best, data.test)',
     '"test": 1.0 - error(run.best, data.train)', T_METRIC),
    (f"{METRIC}/mnist.py", 'np.subtract(test["log"], test["plain"])',
     'np.subtract(test["log"], test["SGD"])', T_METRIC),
    (f"{METRIC}/cifar.py", '{"valid": error(theta, valid)}', '{"valid": error(theta, test)}',
     T_METRIC),
    (f"{METRIC}/cifar.py", "ahead.min(axis=0) - behind.max(axis=0)",
     "ahead.max(axis=0) - behind.min(axis=0)", T_METRIC),
    (f"{METRIC}/shakespeare.py", "np.max([scores[n] for n in ADAPTIVE], axis=0)",
     "np.min([scores[n] for n in ADAPTIVE], axis=0)", T_METRIC),
    (f"{METRIC}/random_search.py", "np.sort(worse)[:top]", "np.sort(worse)[-top:]", T_METRIC),
    (f"{METRIC}/test_functions/tables.py", "LOOSE = 3 ", "LOOSE = 30 ", T_METRIC),
    (f"{METRIC}/published/induced_metric_networks.json", '"best": 0.98329', '"best": 0.98229',
     T_METRIC),
    (f"{METRIC}/published/test_functions.json", '"log": [55, 8.88e-08]', '"log": [56, 8.88e-08]',
     T_METRIC),
    (f"{LAND}/model_merging.py", "greedy_soup(tuned, held, objective)",
     "greedy_soup(tuned, tested, objective)", T_LAND),
    (f"{LAND}/saddle_escape/orders.py", "PerturbedSGD(steps, noise, rng) if noise else SGD(steps)",
     "SGD(steps)", T_LAND),
    (f"{LAND}/edge_of_stability.py", "equivalent=(1.0, 0.03)", "equivalent=(1.0, 0.3)", T_LAND),
    (f"{LAND}/training/skip_and_norm.py", '*ratio_interval(growth["norm only"], growth["plain"])',
     '*ratio_interval(growth["plain"], growth["norm only"])', T_LAND),
    ("demos/trial/errata/topography.py", "min(off[0]),", "max(off[1]),", T_ERRATA),
    ("demos/trial/errata/alpha_beta.py", "for side in (1, -1))", "for side in (1, 1))", T_ERRATA),
    ("demos/trial/errata/alpha_beta.py", "+ beta * (F - f.lowest)", "- beta * (F - f.lowest)",
     T_ERRATA),
    ("demos/trial/errata/induced_metric.py", "min(c, 3)", "min(c, 4)", T_ERRATA),
    (f"{METRIC}/diagnostics/landscapes.py", 'factor[CURVED.index("NaN")] = np.nan',
     "factor[:] = np.nan", "tests/demos/test_diagnostics.py"),
    (f"{METRIC}/race/__init__.py", "r.updates < by_name[name].updates",
     "r.updates > by_name[name].updates", "tests/demos/test_race.py"),
    (f"{LAND}/sam/networks.py", "losses[-1].max(axis=0)", "losses[-1].min(axis=0)", T_LAND),
    (f"{LAND}/training/stable_rate.py", "if works.all():", "if works.any():", T_WARM),
    (f"{LAND}/training/warmup/catapult.py", "losses[-1] < losses.max(axis=0)",
     "losses[-1] <= losses.max(axis=0)", T_WARM),
    (f"{LAND}/training/warmup/networks.py", "<= found.losses[found.full]",
     "<= found.losses[-1]", T_WARM),
    (f"{LAND}/training/warmup/networks.py", '*ratio_interval(rates["warm-up"], rates["constant"])',
     '*ratio_interval(rates["constant"], rates["warm-up"])', T_WARM),
    (f"{LAND}/training/norm_layers/measures.py", "level, lam = max(", "level, lam = min(", T_NORMS),
    (f"{LAND}/training/norm_layers/measures.py", "np.all(np.diff(losses) <= 0)",
     "np.any(np.diff(losses) <= 0)", T_NORMS),
    (f"{LAND}/training/norm_layers/kinds.py", "= seen, models[2].statistics()",
     "= models[2].statistics(), seen", T_NORMS),
]


def main(arguments):
    from library_mutants import LIBRARY

    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("which", nargs="?", default="", metavar="WORD",
                        help="verdicts, library, or a word of the file's name")
    parser.add_argument("--jobs", type=int, default=1, metavar="N")
    parser.add_argument("--every", type=int, default=1, metavar="K", help="only every K-th")
    args = parser.parse_args(arguments)
    chosen = {"verdicts": VERDICTS, "library": LIBRARY}.get(
        args.which, [m for m in VERDICTS + LIBRARY if args.which in m[0]])
    chosen = chosen[::args.every]
    copies = queue.Queue()
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(args.jobs) as pool:
        for k in range(args.jobs):
            copies.put(copy(Path(folder) / str(k)))
        suites = sorted({tests for *_, tests in chosen})
        ends = list(pool.map(lambda tests: unchanged(tests, copies), suites))
        if red := [tests for tests, end in zip(suites, ends) if end]:
            print("mutants: these fail with nothing changed, and notice nothing: "
                  f"{'; '.join(red)}. Mend them first.")
            return 2
        fates = list(pool.map(lambda mutant: tried(mutant, copies), chosen))
    survivors, misfits = fates.count("unnoticed"), fates.count("no longer fits")
    print(f"{fates.count('noticed')} of {len(fates)} noticed, {survivors} not, {misfits} misfits")
    return 2 if misfits else int(survivors > ALLOWED * len(fates))


def copy(folder):
    """The project's files as they stand, without what git ignores."""
    names = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, check=True,
                           capture_output=True, text=True).stdout.splitlines()
    for name in names:
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    return folder


def status(tests, folder):
    """0 if the tests pass in this copy, 1 if one fails."""
    return subprocess.run([sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider",
                           *tests.split()], cwd=folder, env=QUIET, capture_output=True).returncode


def unchanged(tests, copies):
    """The same for a copy in which nothing is changed: the control of all that follows."""
    folder = copies.get()
    try:
        return status(tests, folder)
    finally:
        copies.put(folder)


def tried(mutant, copies):
    """What became of it: "noticed", "unnoticed" or "no longer fits"; says so."""
    name, old, new, tests = mutant
    folder = copies.get()
    try:
        path = folder / name
        text = path.read_text(encoding="utf-8") if path.exists() else ""
        if text.count(old) < 1 or old == new:
            fate = "no longer fits"
        else:
            path.write_text(text.replace(old, new, 1), encoding="utf-8")
            fate = {0: "unnoticed", 1: "noticed"}.get(status(tests, folder), "no longer fits")
            path.write_text(text, encoding="utf-8")
    finally:
        copies.put(folder)
    print(f"{fate:<15} {name}: {old.strip()!r} -> {new.strip()!r}", flush=True)
    return fate


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
