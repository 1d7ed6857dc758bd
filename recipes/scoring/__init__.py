"""Error rates, the data report, the HTML report."""
