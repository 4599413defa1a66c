"""The shipped cross-encoder: `train` makes it of the whole one by `prune` and `teach`.

Nothing of it runs while Quarry serves.
"""
