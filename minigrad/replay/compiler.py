"""From the notes of a recording to the shortest list that does the same, bit for bit.

    constant folding   an instruction that no point can reach was carried out when it was recorded;
                       its result stays where it is
    common results     what was worked out once is not worked out again: value and gradient of one
                       function have much in common
    times one          a product with ones is what it was; the sweep begins with a cotangent of 1
    dead code          an instruction is left out if neither value nor gradient reads its result
    dead stores        ... and a part that is written over before anybody reads it
    copy propagation   of a result that is the copy of an array, the array is what counts

Memory that is written more than once is mostly left alone: its value depends on when one looks.
"""
import operator
from collections import Counter
from dataclasses import dataclass

import numpy

from minigrad.replay.recording import (
    arrays_in, called, element, ids, owner, part_of, substituted)


def compiled(steps, inputs, results):
    """The instructions that are needed at every new point, in order, and where the results stand."""
    inputs = {id(owner(x)) for x in inputs}
    steps, writers = moving(steps, inputs)
    steps, same = Simplified(inputs, writers).steps(steps)
    results = [substituted(r, same) for r in results]
    return needed(steps, writers, results), results


def moving(steps, inputs):
    """Constant folding: the instructions that a point reaches, and how many write each memory."""
    times = Counter(place for step in steps for place in step.writes)
    varying, kept = set(inputs), []
    for step in steps:
        if step.reads & varying or any(times[place] > 1 for place in step.writes):
            varying |= step.writes
            kept.append(step)
    return kept, times


@dataclass
class Simplified:
    """Instructions without those whose result stands somewhere already."""
    inputs: set
    times: Counter

    def steps(self, steps):
        """(the others, {id of the memory left out: (it, an array that holds the same)})."""
        kept, seen, same = [], {}, {}
        last = {place: k for k, step in enumerate(steps) for place in step.writes}
        varying = self.inputs | set(last)
        for k, step in enumerate(steps):
            step = step.of(same)
            first = factor(step, varying)
            if first is not None and alike(first, step.targets[0]):
                continue                                         # x *= 1
            if first is not None and self.may_stand(first, step.targets[0], last, k):
                same[id(step.targets[0])] = step.targets[0], first
                continue
            if self.is_pure(step):
                key = step.key()
                if key in seen:
                    same |= {id(t): (t, f) for t, f in zip(step.targets, seen[key].targets)}
                    continue
                seen[key] = step
            kept.append(step)
        return kept, same

    def is_pure(self, step):
        """Does it write fresh memory, once, from what never changes?"""
        return all(self.times[place] == 1 for place in step.writes) and (
            not step.writes & step.reads) and all(
            self.times[place] <= (place not in self.inputs) for place in step.reads) and all(
            t.base is None and t.flags.c_contiguous for t in step.targets)

    def may_stand(self, array, target, last, now):
        """May the array stand for the target: laid out alike, and never written again?"""
        place = id(owner(array))
        return (target.base is None and self.times[id(target)] == 1 and place not in self.inputs
                and last.get(place, 0) < now and array.strides == target.strides
                and (array.flags.c_contiguous or array.flags.f_contiguous))


def factor(step, varying):
    """What the instruction multiplies by ones that no point changes, if it is all of the result."""
    if step.function is not numpy.multiply or step.way is not called or step.settings:
        return None
    for one, other in (step.inputs, step.inputs[::-1]):
        if isinstance(other, numpy.ndarray) and not ids((one,)) & varying and numpy.all(one == 1) and (
                (other.shape, other.dtype) == (step.targets[0].shape, step.targets[0].dtype)):
            return other
    return None


def alike(a, b):
    """Are they the same numbers in memory?"""
    return a.__array_interface__ == b.__array_interface__


def needed(steps, times, results):
    """Without dead code and dead stores. Backwards: what is read later, and of memory that is
    written in parts, which elements are written later before they are read."""
    places, program, covered = {id(owner(r)) for r in results}, [], {}
    for step in reversed(steps):
        if not step.writes & places:
            continue
        if is_part(step) and times[id(owner(step.inputs[0]))] > 1:
            x, index, value = step.inputs
            if flags(x, covered)[element(index)].all():
                continue
            flags(x, covered)[element(index)] = True
            read = ids((value,))
        else:
            read = step.reads | step.writes
        for place in read:
            covered.pop(place, None)
        places |= step.reads
        program.append(step)
    return program[::-1]


def is_part(step):
    """Does it write a part of an array that is the same at all points, x[index] = value?"""
    return step.function is operator.setitem and not arrays_in(step.inputs[1])


def flags(x, covered):
    """A flag for each element of x, in one array for all views of its memory."""
    whole = owner(x)
    bits = covered.setdefault(id(whole), numpy.zeros(whole.nbytes, bool))
    return part_of(bits, x, bool)


def original(result, steps):
    """Of what array the result is a copy, if that still holds the same at the end; else itself."""
    later = set()
    for step in reversed(steps):
        source = step.original()
        if source is not None and step.targets[0] is owner(result) and id(owner(source)) not in later:
            return source
        later |= step.writes
    return result
