"""A box belongs to one subject at a time: what it holds of them, for how long, and how that is erased."""
