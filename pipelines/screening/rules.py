"""What heed's own rules would find in a message sent at one instant: asked of the rules themselves, in sql/.

A few hypothetical messages stand for the list: one for each place its contacts are in, for what depends on where
they are, and one for each contact who got something lately, for what depends on how much. The relations that a rule
reads are built from sql/core over these, as in a run; what a run would know of places is taken from the snapshot.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import polars

from pipelines import build, sqlfiles
from pipelines.canonical import TABLES
from pipelines.engines.duckdb import DuckDBEngine
from pipelines.rulebook import tables
from pipelines.screening.people import Plan
from pipelines.settings import Settings, fixed_offset_seconds

#: The rules a message that nobody has sent yet can break; an opt-out is judged apart, from the acts themselves.
_ASKED = ("message_without_consent", "message_in_quiet_hours", "message_over_frequency_cap")
#: The source of hypothetical messages.
SOURCE = "heed screen"
#: Of messages at one instant a cap counts the one with the greatest id last.
_GREATEST = "\U0010ffff"
_FIRST, _LAST = datetime(1999, 12, 1, tzinfo=UTC), datetime(2041, 1, 1, tzinfo=UTC)


def write(engine: DuckDBEngine, settings: Settings, plan: Plan, has_consent_log: bool) -> None:
    """Build temp tables `verdicts` and `asked`, and temp view `located` (contact_key, place_id), over `people`.

    verdicts: one row per finding of the rules above about a hypothetical message: rule, finding_class, severity,
    contact_key, legal_rule_id. asked: the contacts whom those messages went to, and their place_id. What depends on the
    place alone is asked for one contact of it.
    """
    _write_told(engine, settings)
    _write_prior(engine, plan)
    _without_history(engine)
    _write_places(engine, plan)
    _write_hypotheses(engine, plan, has_consent_log)
    selects = []
    for rule in _ASKED:
        _build(engine, f"audits.{rule}")
        selects.append(
            f"select rule, finding_class, severity, contact_key, legal_rule_id from audits.{rule}"
            f" where source = '{SOURCE}'"
        )
    engine.execute(f"create or replace temp table verdicts as {' union all '.join(selects)}", relation="verdicts")


def _write_told(engine: DuckDBEngine, settings: Settings) -> None:
    """Build reference and run as a run would now: the rule book and the policy as they stand in the home's files."""
    build.write_reference(engine)
    build.write_rule_book(engine, settings)
    told = {name: getattr(settings.policy, name) for name in ("scope", "double_opt_in", "report_timezone")}
    replaced = ", ".join(f"${name} as {name}" for name in told)
    engine.execute(f"create table run.parameters as select * replace ({replaced}) from snapshot.run.parameters", told)


def _write_prior(engine: DuckDBEngine, plan: Plan) -> None:
    """Build temp table prior_messages: what the list's contacts got in the longest window of a cap.

    Whole rows of core.messages, merged from every version; without those inside an opt-out span, which no cap counts.
    """
    longest = engine.value("select max(window_seconds) from run.caps")
    since = plan.at - timedelta(seconds=longest or 0)
    engine.execute(
        """
        create or replace temp table prior_versions as
        with
        named as (
            select distinct source, message_id from history.messages
            where sent_at > $since and sent_at <= $instant and $has_caps
                and contact_key in (select contact_key from people)
        )
        select m.* from history.messages as m
        semi join named as n on n.source = m.source and n.message_id = m.message_id
        """,
        {"since": since, "instant": plan.at, "has_caps": longest is not None},
        relation="prior_versions",
    )


def _without_history(engine: DuckDBEngine) -> None:
    """Leave of history only the columns of its tables, and of its messages what was kept."""
    for name in (*TABLES, "addresses"):
        engine.execute(f"create or replace temp table kept as select * from history.{name} limit 0")
        engine.execute(f"drop view history.{name}")
        engine.create(f"history.{name}", "select * from kept")
    engine.execute("drop table kept; insert into history.messages by name select * from prior_versions")


def _write_places(engine: DuckDBEngine, plan: Plan) -> None:
    """Build core.places and core.place_zones: those of the snapshot, and those of contacts the record does not know.

    For the latter sql/core answers as it would if they were in the record: by the phone number alone.
    """
    engine.execute(
        """
        create or replace temp table strangers as
        select min(contact_key) as contact_key, left(contact_masked, 5) as head, address_kind, phone_country
        from people where not is_known group by left(contact_masked, 5), address_kind, phone_country"""
    )
    engine.execute(
        """
        insert into history.addresses by name
        select contact_key, head as contact_masked, address_kind, nullif(phone_country, '') as country from strangers"""
    )
    empty = "select cast(null as varchar) as source, cast(null as bigint) as contact_key where false"
    for name in ("messages", "consent_events"):
        engine.create(f"core.{name}", empty)
    _write_offsets(engine, plan, set())
    for name in ("contact_places", "places", "place_zones"):
        engine.create(f"core.{name}", sqlfiles.read(f"core.{name}").text)
    engine.execute(
        """
        create or replace temp table stranger_places as
        select s.head, s.address_kind, s.phone_country, -p.place_id as place_id
        from strangers as s
        join core.contact_places as c on c.contact_key = s.contact_key
        join core.places as p on p.place = c.place"""
    )
    for name in ("places", "place_zones"):
        engine.execute(f"update core.{name} set place_id = -place_id")
        engine.execute(
            f"insert into core.{name} by name select * from snapshot.core.{name}"
            " where place_id in (select distinct place_id from people)"
        )
    engine.execute(
        """
        create or replace temp view located as
        select p.contact_key, coalesce(p.place_id, s.place_id) as place_id
        from people as p
        left join stranger_places as s
            on s.head = left(p.contact_masked, 5) and s.address_kind = p.address_kind
            and s.phone_country = p.phone_country"""
    )
    zones = {row[0] for row in engine.rows("select distinct timezone from core.place_zones")}
    _write_offsets(engine, plan, zones)


def _write_offsets(engine: DuckDBEngine, plan: Plan, zones: set[str]) -> None:
    """Build run.zone_offsets and run.report_offsets as every clock stands at the instant, and run.rule_dates."""
    clocks = {row[0] for row in engine.rows("select distinct clock from run.quiet_windows where clock is not null")}
    report = str(engine.value("select report_timezone from run.parameters"))
    offsets = {zone: offset_at(zone, plan.at) for zone in sorted(zones | clocks | {report})}
    instant = polars.Datetime("us", "UTC")
    schema: dict[str, Any] = {
        "timezone": polars.String,
        "from_at": instant,
        "until_at": instant,
        "offset_seconds": polars.Int64,
    }
    rows = [(zone, _FIRST, _LAST, seconds) for zone, seconds in offsets.items()]
    frame = polars.DataFrame(rows, schema=schema, orient="row")
    engine.create_from_frame("run.zone_offsets", frame)
    engine.create_from_frame("run.report_offsets", frame.filter(polars.col("timezone") == report))
    dates = engine.rows(
        "select from_on from run.rule_reach where from_on is not null"
        " union select until_on + 1 from run.rule_reach where until_on is not null"
    )
    near = timedelta(days=3)
    begun = [
        # Days far off begin long before or after the instant, whatever their own offset was.
        (zone, day, tables.first_instant(day, zone) if abs(day - plan.at.date()) < near else _midnight(day, seconds))
        for zone, seconds in offsets.items()
        for (day,) in dates
    ]
    schema = {"timezone": polars.String, "on_date": polars.Date, "begins_at": instant}
    engine.create_from_frame("run.rule_dates", polars.DataFrame(begun, schema=schema, orient="row"))


def _midnight(day: date, seconds: int) -> datetime:
    return datetime.combine(day, time(), UTC) - timedelta(seconds=seconds)


def offset_at(timezone: str, instant: datetime) -> int:
    """Seconds east of UTC that a zone's clock shows at an instant."""
    fixed = fixed_offset_seconds(timezone)
    if fixed is not None:
        return fixed
    offset = instant.astimezone(ZoneInfo(timezone)).utcoffset()
    assert offset is not None
    return round(offset.total_seconds())


def _write_hypotheses(engine: DuckDBEngine, plan: Plan, has_consent_log: bool) -> None:
    """Build the facts that the rules read: one message of this instant for each contact that has to be asked about."""
    hour = int(plan.at.timestamp()) // 3600
    engine.execute(
        """
        create or replace table run.hours as
        select $hour as utc_hour, to_timestamp($hour * 3600) as begins_at,
            to_timestamp(($hour + 1) * 3600) as ends_at""",
        {"hour": hour},
    )
    around = timedelta(days=3)
    engine.create_from_frame(
        "reference.business_days", build.business_days((plan.at - around).date(), (plan.at + around).date())
    )
    _build(engine, "core.reason_readings")  # what core.consent_events reads beside history
    for name in ("messages", "consent_events"):
        engine.create(f"core.{name}", sqlfiles.read(f"core.{name}").text)
    # Contacts who got nothing lately differ by their place only; where nothing at all may be sent, everybody is asked.
    engine.execute(
        """
        create or replace temp table asked as
        select contact_key, place_id from located
        where contact_key in (select contact_key from core.messages)
            or contact_key in (select min(contact_key) from located group by place_id)
            or exists (select 1 from run.caps where amount = 0)"""
    )
    engine.create("core.contacts", "select contact_key, place_id from asked")
    engine.execute(
        f"""
        insert into core.messages by name
        select '{SOURCE}' as source, '{_GREATEST}' || contact_key as message_id, $channel as channel, contact_key,
            $program as program, 'marketing' as message_class, $instant as sent_at, 'sent' as status,
            true as is_marketing, true as is_reached
        from asked""",
        {"channel": plan.channel, "program": plan.program, "instant": plan.at},
    )
    if has_consent_log:
        engine.execute(
            "insert into core.consent_events by name select $channel as channel, 'opt_in' as event_type",
            {"channel": plan.channel},
        )
    starts = "cast(null as varchar) as channel, cast(null as varchar) as program"
    instants = "cast(null as timestamptz) as opted_in_at, cast(null as timestamptz) as requested_at"
    engine.create("core.consent_starts", f"select 0 as contact_key, {starts}, {instants} where false")
    # Spans end with the instant: for the message itself the acts decide, and for each place somebody has to be asked.
    engine.execute(
        """
        create or replace table core.span_coverage as
        select * replace (least(coalesce(ends_at, $instant), $instant) as ends_at)
        from snapshot.core.span_coverage
        where begins_at < $instant and contact_key in (select contact_key from core.messages)""",
        {"instant": plan.at},
        relation="core.span_coverage",
    )


def _build(engine: DuckDBEngine, relation: str) -> None:
    """Build a relation of sql/ and, before it, each one it reads that is not there."""
    if engine.relation_exists(relation):
        return
    file = sqlfiles.read(relation)
    for name in sorted(file.reads):
        if name.split(".")[0] in ("core", "audits"):
            _build(engine, name)
    engine.create(relation, file.text)
