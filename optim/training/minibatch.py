"""The landscape that one training step sees: some batches of data, one draw of the dropout masks.

An optimizer may ask its objective several times in a step (SAM, line searches, Newton), so within
a step the objective has to be a *function* of theta. The batches are fixed, and so is the noise: a
model with dropout gets a fresh generator of the same seed at every call.
"""
from optim.objective import Objective, takes_noise  # noqa: F401  (the door of training)


def MinibatchObjective(problem, parts, rng=None, clip=None):
    """The Objective of one step: the mean over the examples of all parts, gradient clipped.

    problem   what `Objective` takes
    parts     list of batches, of any sizes; [None] for the problem's own data
    rng       Generator to draw one noise seed per part from, or None for no noise
    clip      largest allowed |g|, or None
    """
    if len(parts) == 1 and parts[0] is None:
        objective = Objective(problem, noise=rng, clip=clip)
    else:
        objective = Objective(problem, batches=parts, noise=rng, clip=clip)
    objective.rows_seen = True              # made anew in every step: the check would cost a share
    return objective
