"""SGD against quasi-Newton, and the topography between their minima: arXiv:2602.21276 on trial."""
