"""What a loss landscape looks like: curvature, saddles, flatness, pictures, paths, merging."""
