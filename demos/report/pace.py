"""How much of the work is behind us, and so how long the rest will take.

A demo says where it is ("width 64, pair 3 of 10"), and where it can also which share of the work is
done. The kept run of the same demo knows what share of its time had passed at the same words, which
is worth more: stages differ in length, and few demos know by how much. So

    time left = elapsed · (1/share - 1)

with the share of the kept run if there is one with the same flags; else the demo's own, of the stage
it is in: a share that falls begins another stage, and the time left is said to be of "this part".
"""
import json
import re
from collections import Counter
from pathlib import Path

FINE = 0.004                                            # of the whole: closer marks are not kept


def kept_marks(name, quick):
    """[[words, n, share]] of the kept run of a demo, words being said for the n-th time; [] in
    --quick, which goes at another pace."""
    for path in [] if quick else Path(__file__).parents[1].glob(f"*/measured/{name}.json"):
        return json.loads(path.read_text(encoding="utf-8")).get("pace") or []
    return []


def words_of(text):
    """What stays of a text from one run to the next: all but seconds."""
    return re.sub(r",? *[\d.]+ s\b", "", text)


class Pace:
    """Marks of a run under way, beside those of a kept one."""

    def __init__(self, marks=()):
        self.marks = {(words, n): share for words, n, share in marks}           # of the kept run
        self.said, self.times = [], Counter()           # (seconds, words, n) of this one
        self.total = None                               # seconds of the whole, as far as one can tell
        self.stage = self.fraction = 0.0                # when this stage began, what it had done
        self.part = ""

    def rest(self, seconds, text, fraction):
        """What is added to a text: "  40 %, 12 s left", or nothing where nothing is known."""
        known = self.left(seconds, text, fraction)
        if known is None:
            return ""
        left, part = known
        done = "" if part else f"{100 * seconds / max(seconds + left, 1e-9):.0f} %, "
        return f"  {done}{left:.0f} s left{part}"

    def left(self, seconds, text, fraction):
        """Seconds left, and a word on what they are of; None where nothing is known."""
        words = words_of(text)
        self.times[words] += 1
        self.said.append((seconds, words, self.times[words]))
        share = self.marks.get(self.said[-1][1:])
        if share:
            self.total = seconds / share
        if self.total is not None:
            return max(self.total - seconds, 0.0), ""
        return self.own(seconds, fraction)

    def own(self, seconds, fraction):
        """The same by the demo's own share."""
        if not fraction:
            return None
        if fraction < self.fraction:                    # another stage
            self.stage, self.part = self.said[-2][0], " of this part"
        self.fraction = fraction
        return (seconds - self.stage) * (1.0 / fraction - 1.0), self.part

    def kept(self, seconds):
        """The marks of this run, to be kept: [[words, n, share of its time]]."""
        found, last = [], -1.0
        for when, words, n in self.said:
            share = round(when / max(seconds, 1e-9), 4)
            if share - last >= FINE:
                found.append([words, n, share])
                last = share
        return found
