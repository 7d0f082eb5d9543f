"""Random expression graphs: shapes, broadcasting and operations drawn from a seed.

`program(seed)` is a list of steps, each (name, operands, setting), over numbered arrays; `evaluate`
runs it with any namespace that has the operations, so that two libraries can be given the same graph.
Every operation is smooth and bounded, so that central differences are accurate.
"""
import numpy as np

UNARY = ["tanh", "sin", "cos", "arctan", "sigmoid", "softplus", "exp_of_tanh", "square_of_sin",
         "log1p_of_square", "sqrt_of_square", "gelu", "silu"]
BINARY = ["add", "sub", "mul", "div", "matmul"]
SHAPED = ["sum", "mean", "reshape", "transpose", "slice", "softmax", "logsumexp", "standardize"]


def program(seed, steps=8):
    rng = np.random.default_rng(seed)
    base = tuple(int(n) for n in rng.integers(1, 4, rng.integers(1, 4)))
    inputs, shapes = [], []
    for _ in range(3):                       # inputs that broadcast against each other
        shape = tuple(1 if rng.random() < 0.3 else n for n in base)[rng.integers(0, len(base)):]
        inputs.append(rng.uniform(-1, 1, shape))
        shapes.append(shape)
    lines = []
    for _ in range(steps):
        group = rng.choice(["unary", "binary", "shaped"], p=[0.35, 0.4, 0.25])
        i, j = (int(k) for k in rng.integers(0, len(shapes), 2))
        shape, setting = shapes[i], None
        if group == "unary":
            name, operands = str(rng.choice(UNARY)), (i,)
        elif group == "binary":
            name, operands = str(rng.choice(BINARY)), (i, j)
            try:
                if name == "matmul":
                    if min(len(shapes[i]), len(shapes[j])) < 2:
                        continue
                    shape = np.matmul(np.zeros(shapes[i]), np.zeros(shapes[j])).shape
                else:
                    shape = np.broadcast_shapes(shapes[i], shapes[j])
            except ValueError:
                continue
        else:
            name, operands = str(rng.choice(SHAPED)), (i,)
            if not shape:
                continue
            axis = int(rng.integers(0, len(shape)))
            if name in ("sum", "mean", "logsumexp"):
                setting = axis - len(shape) * (seed % 2)        # odd seeds count from the end
                shape = shape[:axis] + shape[axis + 1:]
            elif name == "reshape":
                setting = shape = (int(np.prod(shape)),)
            elif name == "transpose":
                setting = tuple(int(k) for k in rng.permutation(len(shape)))
                shape = tuple(shape[k] for k in setting)
            elif name == "slice":
                setting = (slice(None),) * axis + (slice(0, max(1, shape[axis] - 1)),)
                shape = shape[:axis] + (max(1, shape[axis] - 1),) + shape[axis + 1:]
            elif name in ("softmax", "standardize"):
                setting = axis - len(shape) * (seed % 2)
        lines.append((name, operands, setting))
        shapes.append(shape)
    return inputs, lines


def evaluate(m, inputs, lines):
    """Run a program in namespace m (tanh, sin, ..., matmul, sum(x, axis)); a scalar comes out."""
    values = list(inputs)
    for name, operands, setting in lines:
        x = values[operands[0]]
        y = values[operands[-1]]
        if name == "exp_of_tanh":
            z = m.exp(m.tanh(x))
        elif name == "square_of_sin":
            z = m.sin(x) * m.sin(x)
        elif name == "log1p_of_square":
            z = m.log1p(x * x)
        elif name == "sqrt_of_square":
            z = m.sqrt(x * x + 0.5)
        elif name == "div":
            z = x / (y * y + 1.0)
        elif name in ("add", "sub", "mul", "matmul"):
            z = {"add": lambda: x + y, "sub": lambda: x - y, "mul": lambda: x * y,
                 "matmul": lambda: x @ y}[name]()
        elif name == "slice":
            z = x[setting]
        elif name == "standardize":
            z = m.standardize(x, setting)
        elif setting is not None:
            z = getattr(m, name)(x, setting)
        else:
            z = getattr(m, name)(x)
        values.append(m.tanh(z))             # keeps every value, and so every derivative, bounded
    return m.total([v * (0.3 + 0.1 * k) for k, v in enumerate(values)])
