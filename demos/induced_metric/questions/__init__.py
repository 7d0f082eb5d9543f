"""What one would ask next of the induced metric: its cost, its decay, clipping beside it, its rank."""
