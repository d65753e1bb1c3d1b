"""What people write back, and what is answered: the replies of the sample, known by their position in REPLIES."""

from __future__ import annotations

# Bare opt-out keywords, which the provider acts on; repeated ones are commoner.
STOPS = [
    "STOP",
    "Stop",
    "stop",
    "STOP",
    "Stop",
    " stop ",
    "stop",
    "STOP",
    "UNSUBSCRIBE",
    "Cancel",
    "quit",
    "END",
    "STOPALL",
]
# Keywords that the provider lets pass because of what follows them.
PUNCTUATED = ["STOP.", "Stop!", "stop!!", "Unsubscribe."]
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
# They may be asking for it: a person has to read them.
DOUBTFUL = ["wrong number", "not interested", "I never signed up for this"]
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
CONFIRMATION_WITH_OFFER = (
    "You have successfully been unsubscribed. You will not receive any more messages from this number. "
    "Before you go: 20% off your next order with STAY20."
)
REPLIES = [*STOPS, *PUNCTUATED, *STARTS, *MISSPELLED, *DOUBTFUL, *CHATTER, CONFIRMATION, CONFIRMATION_WITH_OFFER]
# Every reply before MISSPELLED_AT is a keyword.
STOP_AT = 0
PUNCTUATED_AT = STOP_AT + len(STOPS)
START_AT = PUNCTUATED_AT + len(PUNCTUATED)
MISSPELLED_AT = START_AT + len(STARTS)
DOUBTFUL_AT = MISSPELLED_AT + len(MISSPELLED)
CHATTER_AT = DOUBTFUL_AT + len(DOUBTFUL)
CONFIRMATION_AT = CHATTER_AT + len(CHATTER)
OFFER_AT = CONFIRMATION_AT + 1
