"""The alpha-beta condition (arXiv:2410.12455) on trial: examples, networks, guarantees."""
