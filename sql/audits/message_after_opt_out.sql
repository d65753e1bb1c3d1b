-- One row per marketing message (or message of unknown class) sent inside an opt-out span or a block span.
-- Rule: no marketing message to a contact between its opt-out and its next opt-in, on the channels and programs the
--   opt-out covers. The first that applies decides: suppressed_by_provider (warning), sent_after_processing (critical),
--   sent_past_deadline (critical), sent_in_flight (notice).
-- Why: 47 CFR 64.1200(a)(10) and (d)(3): a revocation is honoured within a reasonable time, at most ten business days;
--   15 USC 7704(a)(4)(A)(i): no commercial mail more than ten business days after the request; CASL s.11(3);
--   GDPR Art. 21(3): after an objection the data are no longer processed for direct marketing.
-- Remedy: suppress the contact in the tool that sent the message, find out why the opt-out did not reach it, and tell
--   whoever answers for consent about every message listed.
-- Severity: critical, warning or notice, by class.
with
judged as (
    select
        m.source, m.message_id, m.channel, m.contact_key, m.program, m.campaign_id, m.sent_at, m.status,
        case p.scope when 'person' then '*' else m.channel end as scope_channel,
        case p.scope when 'program' then m.program else '*' end as scope_program
    from core.messages as m
    cross join run.parameters as p
    where m.is_marketing
),
covered as (
    select
        m.source,
        m.message_id,
        m.channel,
        m.contact_key,
        m.program,
        m.campaign_id,
        m.sent_at,
        m.status,
        s.event_id,
        s.kind,
        s.begins_at,
        s.processed_at,
        s.deadline_at,
        s.legal_rule_id
    from judged as m
    join core.citable_spans as s
        on s.contact_key = m.contact_key
        and s.channel = m.scope_channel
        and s.program = m.scope_program
        and s.after_at < m.sent_at
        and s.until_at > m.sent_at
),
classed as (
    select
        *,
        case
            when status = 'suppressed' then 'suppressed_by_provider'
            when sent_at > processed_at then 'sent_after_processing'
            when sent_at > deadline_at then 'sent_past_deadline'
            else 'sent_in_flight'
        end as finding_class
    from covered
)
select
    'message_after_opt_out' as rule,
    finding_class,
    case finding_class
        when 'suppressed_by_provider' then 'warning'
        when 'sent_in_flight' then 'notice'
        else 'critical'
    end as severity,
    source,
    message_id,
    event_id,
    contact_key,
    channel,
    program,
    campaign_id,
    sent_at as occurred_at,
    begins_at,
    processed_at,
    deadline_at,
    legal_rule_id,
    status not in ('failed', 'undelivered', 'suppressed') as delivered,
    concat(
        case kind when 'block' then 'Block' else 'Opt-out' end,
        case
            when processed_at is null then ' never recorded as applied'
            when processed_at < sent_at then ' already applied'
            else ' not yet applied'
        end,
        '; message status ',
        status
    ) as details
from classed
