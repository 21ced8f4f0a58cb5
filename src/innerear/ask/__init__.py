"""Probes to completions: models, strategies, and the loop that asks."""
