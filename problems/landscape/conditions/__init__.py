"""The alpha-beta condition and its rivals: on records of a run, and on whole domains.

    envelope    all pairs (alpha, beta) that measurements allow, exactly          (read first)
    recorder    the measurements of a training run: two passes, bit for bit alike
    rivals      PL, relaxed PL, Aiming, QCvx, the angle, along a run
    domain      the worst point of a box or of all space, for each condition
    simplex     Nelder and Mead, many at once
    pictures    the region of allowed pairs

Source: arXiv:2410.12455.
"""
from problems.landscape.conditions.domain import (
    Extreme, alpha_min, beta_min, least, verify_on_domain)
from problems.landscape.conditions.envelope import Envelope
from problems.landscape.conditions.recorder import (
    Record, example_losses, record, record_stored, shuffled)
from problems.landscape.conditions.rivals import aiming, cosine, pl
