"""`python -m demos equations`: the formulas that each document numbers, or names, are found where they
are written; what a docstring says of its source is read as a reader would."""
import ast
import time

import pytest

from demos.trial import equations

HERE = equations.FOLDER.parent
FOUND = equations.entries()

# What must be found: (document's or work's number, place or words of the formula) -> file.
NUMBERED = {
    "2602.21276": {"eq. 4": "published_path", "eq. 5": "published_path",
                   "Algorithm 2": "published_path", "figure 3": "gaussians"},
    "2410.12455": {"definition 1": "envelope", "section 2": "rivals",
                   **{f"theorem {k}": "bounds" for k in range(1, 8)},
                   "example 1": "ridges", "example 2": "bowls", "example 3": "bowls",
                   "example 4": "matrix_factorisation", "example 5": "logistic_network",
                   "example 6": "bowls"},
    "2010.01412": {"eq. 1": "sharpness", "eq. 2": "sam", "eq. 3": "sam", "Algorithm 1": "sam"},
    "2102.11600": {"Algorithm 1": "sam"}, "1609.04836": {"eq. 3": "sharpness"},
    "1406.2572": {"Algorithm 1": "newton"}, "2010.09649": {"Algorithm 1": "traces"},
    "1712.09913": {"section 4": "directions", "section 7": "trajectory"},
    "1802.10026": {"eq. 2": "curves"}, "2209.04836": {"Algorithm 1": "matching"},
    "1803.05407": {"Algorithm 1": "merging"}, "2203.05482": {"Recipe 1": "merging"},
    "1412.6980": {"Algorithm 1": "adam"}, "2505.16932": {"Algorithm 1": "products"},
}
NAMED = {                                           # no number of theirs is known: name -> formula
    "2509.03594": {"InducedMetric": "ξ |g|²", "LogInducedMetric": "L / (L² + ê)",
                   "RMSInducedMetric": "D = √r̂ + ε", "shrink": "η λ θ", "Induced": "|gᵀu|",
                   "embedding": "f_q(L) = (L^q - 1)/q", "OffDiagonal": "D = 1 + ξ"},
    "2605.19781": {"ball": "argmax", "power": "Ψ_t(M)", "exponent": "J(t)/2", "bound": "H(t)",
                   "nuclear_rank": "|G|_*²", "SchattenMuon": "m̂", "MuAdam": "polar(P ∘ M)"},
    "2410.12455": {"StochasticPolyak": "γ_b", "DecSPS": "c_{k-1}", "NGN": "2 f_k",
                   "AdaGradNorm": "b_k²", "interpolation_error": "σ_int²", "half_space": "σ("},
    "2602.21276": {"CrudeLBFGS": "1e-6", "Fourier": "sin(kπt)", "kernel_pca": "K̃"},
    "1703.00887": {"pgd_theory_params": "χ", "PerturbedGD": "g_thres"},
    "1705.10412": {"Octopus": "4τ"}, "2103.00065": {"edge": "2 / η"},
    "Pearlmutter 1994": {"hessian": "H v"}, "Lanczos 1950": {"krylov": "A V_j"},
    "Hutchinson 1990": {"hutchinson": "tr A"}, "Henkelman & Jonsson 2000": {"tangents": "M t+"},
    "Bray & Dean 2007": {"semicircle_index": "asin q"}, "Shoemake 1985": {"slerp": "sin((1-t) w)"},
}


@pytest.mark.parametrize("work", NUMBERED)
def test_every_numbered_formula_is_found(work):
    for place, file in NUMBERED[work].items():
        where = [entry.where for entry in FOUND if (entry.work, entry.place) == (work, place)]
        assert any(f"/{file}.py:" in line for line in where), f"arXiv:{work}, {place}: no docstring"


@pytest.mark.parametrize("work", NAMED)
def test_every_formula_without_a_number_is_found(work):
    for name, formula in NAMED[work].items():
        assert any(entry.work == work and entry.name == name and formula in entry.formula
                   for entry in FOUND), f"{work}: {name}"


def test_a_line_is_that_of_the_name_or_of_the_formula():
    for entry in FOUND:
        file, number = entry.where.split(":")
        line = (HERE / file).read_text(encoding="utf-8").splitlines()[int(number) - 1]
        written = " ".join(line.split())
        assert (f" {entry.name}" in line or entry.formula.startswith(written.rpartition(" (")[0])
                or '"""' in line), entry


def test_five_equations_are_found_in_a_moment(capsys):
    for asked, line in (("2602.21276 eq. 4", "published_path.py:"), ("D theorem 3", "bounds.py:"),
                        ("E J(t)", "exponent.py:"), ("2010.01412 eq. 2", " worst_step"),
                        ("A log L", "LogInducedMetric")):
        began = time.perf_counter()
        assert equations.main(asked.split()) == 0
        said = capsys.readouterr().out
        assert line in said and said.count("\n") < 30, said
        assert time.perf_counter() - began < 10.0
        assert max(map(len, said.splitlines())) <= 80, said
    assert equations.main(["--help"]) == 0 and "D theorem" in capsys.readouterr().out
    assert equations.main(["eq. 99"]) == 1 and "none fits 'eq. 99'" in capsys.readouterr().out


def of(docstring):
    node = ast.parse(f'def f():\n    """{docstring}"""\n').body[0]
    return [(e.work, e.place, e.where, e.formula) for e in equations.of_docstring(node, HERE / "x.py")]


def test_what_a_source_says_is_read():
    assert equations.works("Foret 2021, arXiv:2010.01412, eqs. 2, 3 and 5; with T, arXiv:2102.11600.") == [
        ("2010.01412", ["eq. 2", "eq. 3", "eq. 5"]), ("2102.11600", [])]
    assert equations.works("arXiv:2410.12455, theorems 1 to 3. K. Jordan et al. 2024; ours.") == [
        ("2410.12455", ["theorem 1", "theorem 2", "theorem 3"]), ("K. Jordan et al. 2024", [])]
    assert equations.works("Nocedal & Wright 2006, Algorithms 7.4 and 7.5.") == [
        ("Nocedal & Wright 2006", ["Algorithm 7.4", "Algorithm 7.5"])]
    assert equations.works("J. Chem. Phys. 113, 9978; the reference code.") == []


def test_a_marked_formula_has_its_own_line_and_others_the_name():
    path = f"{HERE / 'x.py'}"
    assert of("Says.\n\n    a = b\n        + c          (eq. 7)\n\n    Source: arXiv:1111.22222.\n    ") == [
        ("1111.22222", "eq. 7", f"{path}:4", "a = b + c")]
    assert of("Says.\n\n        a = b\n\n    Source: arXiv:1111.22222, eq. 3.\n    ") == [
        ("1111.22222", "eq. 3", f"{path}:1", "a = b")]
    assert of("Says.\n\n        a = b\n    ") == []                      # no source, no claim
    assert of("Says.\n\n    Source: arXiv:1111.22222.\n    ") == []      # neither number nor formula
