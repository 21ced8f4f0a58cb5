"""References: sets of real recordings, as embeddings, and how they are built and fetched."""
