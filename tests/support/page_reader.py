"""A reader without a browser: it opens a page over Streamlit's own WebSocket and keeps what the page says.

Twenty browsers would need more machine than the server they read from; a WebSocket shows the same messages.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlencode, urlsplit

import pyarrow
from google.protobuf.message import Message
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.sync.client import connect


@dataclass(frozen=True)
class PageRun:
    """One run of a page: its texts and tables in the order drawn, how long the server took, and how much it sent."""

    texts: tuple[str, ...]
    tables: tuple[list[dict[str, Any]], ...]
    seconds: float
    sent_bytes: int
    succeeded: bool

    def one(self, beginning: str) -> str:
        """The one text that begins so; AssertionError where none or several do."""
        found = [text for text in self.texts if text.startswith(beginning)]
        assert len(found) == 1, (beginning, found or self.texts)
        return found[0]


class PageReader:
    """One session of the dashboard at `address`; a context manager, for one thread."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._known: dict[str, ForwardMsg] = {}

    def __enter__(self) -> Self:
        there = f"ws://{urlsplit(self._address).netloc}/_stcore/stream"
        self._connection = connect(
            there, origin=self._address, subprotocols=["streamlit"], proxy=None, max_size=None  # type: ignore[arg-type, list-item]
        )  # fmt: skip
        self._socket = self._connection.__enter__()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._connection.__exit__(kind, error, at)

    def read(self, page: str, **filters: str) -> PageRun:
        """Open a page with its filters as an address names them, and wait until its script has ended."""
        asked = BackMsg()
        asked.rerun_script.query_string = urlencode(filters)
        asked.rerun_script.page_name = "" if page == "overview" else page
        begun = time.perf_counter()
        self._socket.send(asked.SerializeToString())
        texts: list[str] = []
        tables: list[list[dict[str, Any]]] = []
        sent_bytes = 0
        while True:
            received = self._socket.recv(timeout=60)
            assert isinstance(received, bytes)
            sent_bytes += len(received)
            message = ForwardMsg.FromString(received)
            if message.WhichOneof("type") == "ref_hash":
                message = self._known[message.ref_hash]
            elif message.hash:
                self._known[message.hash] = message
            kind = message.WhichOneof("type")
            if kind == "delta":
                texts.extend(_texts(message.delta))
                if message.delta.new_element.HasField("dataframe"):
                    tables.append(_rows(message.delta.new_element.dataframe.arrow_data.data))
            elif kind == "script_finished" and texts:
                succeeded = message.script_finished == ForwardMsg.FINISHED_SUCCESSFULLY
                return PageRun(tuple(texts), tuple(tables), time.perf_counter() - begun, sent_bytes, succeeded)


def _rows(data: bytes) -> list[dict[str, Any]]:
    with pyarrow.ipc.open_stream(data) as stream:
        rows: list[dict[str, Any]] = stream.read_all().to_pylist()
    return rows


def _texts(message: Message) -> list[str]:
    """Every text in a message of Streamlit, at whatever depth."""
    found: list[str] = []
    for field, value in message.ListFields():
        for part in value if field.is_repeated else [value]:
            if isinstance(part, Message):
                found.extend(_texts(part))
            elif isinstance(part, str) and part:
                found.append(part)
    return found
