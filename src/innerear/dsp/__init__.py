"""Signal processing: a signal in, numbers out, no judging."""
