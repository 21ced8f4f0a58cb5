"""Programs in completions: extraction, the guard, anatomy, and reference programs."""
