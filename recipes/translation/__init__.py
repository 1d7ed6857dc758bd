"""Translation, from pairs of texts in two languages."""
