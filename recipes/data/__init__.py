"""Readers of the common layouts of data sets, all giving one kind of manifest."""
