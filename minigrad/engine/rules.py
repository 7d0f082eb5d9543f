"""How an operation takes its inputs and its rules: all that `primitive` does but the calling.

An operation has inputs (arrays, Tensors, numbers: the positional parameters of its function) and
settings (its keyword-only parameters). Callers may give either kind by place or by name, as they
would in NumPy; from there on inputs have places and settings have names.
"""
import inspect

from minigrad.backend import plain
from minigrad.profile import timed

primitives = {}                      # name -> primitive: every operation there is


def parameters(forward):
    """(number of inputs, names of all parameters) of a function on arrays; -1: any number."""
    listed = inspect.signature(forward).parameters.values()
    if any(p.kind == p.VAR_POSITIONAL for p in listed):
        return -1, []
    return sum(p.kind != p.KEYWORD_ONLY for p in listed), [p.name for p in listed]


def placed(inputs, settings, arity, names):
    """The inputs in their places; moves settings given by place, sum(x, 0), into `settings`, and
    inputs given by name out of it."""
    if arity < len(inputs) <= len(names):
        settings.update(zip(names[arity:], inputs[arity:]))
        return inputs[:arity]
    named = [name for name in names[len(inputs):arity] if name in settings]
    return (*inputs, *(settings.pop(name) for name in named))


def registered(operation, way, elementwise, arity):
    """The operation in the list of all, with its decorators `vjp`, `arrays` and `vjp_arrays`, and
    what they set:

        rules        one rule an input, or None where the rule is joint
        rule         the joint form in either case
        formula      the function that the operation was made of, forward the one that is called
        rule_arrays  the rule for speed, or None

    way          [function on arrays, does it return what it saves?], which `arrays` replaces; with
                 MINIGRAD_PLAIN=1 the formula stays, and rules for speed are left out
    """
    name = operation.__name__
    primitives[name] = operation
    operation.formula = operation.forward = way[0]
    operation.elementwise = elementwise

    def vjp(*rules):
        measured = [rule and timed(name + "'", rule) for rule in rules]
        joint = "needs" in inspect.signature(rules[0] or rules[-1]).parameters
        if len(rules) != (1 if joint else arity):
            raise TypeError(f"{name}.vjp: got {len(rules)} rules for {arity} inputs. Give one for "
                            "each (None where none is ever needed), or a joint one with `needs`.")
        operation.rules = None if joint else measured
        operation.rule = measured[0] if joint else together(measured)
        return rules[0]

    def arrays(function):
        if not plain:
            way[:] = timed(name, function), True
            operation.forward = lambda *inputs, **settings: way[0](*inputs, **settings)[0]
        return function

    def vjp_arrays(rule):
        if not plain:
            operation.rule_arrays = timed(name + "'", rule)
        return rule

    def rule(*_, **__):
        raise TypeError(f"{name}: has no derivative rule. Give it one with @{name}.vjp.")

    operation.vjp, operation.arrays, operation.vjp_arrays = vjp, arrays, vjp_arrays
    operation.rules, operation.rule, operation.rule_arrays = None, rule, None
    return operation


def together(rules):
    """The joint form of one rule an input."""
    def joint(g, y, *inputs, needs, **settings):
        return [rule(g, y, *inputs, **settings) if need and rule else None
                for rule, need in zip(rules, needs)]
    return joint
