"""Tagging: a label for each token, from texts in CoNLL or CoNLL-U."""
