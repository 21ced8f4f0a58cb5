"""Programs to sounds."""
