"""Do the same work to many items, in threads of this machine or in a Ray cluster."""
