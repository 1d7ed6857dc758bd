"""What the data report says of what was turned away."""

from recipes.data.manifest import Rejected
from recipes.scoring.data_report import rejections


def test_reasons_that_differ_in_numbers_are_counted_together_and_told_each():
    told = rejections(
        [Rejected("a.csv:3", "columns: 1 instead of 2"), Rejected("a.csv:7", "columns: 3 instead of 2")]
    )
    assert told.splitlines() == [
        "Rejected: 2",
        "  2 x columns: 1 instead of 2",
        "      a.csv:3",
        "      a.csv:7: columns: 3 instead of 2",
    ]
