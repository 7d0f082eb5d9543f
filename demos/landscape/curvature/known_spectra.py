"""Matrices whose spectrum is chosen, to see which estimator finds what."""
import numpy as np

from demos.evidence import paired_bootstrap, ratio_interval
from minigrad.backend import xp
from problems.landscape import MatrixOp, lanczos, power_iteration, trace


def turned(rng, eigenvalues):
    """A matrix with this spectrum in a random basis."""
    Q = np.linalg.qr(rng.standard_normal((len(eigenvalues),) * 2))[0]
    return MatrixOp(xp.asarray((Q * eigenvalues) @ Q.T))


def ends_by_products(args, rng, report):
    """{products: median errors in lambda_max = 5 of (Lanczos, power iteration)}; second is 4.9."""
    bulk = rng.uniform(0, 1, 95)
    op = turned(rng, np.concatenate([[-3, -1, -0.5], np.zeros(300), bulk, [4.9, 5.0]]))
    errors, each = {}, {}
    for m in (3, 5, 8, 10, 15, 20, 40) + (() if args.quick else (80, 120, 200)):
        report.progress(f"a close pair, {m} products")
        starts = [xp.asarray(rng.standard_normal(op.n)) for _ in range(9)]
        found = ([lanczos(op, m, start=s).values[-1] for s in starts],
                 [power_iteration(op, m, tol=0.0, start=s, which="LM").value for s in starts])
        each[m] = np.abs(np.array(found) - 5.0) + 1e-15         # a lucky start may leave nothing
        errors[m] = np.median(each[m], axis=1).tolist()
    report.claim("eigenvalues 4.9 and 5, ten products: error in lambda_max, Lanczos / power "
                 "iteration", *ratio_interval(*each[10]), at_most=0.1, origin="ours",
                 where="a matrix with a close pair", how="95 % t of logarithms, n = 9 starts",
                 why="a digit more; it has several")
    report.data["close pair"] = errors
    return errors


def traces(args, rng, report):
    """{spectrum: rms errors of both methods, their ratio and its 95 % bootstrap interval}."""
    spectra = {"k^-2": np.arange(1.0, 501.0) ** -2,
               "outliers": np.append([40, 30, 20, 10, 5], 0.1 * rng.standard_normal(495)),
               "flat": 1.0 + 0.1 * rng.standard_normal(500)}
    gains, methods = {}, ("hutchinson", "hutch++")
    for name, eigenvalues in spectra.items():
        report.progress(f"traces, {name}")
        op, exact = turned(rng, eigenvalues), eigenvalues.sum()
        squares = np.array([[(trace(op, 60, method, rng).estimate - exact)**2
                             for method in methods] for _ in range(50)])
        gains[name] = [*np.sqrt(squares.mean(axis=0)), *paired_bootstrap(
            rng, lambda rows: np.sqrt(rows[:, 0].mean() / rows[:, 1].mean()), squares, draws=1000)]
    report.table(["spectrum, n = 500", "Hutchinson", "Hutch++", "gain", "low", "high"],
                 [[name, *row] for name, row in gains.items()],
                 title="rms error of the trace from 60 products, 50 repeats")
    asked = dict(origin="ours", where="matrices of known trace; the paper gives the rates",
                 how="95 % bootstrap over n = 50 repeats")
    report.claim("eigenvalues k^-2: Hutch++ is better by", *gains["k^-2"][2:], at_least=10.0,
                 why="a digit; 73 in a first run", **asked)
    report.claim("flat spectrum: Hutch++ is better by", *gains["flat"][2:], below=1.0, **asked)
    report.data["traces"] = gains
    return gains
