"""Do the same work to many things, in threads of this machine or in a Ray cluster."""
