"""Action recognition, from labelled clips or videos."""
