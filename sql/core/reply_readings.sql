-- One row per distinct text that contacts sent: how each regime reads it, and by which rule of reference.reply_rules.
-- reading: certain (a reasonable person reads a wish to receive nothing more), possible (somebody has to look), not.
-- Within what a rule is about, the rule of the lowest rank decides; of what is left the strongest reading counts. A
-- rule about `*` silences every rule of a higher rank.
with
phrases as (
    select rule, key_word, concat(' ', phrase, ' ') as phrase
    from reference.reply_phrases
),
by_phrase as (
    select s.text_id, p.rule
    from core.reply_words as w
    join phrases as p on p.key_word = w.meaning
    join core.reply_sentences as s on s.text_id = w.text_id
    where contains(s.said, p.phrase)
),
by_part as (
    select t.text_id, p.rule
    from core.reply_texts as t
    join reference.reply_parts as p on contains(lower(t.text), p.part)
    where regexp_like(t.text, '[ก-๎ぁ-ヿ一-鿿가-힣]')
),
quoting as (
    select text_id, lower(translate(text, '“”„«»‟＂', '"""""""')) as text
    from core.reply_texts
    where regexp_like(text, '["“”„«»‟＂]')
),
by_quote as (
    select t.text_id, q.rule
    from quoting as t
    join reference.reply_quotes as q on q.first_word = regexp_extract(t.text, '[a-zß-ÿ]+', 0)
    where regexp_like(t.text, q.pattern)
),
words_only as (
    select text_id, upper(trim(text)) as text, array_join(regexp_extract_all(upper(text), '[0-9A-ZÀ-Þ]+', 0), ' ') as words
    from core.reply_texts
    where length(text) <= 40
),
regimes as (
    select
        t.text_id,
        max(case when k.kind = 'provider' and upper(k.keyword) = t.text then 1 else 0 end) as exact_keyword,
        max(case when k.kind in ('law', 'industry') and k.plain = t.words then 1 else 0 end) as legal_list
    from words_only as t
    join (
        select kind, keyword, upper(replace(keyword, '-', ' ')) as plain from reference.keywords where meaning = 'opt_out'
    ) as k on upper(k.keyword) = t.text or k.plain = t.words
    group by t.text_id
),
found as (
    select text_id, rule from by_phrase
    union
    select text_id, rule from by_part
    union
    select text_id, rule from by_quote
    union
    select text_id, 'legal_word' from regimes
),
ruled as (
    select
        f.text_id,
        r.about,
        min_by(r.rule, struct(r.rank, r.rule)) as rule,
        min(r.rank) as rank
    from found as f
    join reference.reply_rules as r on r.rule = f.rule
    group by f.text_id, r.about
),
silenced as (
    select text_id, rank as silent_above from ruled where about = '*'
),
weighed as (
    select
        d.text_id,
        d.rule,
        d.rank,
        r.reading,
        case r.reading when 'certain' then 1 when 'possible' then 2 else 3 end as strength
    from ruled as d
    join reference.reply_rules as r on r.rule = d.rule
    left join silenced as s on s.text_id = d.text_id
    where s.silent_above is null or d.rank <= s.silent_above
),
decided as (
    select
        text_id,
        min_by(reading, struct(strength, struct(rank, rule))) as reading,
        min_by(rule, struct(strength, struct(rank, rule))) as rule
    from weighed
    group by text_id
)
select
    t.text_id,
    coalesce(case when g.text_id is not null then 'certain' end, d.reading, 'not') as reading,
    case when g.text_id is not null then 'legal_word' else d.rule end as reply_rule,
    coalesce(g.exact_keyword, 0) = 1 as exact_keyword,
    coalesce(g.legal_list, 0) = 1 as legal_list
from core.reply_texts as t
left join decided as d on d.text_id = t.text_id
left join regimes as g on g.text_id = t.text_id
