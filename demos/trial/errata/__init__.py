"""What is wrong in print: each slip of the documents executed, its correction beside it.

Question   five documents print formulas, numbers and sentences. Which of them do not give what the
           same document reports, and what does?
Expected   every slip below shows itself when it is executed; each claim says so by a number and
           would fail were the printed form right.
Time       20 s; --quick leaves out what needs a deep network, 8 s. No data.
Source     A arXiv:2509.03594, B arXiv:2602.21276, D arXiv:2410.12455, each with its authors' code
           or notebooks where there are any; C a tutorial on loss landscapes. The fifth document
           (arXiv:2605.19781) has none that we found.

One file a document. What cannot be repeated in seconds is read from the kept run of the demo that
measures it, and says so, with the command. A slip is no verdict on a paper: most bounds that are
printed too large still hold, and B's and A's methods are what their code makes of them.

Revised after first results: B5 was on a network ten times as large and took two minutes; B8 counted
uphill steps on a network, where there are none in 300, and now asks the search itself on a line.
C9 claimed the least error over all steps, of one start; it depends on the start, so now it is the
median of six, at the usual step. B7 had 20 runs, too few with other seeds; it has 60.
"""
from demos.trial.errata import alpha_beta, figure, induced_metric, topography, tutorial
from demos.trial.errata import tutorial_networks
from demos.trial.errata.slip import tell

SOURCE = "arXiv:2509.03594, 2602.21276, 2410.12455, and a tutorial"
DOCUMENTS = (
    ("A. Optimisers from the induced metric", induced_metric),
    ("B. SGD against quasi-Newton", topography),
    ("C. A tutorial on loss landscapes", tutorial),
    ("C. ... what it says of networks", tutorial_networks),
    ("D. The alpha-beta condition", alpha_beta),
)
LEFT_OUT = (tutorial_networks,)                         # of --quick


def run(args, report):
    documents = [d for d in DOCUMENTS if not args.quick or d[1] not in LEFT_OUT]
    found = []
    for k, (title, document) in enumerate(documents):
        report.note(title)
        for slip in document.slips(args):
            tell(report, slip)
            found.append(slip)
            report.progress(f"{slip.mark} done", (k + 0.5) / len(documents))
    report.table(["slip", "what", "as printed", "as found", "printed / found"],
                 [[s.mark, s.title, *s.pair, s.pair[0] / s.pair[1]] for s in found if s.pair],
                 title="Where both are numbers")
    report.data["slips"] = [dict(mark=s.mark, title=s.title, where=s.where, texts=s.texts,
                                 pair=s.pair) for s in found]
    if report.plotting:
        figure.draw(report, found)
