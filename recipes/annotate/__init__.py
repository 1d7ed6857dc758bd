"""Annotation of signals: waves, beats and events over time."""
