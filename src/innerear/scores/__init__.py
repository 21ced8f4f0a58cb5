"""Measurements and embeddings to scores, each with an interval, a floor and a ceiling."""
