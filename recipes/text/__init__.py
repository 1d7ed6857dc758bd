"""Text classification, from labelled sentences or documents."""
