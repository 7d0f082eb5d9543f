"""Seven questions about landscapes, each answered by a number that another demo measured.

Question   what do you expect of saddles, noise, paths, flat minima, skips and the edge? Four
           questions about what happens, three to reflect on what that proves.
Expected   that some answers differ from what is commonly said: no answer is written here. Of the
           choices one is right if the claim holds, one if it fails, one if it is undecided.
Time       1 s, and yours; without a terminal, or with --answers, everything is printed at once.
Source     the subjects are a tutorial's on loss landscapes, the wording is this project's; the
           numbers are those of the runs kept in demos/*/measured, whose own sources are named.

A number is read from the kept run with its interval, and its verdict is worked out again. A run
that is not kept, or no longer makes the claim, leaves its question without an answer, and that is
said. The choices are shuffled with --seed. Ctrl-D or Ctrl-C ends the quiz; what was answered by
then is saved. The quiz makes no claim of its own: it quotes those of other demos, and a ledger that
counts claims counts them once.
"""
import sys
import textwrap
from typing import NamedTuple

import numpy as np

from demos.__main__ import FOLDER
from demos.tables import WIDTH, numbers_of, origin_of
from demos.trial.readme import decided_again, kept, modules

SOURCE = "the kept runs of the demos, demos/*/measured"
VERDICTS = ("holds", "fails", "undecided")
LETTERS = "abc"
NEEDED = ("claim", "measured", "low", "high", "criterion", "asked", "origin", "where", "how",
          "why", "published", "unit", "lesson")


class Question(NamedTuple):
    """What is asked, the demo and claim whose verdict answers it, and the choice each makes right.

    claim  the claim's text, or a beginning of it that no other claim of that demo has
    """

    kind: str
    text: str
    demo: str
    claim: str
    holds: str
    fails: str
    undecided: str = "these runs cannot tell"


QUESTIONS = (
    Question("quiz", "Small networks are searched for points without slope. Do the higher ones "
             "have more directions that lead down?",
             "critical_points", "tanh networks: rank correlation of height and index",
             "yes, height and number of descending directions rise together",
             "no, the two do not rise together"),
    Question("quiz", "Stochastic descent past a saddle is asked for half the gradient norm, with "
             "the step tuned anew. Does it need 2^4 = 16 times the sample gradients?",
             "saddle_escape", "sample gradients grow like 1/eps to the power",
             "yes, the power is 4 within the tolerance", "no, it is another power"),
    Question("quiz", "Two networks of width 64 were trained from different starts. Is there a "
             "ridge on the straight line between them?",
             "mode_connectivity", "width 64: the straight line climbs",
             "yes, the loss climbs well above both ends", "no, the line is as good as flat"),
    Question("quiz", "SAM looks for flat minima. Is its network more accurate than that of SGD "
             "on the same small data set?",
             "sam", "SAM .2 is more accurate than SGD",
             "yes, it is more accurate", "no, it is not more accurate"),
    Question("reflection", "Five methods are ranked by lambda_max where they end. Does a flatter "
             "end mean a more accurate network?",
             "sam", "the flatter method is the more accurate one: rank correlation of lambda_max",
             "yes, the smaller lambda_max, the more accurate", "no, flatter is not more accurate"),
    Question("reflection", "Skip connections are said to smooth the landscape. In deep ReLU "
             "networks at their start, do skips without normalisation make lambda_max larger?",
             "skip_and_norm", "skip alone does not smooth",
             "yes, larger than without skips", "no, not larger"),
    Question("reflection", "The sharpness under gradient descent settles at its threshold 2/lr. "
             "Does it settle at the threshold of Polyak momentum too, with lr .05 and b = .9?",
             "edge_of_stability", "Polyak momentum, lr 0.05, b 0.9",
             "yes, at the threshold", "no, away from it"),
)


def arguments(parser):
    parser.add_argument("--answers", action="store_true", help="print all questions with answers")


def run(args, report):
    shuffle = np.random.default_rng(args.seed).permutation
    asking = not args.answers and terminal()
    tally, missing = [], []
    report.data["answers"] = []
    report.note("Seven questions, each answered by a measured number."
                + (" Ctrl-D ends." if asking else ""))
    try:
        for number, question in enumerate(QUESTIONS, 1):
            claim, problem = find(question)
            order = [VERDICTS[k] for k in shuffle(len(VERDICTS))]
            pose(report, number, question, order)
            if claim is None:
                missing.append(question.demo)
                report.note(problem)
                continue
            given = ask(report) if asking else None
            tally.append(given == answer(report, question, claim, order, given))
    except (EOFError, KeyboardInterrupt):
        if not asking:                                  # nobody left: the run was interrupted
            raise
        print()
    if asking and tally:
        report.note(f"{sum(tally)} of {len(tally)} as measured.")
    report.data.update(answered=len(tally), without_answer=missing)


def terminal():
    """Is there somebody to ask: are standard input and output both a terminal?"""
    return all(stream is not None and not stream.closed and stream.isatty()
               for stream in (sys.stdin, sys.stdout))


def find(question):
    """(claim of the kept run, None), or (None, a sentence that says what is missing)."""
    name = question.demo
    remedy = (f"Run `python -m demos {name}`, then `python -m demos.trial.readme results` keeps "
              "it.")
    try:
        record = kept(name)
    except (KeyError, ValueError, OSError):             # no such demo; no JSON; not to be read
        return None, f"No answer: the kept run of {name} cannot be read. {remedy}"
    if record is None:
        return None, f"No answer: no run of {name} is kept. {remedy}"
    claims = record.get("claims") if isinstance(record, dict) else None
    found = [claim for claim in claims or ()
             if all(key in claim for key in NEEDED) and claim["claim"].startswith(question.claim)]
    if len(found) != 1:
        return None, (f"No answer: the kept run of {name} makes {len(found)} claims that begin "
                      f"'{question.claim}', not one. {remedy}")
    return found[0], None


def pose(report, number, question, order):
    """The question, and its choices in this order."""
    report.note(f"{number}. ({question.kind}) {question.text}")
    for letter, word in zip(LETTERS, order):
        print(textwrap.fill(getattr(question, word), WIDTH, initial_indent=f"   {letter}  ",
                            subsequent_indent=" " * 6))


def ask(report):
    """The letter that the reader chooses; anything else is answered with a sentence."""
    while True:
        try:
            given = input("   your choice: ").strip().lower()
        except UnicodeDecodeError:
            given = ""
        if len(given) == 1 and given in LETTERS:
            return given
        report.note(f"quiz: '{given[:20]}' is no choice. Type a, b or c; Ctrl-D ends.")


def answer(report, question, claim, order, given):
    """Work the verdict out, say what was measured, how and where; returns the right letter."""
    decided = decided_again(claim)
    right = LETTERS[order.index(decided)]
    ends = dict(low=-np.inf if claim["low"] is None else claim["low"],      # JSON has no infinity
                high=np.inf if claim["high"] is None else claim["high"])
    said = "" if given is None else "Right. " if given == right else "Measured otherwise. "
    report.note(f"{said}Answer {right}: {getattr(question, decided)}. \"{claim['claim']}\" "
                f"{decided}: {numbers_of(claim | ends)} ({origin_of(claim)}).")
    if decided == "fails" and claim["lesson"]:
        report.note(claim["lesson"])
    print(f"   python -m demos {question.demo}\n   {file_of(question.demo)}")
    report.data["answers"].append(dict(
        question=question.text, demo=question.demo, given=given, right=right, verdict=decided,
        **{key: claim[key] for key in ("claim", "measured", "low", "high", "criterion")}))
    return right


def file_of(name):
    """The file of a demo, from the project's root."""
    place = FOLDER.parent.joinpath(*modules()[name].module.split("."))
    file = place / "__init__.py" if place.is_dir() else place.with_suffix(".py")
    return file.relative_to(FOLDER.parent)
