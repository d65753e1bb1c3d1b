"""heed's peers: small scripts that answer one question of heed's from the delivered files, each in one library.

The question is the audit core: which marketing messages were sent inside an opt-out span or a block span. The answer is
a Parquet file of message ids. A script is what a user of that library would write who knows the record well: addresses
are compared as text, because these files write them as heed compares them; `*` stands for the channels that the record
knows, which are `CHANNELS`; every row is one message, because no key comes twice; times are whole seconds.

All of them tell an act that ends a silence as one microsecond earlier than it was. With "the last act before the
message" that gives what docs/definitions.md says of the ends of a span and of ties: a message at the same instant as
the act that opens or ends a span is outside it, and of two acts at one instant the opt-out is the later.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path

CHANNELS = ("sms", "whatsapp", "email")
AUDITED_CLASSES = ("marketing", "unknown")
OPENS_OPT_OUT = ("opt_out", "complaint")
OPENS_BLOCK = ("block",)
ENDS_BOTH = ("opt_in", "opt_in_confirmed")
ENDS_BLOCK = ("unblock",)

#: From the files of messages and of consent events to a file of message ids.
Answer = Callable[[Path, Path, Path], None]


def run(answer: Answer, *, rounds: int = 1, peak_mb: Callable[[], float] | None = None) -> None:
    """Answer once, or several times over, and print the answer's own seconds and processor seconds, without imports."""
    parser = argparse.ArgumentParser()
    parser.add_argument("messages", type=Path)
    parser.add_argument("consent_events", type=Path)
    parser.add_argument("out", type=Path)
    options = parser.parse_args()
    seconds, processor = [], []
    for _ in range(rounds):
        begun, used = time.perf_counter(), time.process_time()
        answer(options.messages, options.consent_events, options.out)
        seconds.append(time.perf_counter() - begun)
        processor.append(time.process_time() - used)
    print(json.dumps({"seconds": seconds, "processor": processor} | ({"peak_mb": peak_mb()} if peak_mb else {})))
