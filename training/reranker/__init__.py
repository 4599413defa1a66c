"""The shipped cross-encoder: made by `train`, tuned on a GPU by `candidates` and `listwise`, made smaller by
`prune` and `shrink`. Nothing of it runs while Quarry serves.
"""
