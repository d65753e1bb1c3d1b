"""English text of logging in, of being refused, and of what the footer says about the reader."""

from __future__ import annotations

ROLES = {"officer": "officer", "marketer": "marketer", "viewer": "viewer"}

LOG_IN = "Log in"
LOG_OUT = "Log out"

#: What the gate says instead of a page: its title and its sentences.
REFUSALS = {
    "anonymous": (
        "Please log in",
        "These pages are about people's consent. Who may read them is known by their login.",
    ),
    "ended": (
        "Your session has ended",
        "Nothing was lost. Log in again, and you are back where you were.",
    ),
    "no_role": (
        "You have no role here",
        "You are logged in as {who}, but none of your groups gives you a role. Whoever runs this dashboard can add "
        "you to one.",
    ),
    "proxy": (
        "You did not come through the proxy",
        "These pages are served to readers whom the proxy in front has asked to log in, and only through it.",
    ),
    "host": (
        "This dashboard is for this machine",
        "It asks nobody to log in, so it answers only by the names of the machine that it runs on.",
    ),
    "route": ("This is not for your role", "What you asked for belongs to another role than yours."),
    "cross_site": ("Another site asked for this", "Open the dashboard itself and try again."),
    "absent": ("There is nothing here", "This file was not shown to you, or it is gone."),
}

AND, THE_ROLE = " and ", "the role {role}"
PAGE_REFUSED = "This page is not for your role"
PAGE_REFUSED_BODY = (
    "You are logged in as **{who}**, with the role **{role}**. {page} is for {others}. Nothing of it was read, and "
    "that you asked is in the access log."
)
FIRST_PAGE = "To the overview"
NOT_KNOWN = "Nobody is logged in"
NOT_KNOWN_BODY = "The page was asked for without a login, so nothing of it was read. Reload it to log in."
NOT_LOGGED = "The access log cannot be written"
NOT_LOGGED_BODY = (
    "Whoever looks at a contact or takes an export is written to the access log first. That failed, so nothing is "
    "shown. Whoever runs this dashboard finds the reason in the server's log."
)
ROWS_ONLY = "Your role sees which rows are refused and why; who is behind them, and on what evidence, officers see."
NOT_FOR_ROLE = "Contacts are shown to officers; your role sees the counts."

LOCAL = (
    "Nobody is asked to log in: whoever can use this machine sees what the role {role} sees. The dashboard listens on "
    "this machine alone."
)
SIGNED_IN = "Logged in as **{who}**, {role}"
UNTIL = "until {time} UTC"
