"""English text of the part that compares response times."""

from __future__ import annotations

HEAD = "Who waits longer?"
COMPARE_BY = "Compare by"
NOTHING = "No opt-out is on record here."
COUNTED = "Whole record{scope}. The line through a point is the 95 % interval of the median."
ALT = "Median response time by {dimension}: "
SMALL = "Fewer than 20 opt-outs, so little is known: {names}."

NOT_RECORDED = "Not recorded"

HALF_IN = "half in {median}"
NOT_REACHED = "median not reached"
TIMES = "{median}, 9 of 10 in {ninth}, {opt_outs:opt-out|opt-outs}"

BETWEEN = "{lower} to {upper}"
