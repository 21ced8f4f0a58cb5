"""Programs in completions: extraction, the provenance guard, anatomy, and reference programs."""
