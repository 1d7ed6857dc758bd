"""The lines of a page: found, given, cut."""
