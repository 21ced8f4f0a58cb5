"""Rendering: programs in, sounds out."""
