-- One row per word of a text of core.reason_texts that bears on the reason: what it means, and the words around it.
-- The text's language is the one that knows most of its words, and says what a word means that several languages have. A
-- word that no list has is `?`, a number `num`, a mark that ends a sentence `|`; what only links words is left out. A
-- misspelled word is taken for the listed one that differs least, within reference.reason_limits.
with
limits as (
    select
        max(value) filter (where name = 'words_read') as words_read,
        max(value) filter (where name = 'shortest_near_word') as shortest,
        max(value) filter (where name = 'letters_that_differ') as differ
    from reference.reason_limits
),
listed as (
    select
        text_id,
        -- Links and addresses; letters and digits of every script; marks that end a sentence.
        regexp_extract_all(
            text,
            'https?:[^ ]+|www[.][^ ]+|[^ ]+@[^ ]+|[0-9a-zÀ-ʯ̀-ͯͰ-҂Ҋ-ևא-תء-ٟٮ-ۓऀ-ॣก-๎Ḁ-῿ぁ-ヿ一-鿿가-힣]+|[.!?,;:…。！？¿¡
]+',
            0
        ) as words
    from core.reason_texts
),
placed as (
    select l.text_id, l.words, explode(sequence(1, least(array_size(l.words), m.words_read))) as position
    from listed as l
    cross join limits as m
    where array_size(l.words) > 0
),
spelled as (
    select text_id, position, try_element_at(words, cast(position as int)) as word
    from placed
),
written as (
    select distinct word from spelled
),
plain as (
    select
        word,
        case
            when regexp_like(word, '[^0-9a-z]')
                then translate(
                    word,
                    'àáâãäåçèéêëìíîïñòóôõöùúûüýÿāăąćĉċčďēĕėęěĝğġģĥĩīĭįĵķĺļľńņňōŏőŕŗřśŝşšţťũūŭůűųŵŷźżžơưșțḁḃḅḇḉḋḍḏḑḓḕḗḙḛḝḟḡḣḥḧḩḫḭḯḱḳḵḷḹḻḽḿṁṃṅṇṉṋṍṏṑṓṕṗṙṛṝṟṡṣṥṧṩṫṭṯṱṳṵṷṹṻṽṿẁẃẅẇẉẋẍẏẑẓẕẖẗẘẙạảấầẩẫậắằẳẵặẹẻẽếềểễệỉịọỏốồổỗộớờởỡợụủứừửữựỳỵỷỹøđłıðß̧̛̣̀́̂̃̄̅̆̇̈̉̊̋̌̆',
                    'aaaaaaceeeeiiiinooooouuuuyyaaaccccdeeeeegggghiiiijklllnnnooorrrssssttuuuuuuwyzzzoustabbbcdddddeeeeefghhhhhiikkkllllmmmnnnnoooopprrrrsssssttttuuuuuvvwwwwwxxyzzzhtwyaaaaaaaaaaaaeeeeeeeeiioooooooooooouuuuuuuyyyyodlids'
                )
            else word
        end as bare
    from written
),
exactly as (
    select p.word, w.language, w.meaning
    from plain as p
    join reference.reason_words as w on w.word = p.bare
    where w.begins is null
),
-- A row with `begins` (its first three letters) stands for every word that begins with it; of several the longest.
begun as (
    select p.word, w.language, max_by(w.meaning, length(w.word)) as meaning
    from plain as p
    join reference.reason_words as w on w.begins = substr(p.bare, 1, 3) and starts_with(p.bare, w.word)
    group by p.word, w.language
),
listed_senses as (
    select word, language, meaning from exactly
    union all
    select b.word, b.language, b.meaning
    from begun as b
    left join exactly as e on e.word = b.word and e.language = b.language
    where e.word is null
),
unlisted as (
    select p.word, p.bare
    from plain as p
    cross join limits as m
    left join listed_senses as s on s.word = p.word
    where s.word is null and length(p.bare) >= m.shortest and regexp_like(p.bare, '^[a-z]+$')
),
near as (
    select u.word, w.language, min_by(w.meaning, struct(levenshtein(u.bare, w.word), w.word)) as meaning
    from unlisted as u
    cross join limits as m
    join reference.reason_words as w on substr(w.word, 1, 2) = substr(u.bare, 1, 2)
    where
        w.begins is null
        and length(w.word) between length(u.bare) - m.differ and length(u.bare) + m.differ
        and levenshtein(u.bare, w.word) <= m.differ
    group by u.word, w.language
),
senses as (
    select word, language, meaning from listed_senses
    union all
    select word, language, meaning from near
),
counted as (
    select s.text_id, n.language, count(*) as word_count
    from spelled as s
    join senses as n on n.word = s.word
    group by s.text_id, n.language
),
languages as (
    select c.text_id, min_by(c.language, struct(-c.word_count, l.place)) as language
    from counted as c
    join reference.reason_languages as l on l.language = c.language
    group by c.text_id
),
-- A word of another language than its text's: what bears on a reason before what does not.
borrowed as (
    select
        word,
        min_by(meaning, struct(case when meaning in ('noise', 'plain', 'request') then 1 else 0 end, language)) as meaning
    from senses
    group by word
),
meant as (
    select
        s.text_id,
        s.position,
        l.language,
        case
            when n.meaning is not null then n.meaning
            when b.meaning is not null then b.meaning
            when s.word >= '0' and s.word < ':' then 'num'
            when regexp_like(s.word, '^[.!?,;:…。！？¿¡
]') then '|'
            when contains(s.word, '@') or starts_with(s.word, 'http') or starts_with(s.word, 'www.') then 'noise'
            else '?'
        end as meaning
    from spelled as s
    left join languages as l on l.text_id = s.text_id
    left join senses as n on n.word = s.word and n.language = l.language
    left join borrowed as b on b.word = s.word
)
select
    text_id,
    position,
    language,
    meaning,
    coalesce(lag(meaning) over (partition by text_id order by position), '|') as before,
    coalesce(lead(meaning) over (partition by text_id order by position), '|') as second,
    coalesce(lead(meaning, 2) over (partition by text_id order by position), '|') as third,
    coalesce(lead(meaning, 3) over (partition by text_id order by position), '|') as fourth
from meant
where meaning <> 'noise'
