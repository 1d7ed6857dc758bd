"""Ink recognition, from pen strokes with their texts."""
