"""Translation: texts of one language in, those of another one out, from pairs of texts."""
