"""Spark in one process with two cores.

It has no ASOF join: the acts become stretches, and messages are joined with those. Only silent stretches are joined,
which are few, so that Spark can send them to every task and need not shuffle the messages. The question is asked
twice: the second time the machine is warm, as on a cluster that is running already.
"""

from __future__ import annotations

from pathlib import Path

from pyspark.sql import SparkSession

from tests.benchmarks.peers import run

_MESSAGES = (
    "message_id string, channel string, contact string, program string, campaign_id string, message_class string,"
    " sent_at timestamp, status string, price double, body string"
)
_EVENTS = (
    "event_id string, channel string, contact string, event_type string, requested_at timestamp,"
    " processed_at timestamp, method string, reason_code string"
)
_SESSION = (
    SparkSession.builder.master("local[2]")
    .config("spark.driver.memory", "4g")
    .config("spark.sql.shuffle.partitions", "4")  # the default of 200 is for clusters
    .config("spark.sql.session.timeZone", "UTC")
    .config("spark.ui.enabled", "false")
    .config("spark.log.level", "ERROR")
)


def _view(session: SparkSession, name: str, path: Path, schema: str) -> None:
    frame = (
        session.read.csv(str(path), schema, header=True) if path.suffix == ".csv" else session.read.parquet(str(path))
    )
    frame.createOrReplaceTempView(name)


def answer(messages: Path, consent_events: Path, out: Path) -> None:
    session = _SESSION.getOrCreate()
    _view(session, "messages", messages, _MESSAGES)
    _view(session, "events", consent_events, _EVENTS)
    found = session.sql(
        """
        with
        acts as (
            select
                contact,
                explode(case when channel = '*' then array('sms', 'whatsapp', 'email') else array(channel) end)
                    as channel,
                requested_at - case when event_type in ('opt_out', 'complaint', 'block')
                    then interval 0 second else interval '0.000001' second end as acted_at,
                case when event_type in ('opt_out', 'complaint') then true
                    when event_type in ('opt_in', 'opt_in_confirmed') then false end as is_out,
                case when event_type = 'block' then true
                    when event_type in ('opt_in', 'opt_in_confirmed', 'unblock') then false end as is_blocked
            from events
            where event_type <> 'opt_in_requested'
        ),
        states as (
            select
                contact, channel, acted_at,
                coalesce(last(is_out, true) over acts_so_far, false)
                    or coalesce(last(is_blocked, true) over acts_so_far, false) as is_silent,
                coalesce(lead(acted_at) over acts_so_far, timestamp '9999-01-01') as ends_at
            from acts
            window acts_so_far as (partition by contact, channel order by acted_at)
        )
        select m.message_id
        from messages as m
        join (select * from states where is_silent) as s
            on s.contact = m.contact and s.channel = m.channel and s.acted_at < m.sent_at and m.sent_at <= s.ends_at
        where m.message_class in ('marketing', 'unknown')"""
    )
    found.write.mode("overwrite").parquet(str(out))  # Spark writes a folder of parts


def peak_mb() -> float:
    """The peak of the Java process, where Spark's work is done."""
    session = _SESSION.getOrCreate()
    process = session._jvm.java.lang.ProcessHandle.current().pid()  # type: ignore[union-attr]
    status = Path(f"/proc/{process}/status").read_text(encoding="utf-8")
    peak = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM")) / 1024
    session.stop()
    return peak


if __name__ == "__main__":
    run(answer, rounds=2, peak_mb=peak_mb)
