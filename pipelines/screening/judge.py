"""One verdict for every row of a list: sendable, or the first reason against it and the evidence for that."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import polars

from pipelines.engines.duckdb import DuckDBEngine, quoted
from pipelines.screening.people import Plan
from pipelines.screening.rules import SOURCE, offset_at

#: Why a row is refused, in the order in which the reasons are looked at: the first that applies decides.
REASONS = {
    "unreadable_address": "no address that the channel can use",
    "duplicate": "the same address as an earlier row",
    "opted_out": "opted out, complained or blocked you",
    "pending_confirmation": "asked to join and did not confirm",
    "no_consent": "no opt-in on record",
    "quiet_hours": "quiet hours where the contact is",
    "over_cap": "over the frequency cap",
}
COLUMNS = ("row_number", "contact_masked", "contact_key", "reason", "since", "evidence", "rule")
_KEY = "lpad(lower(hex({0})), 16, '0')"
_ACTS = {"opt_out": "Opted out", "complaint": "Complained", "block": "Blocked you"}


def refused(engine: DuckDBEngine, plan: Plan) -> polars.DataFrame:
    """One row per refused row of the list, in order, with the columns above, over what people, acts and rules left."""
    _write_places(engine, plan)
    _write_caps(engine, plan)
    _write_reasons(engine, plan)
    when = "strftime({0}, '%Y-%m-%d %H:%M:%S UTC')"
    acts = " ".join(f"when {quoted(act)} then {quoted(words)}" for act, words in _ACTS.items())
    another = quoted(", from another address of the same person")
    # Each piece of evidence is joined to the rows that rest on it and no others: most of a list needs none.
    frame = engine.frame(
        f"""
        select
            l.row_number, l.contact_masked,
            case when l.contact_key is not null then {_KEY.format("l.contact_key")} end as contact_key,
            l.reason,
            coalesce(s.begins_at, c.asked_at) as since,
            case l.reason
                when 'unreadable_address' then l.problem
                when 'duplicate' then 'The address stands in row ' || l.first_row || ' already.'
                when 'opted_out' then
                    case s.event_type {acts} end || ' on ' || {when.format("s.begins_at")}
                    || coalesce(' by ' || replace(s.method, '_', ' '), '')
                    || case when s.acted_key = l.contact_key then '' else {another} end
                    || ' (event ' || s.event_id || ' of ' || s.source || '), and nothing had ended it by then.'
                when 'pending_confirmation'
                    then 'Asked to join on ' || {when.format("c.asked_at")} || ' and never confirmed.'
                when 'no_consent' then 'No opt-in before the message is on record'
                    || coalesce(', and ' || w.consent_rule || ' asks for one.', '.')
                when 'quiet_hours' then w.quiet_words
                when 'over_cap' then k.cap_words
            end as evidence,
            case l.reason
                when 'opted_out' then 'message_after_opt_out'
                when 'pending_confirmation' then 'message_before_confirmation'
                when 'no_consent' then coalesce(w.consent_rule, 'message_without_consent')
                when 'quiet_hours' then w.quiet_rule
                when 'over_cap' then k.cap_rule
            end as rule
        from reasons as l
        left join standing as s on s.owner = case l.reason when 'opted_out' then l.owner end
        left join consents as c on c.owner = case l.reason when 'pending_confirmation' then l.owner end
        left join place_verdicts as w
            on w.place_id = case when l.reason in ('no_consent', 'quiet_hours') then l.place_id end
        left join cap_verdicts as k on k.contact_key = case l.reason when 'over_cap' then l.contact_key end"""
    )
    return frame.sort("row_number")


def _write_reasons(engine: DuckDBEngine, plan: Plan) -> None:
    """Build temp table reasons, one row per refused row: row_number, contact_masked, contact_key, problem, reason,
    first_row, owner, place_id."""
    no_consent = "true" if plan.require_consent else "w.consent_rule is not null"
    unconfirmed = "c.asked_at is not null" if plan.double_opt_in else "false"
    engine.execute(
        f"""
        create or replace temp table reasons as
        with
        known as (
            select
                p.contact_key, p.first_row, o.owner, z.place_id,
                case
                    when s.owner is not null then 'opted_out'
                    when c.opted_in_at is null and {unconfirmed} then 'pending_confirmation'
                    when c.opted_in_at is null and {no_consent} then 'no_consent'
                    when w.quiet_rule is not null then 'quiet_hours'
                    when k.cap_rule is not null then 'over_cap'
                end as reason
            from people as p
            join located as z on z.contact_key = p.contact_key
            join owners as o on o.contact_key = p.contact_key
            left join standing as s on s.owner = o.owner
            left join consents as c on c.owner = o.owner
            left join place_verdicts as w on w.place_id = z.place_id
            left join cap_verdicts as k on k.contact_key = p.contact_key
        )
        select
            l.row_number, l.contact_masked, l.contact_key, l.problem, k.first_row, k.owner, k.place_id,
            case
                when l.problem is not null then 'unreadable_address'
                when k.first_row < l.row_number then 'duplicate'
                else k.reason
            end as reason
        from listed as l
        left join known as k on k.contact_key = l.contact_key
        where l.problem is not null or k.first_row < l.row_number or k.reason is not null""",
        relation="reasons",
    )


def _write_places(engine: DuckDBEngine, plan: Plan) -> None:
    """Build temp table place_verdicts: per place the rule that asks for consent and the one whose quiet hours it is."""
    surely = "('certain', 'possible', 'unknown')" if plan.strict_time else "('certain', 'possible')"
    rows = engine.rows(
        f"""
        select
            p.place_id,
            min(v.legal_rule_id) filter (where v.rule = 'message_without_consent' and v.severity = 'high'),
            min(v.legal_rule_id) filter (where v.rule = 'message_in_quiet_hours' and v.finding_class in {surely}),
            min(v.finding_class) filter (where v.rule = 'message_in_quiet_hours')
        from verdicts as v
        join asked as p on p.contact_key = v.contact_key
        group by p.place_id"""
    )
    zones: dict[int, list[str]] = {}
    for place, zone in engine.rows("select place_id, timezone from core.place_zones order by all"):
        zones.setdefault(place, []).append(zone)
    clocks = dict(engine.rows("select distinct rule_id, clock from run.quiet_windows where clock is not null"))
    values = dict(engine.rows("select rule_id, value from run.rules where kind = 'quiet_hours'"))
    found = []
    for place, consent, quiet, certainty in rows:
        words = None
        if quiet is not None:
            here = [clocks[quiet]] if quiet in clocks else zones.get(place, [])
            words = f"{_clock_words(here, plan.at)} ({certainty}); {quiet} allows {_allowed(values[quiet])}."
        found.append((place, consent, quiet, words))
    text = polars.String
    schema = {"place_id": polars.Int64, "consent_rule": text, "quiet_rule": text, "quiet_words": text}
    engine.create_from_frame("run.place_verdicts", polars.DataFrame(found, schema=schema, orient="row"))
    engine.execute("create or replace temp table place_verdicts as select * from run.place_verdicts")


def _allowed(value: str) -> str:
    """What a rule of quiet hours allows: MO-FR 10:00-13:00, never SA, SU."""
    said = [part.strip() for part in value.split(";")]
    times = [part.removeprefix("allow:").strip() for part in said if not part.startswith("deny:")]
    never = [part.removeprefix("deny:").strip() for part in said if part.startswith("deny:")]
    return ", ".join([" and ".join(times), *(f"never {part}" for part in never)])


def _clock_words(zones: list[str], instant: datetime) -> str:
    """What the clocks show: Sun 06:30 in America/New_York, or Sun 05:30 in America/Chicago."""
    shown = []
    for zone in zones[:4]:
        local = instant.astimezone(timezone(timedelta(seconds=offset_at(zone, instant))))
        shown.append(f"{local:%a %H:%M} in {zone}")
    more = [f"{len(zones) - len(shown)} more zones"] if len(zones) > len(shown) else []
    return ", or ".join([*shown, *more]) or f"{instant.astimezone(UTC):%a %H:%M} UTC"


def _write_caps(engine: DuckDBEngine, plan: Plan) -> None:
    """Build temp table cap_verdicts: per contact the cap that one more message would exceed, and what it got so far."""
    engine.execute(
        f"""
        create or replace temp table cap_verdicts as
        select
            v.contact_key,
            min(v.legal_rule_id) as cap_rule,
            'Got ' || count(m.message_id) || ' in the '
                || case
                    when min(k.window_seconds) % 86400 = 0 and min(k.window_seconds) > 86400
                        then min(k.window_seconds) // 86400 || ' days'
                    when min(k.window_seconds) % 3600 = 0 then min(k.window_seconds) // 3600 || ' hours'
                    else min(k.window_seconds) // 60 || ' minutes'
                end
                || ' before; the cap (' || min(v.legal_rule_id) || ') is ' || min(k.amount) || '.' as cap_words
        from verdicts as v
        join run.caps as k on k.rule_id = v.legal_rule_id
        left join (
            select m.contact_key, m.message_id, m.sent_at
            from core.messages as m
            where m.is_reached and m.channel = $channel and m.source <> '{SOURCE}'
                and not exists (
                    select 1 from core.span_coverage as s
                    where s.contact_key = m.contact_key and s.channel in (m.channel, '*')
                        and s.program in (m.program, '*') and s.begins_at < m.sent_at and m.sent_at < s.ends_at
                )
        ) as m
            on m.contact_key = v.contact_key and m.sent_at <= $instant
            and m.sent_at > $instant - to_seconds(k.window_seconds)
        where v.rule = 'message_over_frequency_cap'
        group by v.contact_key""",
        {"instant": plan.at, "channel": plan.channel},
        relation="cap_verdicts",
    )
