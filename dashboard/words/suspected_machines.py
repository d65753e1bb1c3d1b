"""English text of the part about opt-outs that a machine may have made."""

from __future__ import annotations

HEAD = "Opt-outs a machine may have made"
NOTHING = "No opt-out is on record."
SOME = (
    "{looking:opt-out looks|opt-outs look} like a scanner that opened the link: {share} of {total:opt-out|opt-outs} "
    "({bounds})."
)
NONE = "None of {total:opt-out|opt-outs} looks as if a scanner had opened the link ({bounds})."
STAY = (
    "**{lead}** Suspected ones stay opt-outs: nobody can prove that no person meant it, so each must be honoured and "
    "is audited like any other. Only the rate without them leaves them out."
)
RATES_ALT = "Opt-out rate with and without suspected machines"
COUNTED = "Whole record, with 95 % intervals. Without machines: the same contacts reached, suspected opt-outs left out."
RULES = "The rules for suspecting a machine"
