"""The run folder: keys, resume, provenance, part files."""
