-- One row per distinct text that may be a request: what its words mean, in order, between the marks of its sentences.
-- `^` stands before the text and `$` after it, so that a phrase of reference.reply_phrases can say where it stands.
-- A text is read up to its 192th word: eight words to a part, 24 parts.
with
parts as (
    select
        text_id,
        cast(floor((position - 1) / 8) as int) as part,
        max(meaning) filter (where position % 8 = 1) as w1,
        max(meaning) filter (where position % 8 = 2) as w2,
        max(meaning) filter (where position % 8 = 3) as w3,
        max(meaning) filter (where position % 8 = 4) as w4,
        max(meaning) filter (where position % 8 = 5) as w5,
        max(meaning) filter (where position % 8 = 6) as w6,
        max(meaning) filter (where position % 8 = 7) as w7,
        max(meaning) filter (where position % 8 = 0) as w8
    from core.reply_words
    where position <= 192
    group by text_id, part
),
joined as (
    select
        text_id,
        part,
        concat_ws(' ', w1, w2, w3, w4, w5, w6, w7, w8) as words
    from parts
),
whole as (
    select
        text_id,
        max(words) filter (where part = 0) as p0,
        max(words) filter (where part = 1) as p1,
        max(words) filter (where part = 2) as p2,
        max(words) filter (where part = 3) as p3,
        max(words) filter (where part = 4) as p4,
        max(words) filter (where part = 5) as p5,
        max(words) filter (where part = 6) as p6,
        max(words) filter (where part = 7) as p7,
        max(words) filter (where part = 8) as p8,
        max(words) filter (where part = 9) as p9,
        max(words) filter (where part = 10) as p10,
        max(words) filter (where part = 11) as p11,
        max(words) filter (where part = 12) as p12,
        max(words) filter (where part = 13) as p13,
        max(words) filter (where part = 14) as p14,
        max(words) filter (where part = 15) as p15,
        max(words) filter (where part = 16) as p16,
        max(words) filter (where part = 17) as p17,
        max(words) filter (where part = 18) as p18,
        max(words) filter (where part = 19) as p19,
        max(words) filter (where part = 20) as p20,
        max(words) filter (where part = 21) as p21,
        max(words) filter (where part = 22) as p22,
        max(words) filter (where part = 23) as p23
    from joined
    where words <> ''
    group by text_id
),
said as (
    select text_id, concat_ws(' ', '|', p0, p1, p2, p3, p4, p5, p6, p7, p8, p9, p10, p11, p12, p13, p14, p15, p16, p17, p18, p19, p20, p21, p22, p23, '|') as said
    from whole
)
select text_id, concat(' ^ ', replace(replace(replace(said, '| |', '|'), '| |', '|'), '| |', '|'), ' $ ') as said
from said
