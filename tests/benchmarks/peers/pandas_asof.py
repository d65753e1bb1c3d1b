"""pandas: merge_asof. Only the columns of the question are read, CSV by the Arrow parser, the fastest it has."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from tests.benchmarks.peers import (
    AUDITED_CLASSES,
    CHANNELS,
    ENDS_BLOCK,
    ENDS_BOTH,
    OPENS_BLOCK,
    OPENS_OPT_OUT,
    run,
)

_KEYS = ["contact", "channel"]


def _read(path: Path, columns: list[str]) -> pd.DataFrame:
    if path.suffix == ".csv":
        return pd.read_csv(path, usecols=columns, engine="pyarrow", dtype_backend="pyarrow")
    return pd.read_parquet(path, columns=columns, dtype_backend="pyarrow")


def _states(path: Path) -> pd.DataFrame:
    acts = _read(path, [*_KEYS, "event_type", "requested_at"])
    acts = acts[acts["event_type"] != "opt_in_requested"]
    kind = acts["event_type"]
    opens = kind.isin(OPENS_OPT_OUT + OPENS_BLOCK)
    at = pd.to_datetime(acts["requested_at"], utc=True).astype("datetime64[us, UTC]")
    acts = acts.assign(
        at=at.mask(~opens, at - pd.Timedelta(1, "us")),
        is_out=kind.map(dict.fromkeys(OPENS_OPT_OUT, 1.0) | dict.fromkeys(ENDS_BOTH, 0.0)).astype("float64"),
        is_blocked=kind.map(dict.fromkeys(OPENS_BLOCK, 1.0) | dict.fromkeys(ENDS_BOTH + ENDS_BLOCK, 0.0)).astype(
            "float64"
        ),
    )
    everywhere = acts["channel"] == "*"
    text = acts["channel"].dtype
    copies = [acts[everywhere].assign(channel=pd.Series(channel, acts[everywhere].index, text)) for channel in CHANNELS]
    acts = pd.concat([acts[~everywhere], *copies])
    acts = acts.sort_values("at", kind="stable")
    filled = acts.groupby(_KEYS, sort=False)[["is_out", "is_blocked"]].ffill().fillna(0.0)
    return acts[[*_KEYS, "at"]].assign(is_silent=(filled["is_out"] + filled["is_blocked"]) > 0)


def answer(messages: Path, consent_events: Path, out: Path) -> None:
    sent = _read(messages, ["message_id", *_KEYS, "message_class", "sent_at"])
    sent = sent[sent["message_class"].isin(AUDITED_CLASSES)].drop(columns="message_class")
    sent["sent_at"] = pd.to_datetime(sent["sent_at"], utc=True).astype("datetime64[us, UTC]")
    found = pd.merge_asof(
        sent.sort_values("sent_at", kind="stable"),
        _states(consent_events),
        left_on="sent_at",
        right_on="at",
        by=_KEYS,
        direction="backward",
        allow_exact_matches=False,
    )
    found.loc[found["is_silent"].fillna(False).astype(bool), ["message_id"]].to_parquet(out)


if __name__ == "__main__":
    run(answer)
