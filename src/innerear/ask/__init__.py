"""Probes to completions: the models, the strategies, and the loop that asks."""
