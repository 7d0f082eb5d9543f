"""Frames of a race as text: the map with trails and runners, and the board of who is where.

A runner is a capital letter, its trail the small one, so that nothing is said by colour alone.
Colour is used where standard output is a terminal and NO_COLOR is not set (no-color.org).
"""
import os
import shutil
import sys
import time

from .braille import Window, contour

COLOURS = {"L": 160, "R": 208, "P": 34, "A": 33, "N": 99, "S": 244}     # of 256
WIDE = 72                                               # columns for map and board side by side
BOARD = 31                                              # columns of the board
TRAIL = 60                                              # updates that a trail goes back
LIVE = "\x1b[?25l", "\x1b[?25h"                         # the cursor hides, and comes back


def terminal():
    """Whether frames may be drawn over each other: a terminal that moves its cursor."""
    return sys.stdout.isatty() and os.environ.get("TERM", "dumb") != "dumb"


def coloured():
    return terminal() and not os.environ.get("NO_COLOR")


class Screen:
    """What does not change from frame to frame.

    f, centre, half  the landscape, and the square of it that is shown
    size             (columns, lines) of the terminal (default: asked for)
    """

    def __init__(self, f, centre, half, size=None, colour=None):
        columns, height = size or shutil.get_terminal_size((80, 24))
        columns = max(min(columns, 80), 20)
        self.beside, self.height = columns >= WIDE, height
        self.columns, self.colour = columns, coloured() if colour is None else colour
        if self.beside:
            rows = max(min(height - 4, (columns - BOARD - 2) // 2), 6)
        else:
            rows = max(min(height - 9, columns // 2), 4)
        self.window = Window(centre, half, min(2 * rows, columns), rows)
        self.map = contour(f, self.window)

    def fits(self, lines):
        """Whether so many lines can be drawn over each other."""
        return lines < self.height

    def frame(self, runners, t):
        """Lines of text after t updates; runners: list of Runner."""
        cells = [list(row) for row in self.map]
        marks = {}
        for runner in runners:
            for point in runner.path[:t + 1][-TRAIL:]:
                if (cell := self.window.cell(point)) is not None:
                    marks[cell] = runner.letter.lower()
        for runner in runners:
            if (cell := self.window.cell(runner.at(t))) is not None:
                marks[cell] = runner.letter
        for (row, column), mark in marks.items():
            cells[row][column] = self.paint(mark, mark.upper())
        picture = ["".join(row) for row in cells]
        board = self.board(runners, t)
        if not self.beside:
            return picture + board
        board += [""] * (len(picture) - len(board))
        return [f"{left}  {right}".rstrip() for left, right in zip(picture, board)]

    def board(self, runners, t):
        """Who is where: those who have arrived first, then the lower ones."""
        order = sorted(runners, key=lambda r: (r.arrival(t), r.height(t)))
        rows = [f"update {t}", ""] if self.beside else [f"update {t}"]
        for runner in order:
            done = runner.arrival(t)
            state = f"in {done:.0f}" if done < float("inf") else f"f {runner.height(t):.1e}"
            rows.append(self.paint(runner.letter, runner.letter) + f" {runner.name:<8}{state}")
        return rows

    def paint(self, text, letter):
        return f"\x1b[38;5;{COLOURS[letter]}m{text}\x1b[0m" if self.colour else text


def live(frames, pause):
    """Draw frames over each other, and leave the last one; the cursor comes back in any case."""
    write, above = sys.stdout.write, 0
    write(LIVE[0])
    try:
        for lines in frames:
            write((f"\x1b[{above}A" if above else "") + "".join(
                f"\r{line}\x1b[K\n" for line in lines))
            sys.stdout.flush()
            above = len(lines)
            time.sleep(pause)
    finally:
        write(LIVE[1])
        sys.stdout.flush()
