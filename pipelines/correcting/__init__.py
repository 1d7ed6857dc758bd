"""Correcting results by hand: what an edit does to a result, and the server of the page to edit on."""
