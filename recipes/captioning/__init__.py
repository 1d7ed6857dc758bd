"""Captions: the recipe and what only it needs."""
