"""The ids that providers give to messages and events, from serial numbers."""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pipelines.sample import draws

_TWILIO, _WHATSAPP, _MAIL = 100, 110, 120


def twilio_sids(serials: NDArray[np.int64], seed: int) -> pl.Series:
    """SM and 32 hexadecimal digits."""
    return "SM" + pl.Series(draws.hex_ids(serials, seed, _TWILIO)).cast(pl.String)


def wamids(serials: NDArray[np.int64], seed: int) -> pl.Series:
    """wamid.HBgM and 32 hexadecimal digits in capitals."""
    return "wamid.HBgM" + pl.Series(draws.hex_ids(serials, seed, _WHATSAPP)).cast(pl.String).str.to_uppercase()


def mail_ids(serials: NDArray[np.int64], seed: int) -> pl.Series:
    """32 hexadecimal digits."""
    return pl.Series(draws.hex_ids(serials, seed, _MAIL)).cast(pl.String)


def crm_event_ids(serials: NDArray[np.int64]) -> pl.Series:
    """EV and nine digits."""
    return "EV" + pl.Series(serials).cast(pl.String).str.zfill(9)


def twilio_event_ids(serials: NDArray[np.int64], seed: int) -> pl.Series:
    """What heed calls the opt-out that a keyword reply is: the reply's own id and what it does."""
    return twilio_sids(serials, seed) + ":opt_out"


MESSAGE_IDS = {"twilio": twilio_sids, "whatsapp": wamids, "mail": mail_ids}
