"""Text that goes to a terminal, with nothing in it that drives one."""

from __future__ import annotations

import json
from typing import Any

#: What turns the direction of writing, or ends a line, without being seen.
_UNSEEN = (0x061C, 0x200E, 0x200F, 0x2028, 0x2029, *range(0x202A, 0x202F), *range(0x2066, 0x206A), 0xFEFF)
_CONTROL = {code: f"\\x{code:02x}" for code in (*range(32), 127, *range(128, 160))}
_CONTROL |= {code: f"\\u{code:04x}" for code in _UNSEEN}
#: The same in JSON, which spells out the first 32 by itself and whose readers turn these back.
_IN_JSON = {code: f"\\u{code:04x}" for code in (127, *range(128, 160), *_UNSEEN)}


def terminal_safe(text: str) -> str:
    """Text with control characters spelled out, so that nothing in the data can drive a terminal."""
    return text.translate(_CONTROL)


def terminal_safe_lines(text: str) -> str:
    """The same for text of several lines."""
    return "\n".join(map(terminal_safe, text.split("\n")))


def json_text(content: Any, **options: Any) -> str:
    """JSON as people read it, with nothing in it that drives a terminal; every reader gets the content back."""
    return json.dumps(content, ensure_ascii=False, **options).translate(_IN_JSON)
