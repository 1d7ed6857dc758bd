"""Every layout that users already have, as one Manifest."""
