"""Handwriting recognition: the recipe and what only it needs."""
