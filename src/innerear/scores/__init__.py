"""Turn measurements and embeddings into scores with intervals, floors and ceilings."""
