"""Risk of an event over time, from measurements."""
