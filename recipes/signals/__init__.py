"""Classification of signals, from labelled series or recordings."""
