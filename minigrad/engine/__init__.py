"""What `tensor.py` leaves out: read it first.

    rules        how an operation takes its inputs and its rules
    cotangents   how cotangents add up while they wait, and how they are given out
    protocols    what Python's own operators and functions do with a Tensor
"""
