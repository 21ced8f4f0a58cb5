"""The run folder: row keys, resuming, provenance, part files."""
