"""Sends what standard input asks for, through Apprise, in a process of its own that can be given up.

Input: a JSON list of [url, title, body]. Output: for each in turn, a line `true` or `false`. A script that imports
nothing of heed's: it is run by its path. Whatever Apprise says of a failure may show the address, so it goes to
standard error, which heed shows on request only.
"""

from __future__ import annotations

import json
import sys


def main() -> None:
    """Send each, and say of each whether it was sent."""
    import apprise

    # Nothing is remembered on disk, and nobody's replacement text or plugin is loaded.
    asset = apprise.AppriseAsset(app_id="heed", app_desc="heed", app_url="", storage_mode="memory")
    for url, title, body in json.load(sys.stdin):
        sender = apprise.Apprise(asset=asset)
        is_sent = sender.add(url) and sender.notify(title=title, body=body, body_format=apprise.NotifyFormat.TEXT)
        print("true" if is_sent else "false", flush=True)


if __name__ == "__main__":
    main()
