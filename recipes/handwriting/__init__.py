"""Handwriting recognition, from line images or pages with texts."""
