"""Classification of signals, from labelled recordings of any channels over time."""
