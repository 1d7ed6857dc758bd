"""The public Python surface."""

__version__ = "0.1.0"
