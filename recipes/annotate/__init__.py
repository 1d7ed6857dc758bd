"""Annotation of signals: waves, beats and events over time, from recordings in which they are marked."""
