"""Makes the sample: simulates the retailer day by day and writes its logs and their answer key."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pipelines.errors import UsageError
from pipelines.sample import (
    campaigns,
    config,
    crm,
    end_of_record,
    excuses,
    incidents,
    mail,
    membership,
    twilio,
    whatsapp,
)
from pipelines.sample.clock import DAY, DAYS, HORIZON, MONTH_STARTS, MONTHS
from pipelines.sample.expected import expected
from pipelines.sample.files import ROWS_AT_ONCE, Delivery
from pipelines.sample.key import FINDINGS_FILE, Key
from pipelines.sample.sending import send
from pipelines.sample.world import World, create

SMALLEST, LARGEST = 1_000, 100_000_000


def generate(home: Path, messages: int = 120_000, seed: int = 7) -> dict[str, Any]:
    """The files, rows and planted incidents of a new sample in `home`: heed.toml, waivers.csv, inbox/, answer_key.json.

    `messages` (1,000 to 100,000,000) counts campaign and transactional messages; confirmations come on top. The
    same messages and seed give the same bytes. Times run from 2026-05-04 to 2026-11-08 UTC.
    Raises UsageError if `messages` or `seed` is out of range, or if `home` has a heed.toml of its own.
    """
    if not SMALLEST <= messages <= LARGEST:
        raise UsageError(
            f"A sample of {messages:,} messages cannot be made.", f"Ask for {SMALLEST:,} to {LARGEST:,} messages."
        )
    if not 0 <= seed < 2**32:
        raise UsageError(f"The seed {seed} cannot be used.", "Give a whole number from 0 to 4294967295.")
    _prepare(home)
    plan = campaigns.plan(messages)
    world = create(messages, seed, Key(home, seed, messages))
    delivery = Delivery(home)
    try:
        sent = _simulate(world, delivery, plan)
        crm.write_campaigns(delivery, plan)
        end_of_record.blame_campaigns(world, plan)
        end_of_record.blame_slowness(world)
        end_of_record.write_list(world, delivery)
    except BaseException:
        # Half a sample has no key: nothing of it stays.
        delivery.discard()
        world.key.close()
        (home / FINDINGS_FILE).unlink(missing_ok=True)
        raise
    delivery.close()
    content = world.key.write(delivery.counts(), expected(world), excuses.write(home, world.key))
    return {
        "home": str(home),
        "seed": seed,
        "messages": sent,
        "as_of": content["expected"]["as_of"],
        "files": len(delivery.files),
        "rows": sum(one.rows for one in delivery.files.values()),
        "findings": content["expected"]["findings"],
        "incidents": [incident["name"] for incident in content["incidents"]],
    }


def _prepare(home: Path) -> None:
    """Leaves a home without the files of an earlier sample; refuses one that somebody else configured."""
    settings = home / "heed.toml"
    if settings.exists():
        if not settings.read_text(encoding="utf-8").startswith(config.MARKER):
            raise UsageError(
                f"{settings} was not written by the sample generator and is left as it is.",
                "Name another home folder with -C, or move the file away.",
            )
        _remove_earlier(home)
    elif (home / excuses.FILE).exists():
        raise UsageError(
            f"{home / excuses.FILE} was not written by the sample generator and is left as it is.",
            "Name another home folder with -C, or move the file away.",
        )
    home.mkdir(parents=True, exist_ok=True)
    settings.write_text(config.TEXT, encoding="utf-8", newline="\n")


def _remove_earlier(home: Path) -> None:
    """Deletes the files that an earlier sample's key lists, so that samples of different sizes do not mix."""
    key = home / "answer_key.json"
    if not key.exists():
        return
    try:
        earlier = list(json.loads(key.read_text(encoding="utf-8"))["files"])
    except (ValueError, KeyError, TypeError):
        earlier = []
    inbox = (home / "inbox").resolve()
    for name in earlier:
        path = (home / name).resolve()
        if path.is_relative_to(inbox) and path.is_file():
            path.unlink()
    key.unlink()
    (home / excuses.FILE).unlink(missing_ok=True)
    (home / FINDINGS_FILE).unlink(missing_ok=True)


def _simulate(world: World, delivery: Delivery, plan: list[campaigns.Campaign]) -> int:
    """Runs through all days, sending in order of time and writing what is ripe; returns how many messages were sent."""
    for rows in membership.history(world):
        crm.write_history(delivery, world.people, rows, plan)
    membership.add_joiners(world)
    exports = crm.Exports()
    bodies = twilio.bodies_of(plan)
    month = 0
    position = sent = 0
    for day in range(DAYS):
        if day * DAY >= MONTH_STARTS[month + 1]:
            _write_ripe(world, delivery, plan, bodies, month, MONTH_STARTS[month + 1])
            _write_crm(world, delivery, plan, exports, month, MONTH_STARTS[month + 1])
            delivery.close(MONTHS[month])
            month += 1
        elif (
            max(buffer.count for buffer in (world.outbox.twilio, world.outbox.whatsapp, world.outbox.mail))
            > ROWS_AT_ONCE
        ):
            _write_ripe(world, delivery, plan, bodies, month, day * DAY)
        world.endings.apply(world.states, day)
        if day == incidents.IMPORT.starts_at // DAY:
            membership.resubscribe_by_import(world)
        while position < len(plan) and plan[position].starts_at < (day + 1) * DAY:
            sent += send(world, position, plan[position])
            position += 1
    _write_ripe(world, delivery, plan, bodies, month, HORIZON)
    world.outbox.crm.add(crm.last_row(world.people, world.outbox.crm.serial))
    _write_crm(world, delivery, plan, exports, month, HORIZON + 1)
    return sent


def _write_ripe(
    world: World, delivery: Delivery, plan: list[campaigns.Campaign], bodies: list[str], month: int, before: int
) -> None:
    people, outbox = world.people, world.outbox
    by_day = not world.key.in_memory
    for_twilio = outbox.twilio.take_before(before)
    if len(for_twilio):
        twilio.write(delivery, people, bodies, for_twilio, MONTHS[month], by_day)
    for_whatsapp = outbox.whatsapp.take_before(before)
    if len(for_whatsapp):
        whatsapp.write(delivery, people, plan, for_whatsapp, MONTHS[month])
    for_mail = outbox.mail.take_before(before)
    if len(for_mail):
        mail.write(delivery, people, plan, for_mail, MONTHS[month])


def _write_crm(
    world: World,
    delivery: Delivery,
    plan: list[campaigns.Campaign],
    exports: crm.Exports,
    month: int,
    before: int,
) -> None:
    crm.write_month(delivery, world.people, world.outbox.crm.take_before(before), MONTHS[month], plan, exports)
