"""Forced alignment of known label sequences to frames, for short and long recordings."""
