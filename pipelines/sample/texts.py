"""What people write back, and what is answered: the replies of the sample, known by their position in REPLIES."""

from __future__ import annotations

# Whole-body opt-out keywords as people type them; repeated ones are commoner.
STOPS = [
    "STOP",
    "Stop",
    "stop",
    "STOP",
    "Stop.",
    "STOP!",
    " stop ",
    "stop",
    "UNSUBSCRIBE",
    "Cancel",
    "quit",
    "END",
    "STOPALL",
]
STARTS = ["START", "UNSTOP", "Start"]
# They ask to be left alone, but no keyword list sees it.
MISSPELLED = [
    "Sto",
    "stop please",
    "pls stop texting me",
    "Stopp",
    "remove me from your list",
    "STOP IT",
    "no more texts, thanks",
    "wrong number, leave me alone",
    "ST0P",
]
CHATTER = [
    "thanks!",
    "What time do you open on Sunday?",
    "Is this still valid in store?",
    "ok",
    "Do the boots come in wide?",
    'The code says "expired"',
    "lol who is this",
    "Great, ordered two\nThank you",
]
CONFIRMATION = (
    "You have successfully been unsubscribed. You will not receive any more messages from this number. "
    "Reply START to resubscribe."
)
REPLIES = [*STOPS, *STARTS, *MISSPELLED, *CHATTER, CONFIRMATION]
STOP_AT = 0
START_AT = STOP_AT + len(STOPS)
MISSPELLED_AT = START_AT + len(STARTS)
CHATTER_AT = MISSPELLED_AT + len(MISSPELLED)
CONFIRMATION_AT = CHATTER_AT + len(CHATTER)
