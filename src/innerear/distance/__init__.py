"""Distances between sets of embeddings: FAD, KAD, their intervals and pitfalls."""
