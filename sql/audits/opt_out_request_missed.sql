-- One row per inbound text or button that asks for no more messages and is on record as no opt-out.
-- Rule: what a contact writes that a reasonable person understands as a request to stop is on record as an opt_out, a
--   complaint or a block of that contact and channel (or of every channel) within 24 hours. How a text is read:
--   reference.reply_rules; the class says how sure the reading is, certain or possible.
-- Why: 47 CFR 64.1200(a)(10): stop, quit, end, revoke, opt out, cancel and unsubscribe are requests by themselves, and
--   any other words are if a reasonable person would understand them so; CTIA Messaging Principles 5.1.3; GDPR Art. 7(3)
--   and 21(2): withdrawing is as easy as giving, and an objection needs no form.
-- Remedy: suppress the contact, record the opt-out as of the text's own time, and have replies read that are no keyword.
-- The details are the reading rule's own words and example: what the contact wrote is in no finding.
-- Severity: high where certain, warning where possible; notice where the contact was opted out already.
select
    'opt_out_request_missed' as rule,
    r.reading as finding_class,
    case
        when r.is_inside then 'notice'
        when r.reading = 'certain' then 'high'
        else 'warning'
    end as severity,
    r.source,
    r.inbound_id as message_id,
    r.contact_key,
    r.channel,
    r.program,
    r.received_at as occurred_at,
    r.begins_at,
    concat(
        coalesce(p.in_words, 'Reads as a request.'),
        case when p.example is null then '' else concat(' For example: ', p.example) end,
        case when r.is_inside then ' (Opted out already.)' else '' end
    ) as details
from core.inbound_requests as r
left join reference.reply_rules as p on p.rule = r.reply_rule
where not r.is_recorded
