"""Optimisers from the metric that a loss landscape induces: arXiv:2509.03594 on trial."""
