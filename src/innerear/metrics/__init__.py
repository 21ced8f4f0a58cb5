"""Metrics: one module per metric; `innerear.metrics.measure` is the table of them."""
