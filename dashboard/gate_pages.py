"""The pages the gate shows instead of the dashboard: to log in, and why somebody is not let in.

They stand alone: nothing but this one document is served to somebody who is not logged in.
"""

from __future__ import annotations

import base64
import hashlib
import html
from pathlib import Path
from urllib.parse import quote

from dashboard.words import access_texts, texts

_MARK = (Path(__file__).resolve().parent / "mark.svg").read_text(encoding="utf-8")
STYLE = """
:root { color-scheme: light dark; --ink: #22292c; --paper: #fdfcf9; --soft: #f3f1ea; --line: #dcd8cd; --accent: #1f6b75;
  --on-accent: #fdfcf9; }
@media (prefers-color-scheme: dark) { :root { --ink: #e8e6e0; --paper: #14191b; --soft: #1d2427; --line: #343d41;
  --accent: #6fbac4; --on-accent: #14191b; } }
* { box-sizing: border-box; }
body { margin: 0; min-height: 100vh; display: grid; place-items: center; padding: 1.5rem; background: var(--paper);
  color: var(--ink); font: 1rem/1.6 system-ui, sans-serif; }
main { width: 100%; max-width: 27rem; padding: 2rem; background: var(--soft); border: 1px solid var(--line);
  border-radius: 0.4rem; }
svg { height: 2rem; width: auto; display: block; }
h1 { font: 600 1.7rem/1.25 Georgia, serif; margin: 1.5rem 0 0.5rem; }
p { margin: 0 0 1.5rem; overflow-wrap: anywhere; }
a { display: inline-block; padding: 0.55rem 1.3rem; border-radius: 0.3rem; background: var(--accent);
  color: var(--on-accent); font-weight: 600; text-decoration: none; }
a:focus-visible { outline: 3px solid var(--ink); outline-offset: 3px; }
"""
_STYLE_HASH = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
#: Nothing is loaded, nothing runs, nobody frames it.
POLICY = (
    f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


def refusal(reason: str, who: str = "", asked_for: str = "/", *, can_log_in: bool) -> bytes:
    """The page for one reason of access_texts.REFUSALS; `asked_for` is where the login leads back to."""
    title, body = access_texts.REFUSALS[reason]
    link = ""
    if reason in ("anonymous", "ended") and can_log_in:
        link = f'<a href="/login?next={quote(asked_for, safe="")}">{access_texts.LOG_IN}</a>'
    elif reason == "no_role" and can_log_in:
        link = f'<a href="/auth/logout">{access_texts.LOG_OUT}</a>'
    body = html.escape(body.format(who=who))
    page = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{html.escape(title)} · {texts.PRODUCT}</title><style>{STYLE}</style></head>"
        f"<body><main>{_MARK}<h1>{html.escape(title)}</h1><p>{body}</p>{link}</main></body></html>"
    )
    return page.encode()


def in_a_line(reason: str) -> bytes:
    """The same for a program: one line of text."""
    title, body = access_texts.REFUSALS[reason]
    return f"{title}. {body.format(who='somebody known')}\n".encode()
