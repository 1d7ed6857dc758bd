"""Risk of an event over time, from measurements of persons of whom it is known whether it came."""
