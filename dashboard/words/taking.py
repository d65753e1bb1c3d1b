"""English text of taking numbers and charts with you."""

from __future__ import annotations

from collections.abc import Mapping

TAKE = "Take with you"
CSV = "CSV"
PARQUET = "Parquet"
IMAGE = (
    "As an image: press the camera in the corner. It comes out 2,000 dots wide, roomier than a small screen shows it "
    "here; your browser makes it, and it goes nowhere else."
)
SHARE, FROM, TO = "Share", "From", "To"
PERCENT = "%"
POINTS = "percentage points"
SECONDS = "seconds"


def with_unit(column: str, unit: str) -> str:
    """The name of a column with its unit: Share (%)."""
    return f"{column} ({unit})" if unit else column


def image_alt(title: str) -> str:
    """The text alternative of a chart that is shown again as an image to take."""
    return f"{title}: the same chart once more, dark on white, to be saved as an image."


def under_title(told: Mapping[str, str]) -> list[str]:
    """The lines under an image's title: what was selected, how it was counted, which run knew it."""
    counted = told["heed_definition"]
    run = f"heed, run {told['heed_run']}, data up to {told['heed_as_of'][:16].replace('T', ' ')} UTC"
    return [line for line in (told["heed_selection"], counted, run) if line]
