"""Pen strokes: the recipe and what only it needs."""
