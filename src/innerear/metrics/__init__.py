"""Metrics: one module per metric, in the table of `innerear.metrics.registry`; `base` says what a metric is."""
