"""How a network is built and trained, and what that does to its landscape."""
