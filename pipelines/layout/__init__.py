"""Text lines of a page: detected or read from a layout file, ordered, and cut out."""
