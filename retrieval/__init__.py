"""The engine: encoding, indexing, fusing and reranking. Knows no Django."""
