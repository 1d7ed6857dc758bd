"""Language models, which write and score texts, from plain texts."""
