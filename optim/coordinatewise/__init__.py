"""Every coordinate by itself: one formula for all of them.

    elementwise   the formula, and the same piece by piece      (read first)
    sgd           heavy ball, dampened, Nesterov
    rmsprop       divide by the root mean square of recent gradients
    adam          Adam, AdamW, NAdam
"""
from .adam import Adam, AdamW, NAdam
from .rmsprop import RMSprop
from .sgd import SGD
