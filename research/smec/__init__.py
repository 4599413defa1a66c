"""Sequential Matryoshka Embedding Compression (Zhang et al. 2025, arXiv:2510.12474) for a static table.

The paper trains fully connected layers behind frozen embeddings. Behind a static model such a layer is one
matrix, which folds into the table (`table @ matrix`) and costs nothing when serving.
"""
