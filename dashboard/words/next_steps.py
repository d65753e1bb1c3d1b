"""English text of the next steps on the overview."""

from __future__ import annotations

TRENDS = "See how the opt-out rate moves"
NOTHING_PRESSES = "Nothing presses"

MOST_OF_ALL = "Most of all {rule}{whom}"
CONTACTS = ", {contacts:contact|contacts}"
READ = "Read the {counted:violation|violations}, worst first"
WHERE = "See in which channels and months the {counted:violation|violations} fell"

HEAR = "Hear the {asked:request|requests} to stop that nobody recorded"
WHO_WROTE = "{contacts:contact|contacts} who wrote to you"

OLDEST = "The oldest was asked for on {oldest}"
APPLY_NOW = "Apply the {opt_outs:opt-out|opt-outs} past {opt_outs:~its|their} deadline now"

APPLY = "Apply {opt_outs:opt-out|opt-outs} before the deadline"
NOT_LATE = "Not late yet"

RENEW = "Renew or remove {waivers:waiver that does|waivers that do} not hold"
COUNTS_AGAIN = "What they excused counts again"

ASK_FOR_LOGS = "Ask for the logs of {sources:source that went|sources that went} silent"
CANNOT_ATTEST = "Until then nobody can attest those days"

REPAIR = "Repair the {rows:row|rows} in quarantine"
LOST = "Any of them may be a lost opt-out"

CANNOT_KNOW = "See what {sources:source|sources} cannot know"

LOOK_AT = "Look at the campaign {campaign}"
AND_MORE = " and {more} more"
LOSES = "{channel}: it loses {times:.1f} times as many people as the rest, beyond chance"

WHY = "Read why people leave: “{reason}” is given more and more often"
RISING = "Rising for {weeks:week|weeks}, beyond chance"

SEVEN_DAYS = "7 days"
THIRTY_DAYS = "30 days"
PRESSURE = "{messages} messages in {days} go with {times:.1f} times the opt-outs of one, beyond chance"
SEND_LESS = "Send less often to those who get the most"
