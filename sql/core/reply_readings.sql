-- One row per distinct text that contacts sent: how each regime reads it, and by which rule of reference.reply_rules.
-- reading: certain (a reasonable person reads a wish to receive nothing more), possible (somebody has to look), not.
-- Within what a rule is about, the rule of the lowest rank decides; of what is left the strongest reading counts. A
-- rule about `*` silences every rule of a higher rank.
with
-- Texts that say the same in these terms are read once.
sayings as (
    select said, min(text_id) as said_id
    from core.reply_sentences
    group by said
),
split_up as (
    select said_id, split(said, ' ') as words from sayings
),
placed as (
    -- The first and the last word are empty: the text begins and ends with a space.
    select said_id, words, explode(sequence(2, array_size(words) - 2)) as position
    from split_up
),
steps as (
    select
        said_id,
        try_element_at(words, cast(position as int)) as word,
        try_element_at(words, cast(position + 1 as int)) as next_word
    from placed
),
phrases as (
    select
        rule,
        concat(' ', phrase, ' ') as phrase,
        try_element_at(split(found_by, ' '), 1) as word,
        try_element_at(split(found_by, ' '), 2) as next_word
    from reference.reply_phrases
),
candidates as (
    select s.said_id, p.rule, p.phrase
    from steps as s
    join phrases as p on p.word = s.word and p.next_word = s.next_word
    union all
    select s.said_id, p.rule, p.phrase
    from steps as s
    join phrases as p on p.word = s.word
    where p.next_word is null
),
said_rules as (
    select y.said, c.rule
    from candidates as c
    join sayings as y on y.said_id = c.said_id
    where contains(y.said, c.phrase)
),
by_phrase as (
    select s.text_id, r.rule
    from core.reply_sentences as s
    join said_rules as r on r.said = s.said
),
by_part as (
    select t.text_id, p.rule
    from core.reply_texts as t
    join reference.reply_parts as p on contains(t.text, p.part)
    where regexp_like(t.text, '[ก-๎ぁ-ヿ一-鿿가-힣]')
),
quoting as (
    select text_id, translate(text, '“”„«»‟＂', '"""""""') as text
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
    select text_id, upper(text) as text, array_join(regexp_extract_all(upper(text), '[0-9A-ZÀ-Þ]+', 0), ' ') as words
    from core.reply_texts
    where
        length(text) <= 100
        -- What says more than a word of a list and a few stop signs cannot be one.
        and text_id in (select text_id from core.reply_sentences where length(said) <= 60)
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
    union all
    select text_id, rule from by_part
    union all
    select text_id, rule from by_quote
),
rules as (
    select
        rule,
        about,
        rank,
        reading,
        row_number() over (order by rank, rule) as place,
        case reading when 'certain' then 0 when 'possible' then 1 else 2 end as weakness
    from reference.reply_rules
),
ruled as (
    select f.text_id, r.about, min(r.place) as place
    from found as f
    join rules as r on r.rule = f.rule
    group by f.text_id, r.about
),
silenced as (
    select d.text_id, r.rank as silent_above
    from ruled as d
    join rules as r on r.place = d.place
    where d.about = '*'
),
decided as (
    -- The weakness of a reading before the place of its rule: 1000 is more than there are rules.
    select d.text_id, min(r.weakness * 1000 + r.place) % 1000 as place
    from ruled as d
    join rules as r on r.place = d.place
    left join silenced as s on s.text_id = d.text_id
    where s.silent_above is null or r.rank <= s.silent_above
    group by d.text_id
)
select
    t.text_id,
    case when g.text_id is not null then 'certain' else coalesce(r.reading, 'not') end as reading,
    case when g.text_id is not null then 'legal_word' else r.rule end as reply_rule,
    coalesce(g.exact_keyword, 0) = 1 as exact_keyword,
    coalesce(g.legal_list, 0) = 1 as legal_list
from core.reply_texts as t
left join decided as d on d.text_id = t.text_id
left join rules as r on r.place = d.place
left join regimes as g on g.text_id = t.text_id
