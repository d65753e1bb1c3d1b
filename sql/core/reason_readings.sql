-- One row per text of core.reason_texts: its reason, the phrase of reference.reason_phrases that decided, its language.
-- A phrase is one to four meanings in a row; `|` in it is the beginning or the end of a sentence; `a & b` stands for both
-- anywhere in the text. A phrase that a `no` before it undoes does not count there. Of several reasons the one with the
-- lowest priority in reference.reason_list decides. Without a phrase, a text with enough words that tell something (all
-- but those of reference.reason_empty_meanings) is other, the rest unspecified. `language` is empty where no word is known.
with
limits as (
    select value as fewest_telling from reference.reason_limits where name = 'fewest_telling_words'
),
split_up as (
    select reason, phrase, is_undone_by_no, contains(phrase, '&') as is_pair, split(phrase, ' ') as words
    from reference.reason_phrases
),
phrases as (
    select
        p.reason,
        p.phrase,
        l.priority,
        p.is_undone_by_no,
        p.is_pair,
        array_size(p.words) as word_count,
        try_element_at(p.words, 1) as w1,
        try_element_at(p.words, 2) as w2,
        try_element_at(p.words, 3) as w3,
        try_element_at(p.words, 4) as w4
    from split_up as p
    join reference.reason_list as l on l.reason = p.reason
),
-- A phrase that begins with `|` is looked for at its second word, with the mark before it.
steps as (
    select
        reason,
        phrase,
        priority,
        is_undone_by_no,
        w1 = '|' as begins_sentence,
        case when w1 = '|' then word_count - 1 else word_count end as word_count,
        case when w1 = '|' then w2 else w1 end as w1,
        case when w1 = '|' then w3 else w2 end as w2,
        case when w1 = '|' then w4 else w3 end as w3,
        case when w1 = '|' then null else w4 end as w4
    from phrases
    where not is_pair
),
found as (
    select t.text_id, p.priority, p.reason, p.phrase, p.is_undone_by_no, p.begins_sentence, t.before
    from core.reason_words as t
    join steps as p on p.w1 = t.meaning
    where p.word_count = 1
    union all
    select t.text_id, p.priority, p.reason, p.phrase, p.is_undone_by_no, p.begins_sentence, t.before
    from core.reason_words as t
    join steps as p on p.w1 = t.meaning and p.w2 = t.second
    where p.word_count = 2
    union all
    select t.text_id, p.priority, p.reason, p.phrase, p.is_undone_by_no, p.begins_sentence, t.before
    from core.reason_words as t
    join steps as p on p.w1 = t.meaning and p.w2 = t.second and p.w3 = t.third
    where p.word_count = 3
    union all
    select t.text_id, p.priority, p.reason, p.phrase, p.is_undone_by_no, p.begins_sentence, t.before
    from core.reason_words as t
    join steps as p on p.w1 = t.meaning and p.w2 = t.second and p.w3 = t.third and p.w4 = t.fourth
    where p.word_count = 4
),
in_a_row as (
    select text_id, priority, reason, phrase
    from found
    where
        (not begins_sentence or before = '|')
        and (is_undone_by_no = 0 or before not in ('no', 'never'))
),
together as (
    select f.text_id, p.priority, p.reason, p.phrase
    from core.reason_words as f
    join phrases as p on p.w1 = f.meaning and p.is_pair
    join core.reason_words as s on s.text_id = f.text_id and s.meaning = p.w3
),
decided as (
    select text_id, min_by(reason, struct(priority, phrase)) as reason, min_by(phrase, struct(priority, phrase)) as phrase
    from (
        select text_id, priority, reason, phrase from in_a_row
        union all
        select text_id, priority, reason, phrase from together
    ) as either
    group by text_id
),
known as (
    select
        text_id,
        max(language) as language,
        count(*) filter (where w.meaning = '?') as unknown_count,
        count(*) filter (where e.meaning is null) as telling_count
    from core.reason_words as w
    left join reference.reason_empty_meanings as e on e.meaning = w.meaning
    group by text_id
)
select
    t.text_id,
    t.text,
    k.language,
    case
        when d.reason is not null then d.reason
        when k.telling_count >= m.fewest_telling then 'other'
        else 'unspecified'
    end as reason,
    d.phrase,
    coalesce(k.unknown_count, 0) as unknown_count
from core.reason_texts as t
cross join limits as m
left join known as k on k.text_id = t.text_id
left join decided as d on d.text_id = t.text_id
