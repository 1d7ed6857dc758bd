"""Folders of media: plan, journal, runs."""
