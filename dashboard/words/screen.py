"""English text of the page that screens a list."""

from __future__ import annotations

UNKNOWN_FORMAT = "{name} has no format heed knows by its name. Name it .csv, .jsonl or .parquet."

NO_SUCH_TIME = "On that day the clocks of {zone} go forward over {clock:%H:%M}. Choose another time."

TOO_LONG = "The list took too long. Screen it on the command line."
FAILED = "The list could not be screened; the server's log says why."
