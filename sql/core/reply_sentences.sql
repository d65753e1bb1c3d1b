-- One row per distinct text that may be a request: what its words mean, in order.
-- A word that no list has is `?`, one that begins with a digit `#`, a mark that ends a sentence `|`; words of courtesy,
-- anger and emphasis are left out. `^` stands before the text and `$` after it. Texts without a key word of any phrase of
-- reference.reply_phrases are left out, and so is what comes after the 192nd word.
-- Accents and apostrophes are taken off, in the texts as in the lists: people leave them out.
with
listed as (
    select
        text_id,
        -- Links; letters and digits of every script; marks that end a sentence; signs that say stop.
        regexp_extract_all(
            text,
            'https?:[^ ]+|www[.][^ ]+|[0-9a-z''’‘ʼ´`À-ʯ̀-ͯͰ-҂Ҋ-ևא-תء-ٟٮ-ۓऀ-ॣก-๎Ḁ-῿ぁ-ヿ一-鿿가-힣]+|[.!?,;:…。！？
>=]+|[🛑⛔🚫✋🖕🙅📵🤚]',
            0
        ) as words
    from core.reply_texts
),
placed as (
    select text_id, words, explode(sequence(1, array_size(words))) as position
    from listed
    where array_size(words) > 0
),
spelled as (
    select text_id, position, try_element_at(words, cast(position as int)) as word
    from placed
),
written as (
    select word from spelled
    union
    select word from reference.reply_words
),
plain as (
    select
        word,
        case
            when regexp_like(word, '[^0-9a-z]')
                then translate(
                    replace(word, '''', ''),
                    'àáâãäåçèéêëìíîïñòóôõöùúûüýÿāăąćĉċčďēĕėęěĝğġģĥĩīĭįĵķĺļľńņňōŏőŕŗřśŝşšţťũūŭůűųŵŷźżžơưșțḁḃḅḇḉḋḍḏḑḓḕḗḙḛḝḟḡḣḥḧḩḫḭḯḱḳḵḷḹḻḽḿṁṃṅṇṉṋṍṏṑṓṕṗṙṛṝṟṡṣṥṧṩṫṭṯṱṳṵṷṹṻṽṿẁẃẅẇẉẋẍẏẑẓẕẖẗẘẙẛạảấầẩẫậắằẳẵặẹẻẽếềểễệỉịọỏốồổỗộớờởỡợụủứừửữựỳỵỷỹΐάέήίΰϊϋόύώйѐёѓїќѝўἀἁἂἃἄἅἆἇἐἑἒἓἔἕἠἡἢἣἤἥἦἧἰἱἲἳἴἵἶἷὀὁὂὃὄὅὐὑὒὓὔὕὖὗὠὡὢὣὤὥὦὧὰάὲέὴήὶίὸόὺύὼώᾀᾁᾂᾃᾄᾅᾆᾇᾐᾑᾒᾓᾔᾕᾖᾗᾠᾡᾢᾣᾤᾥᾦᾧᾰᾱᾲᾳᾴᾶᾷιῂῃῄῆῇῐῑῒΐῖῗῠῡῢΰῤῥῦῧῲῳῴῶῷآأؤإئøđłıðßةى̧̛̣̀́̂̃̄̅̆̇̈̉̊̋̌̆’‘ʼ´`ًٌٍَُِّْ',
                    'aaaaaaceeeeiiiinooooouuuuyyaaaccccdeeeeegggghiiiijklllnnnooorrrssssttuuuuuuwyzzzoustabbbcdddddeeeeefghhhhhiikkkllllmmmnnnnoooopprrrrsssssttttuuuuuvvwwwwwxxyzzzhtwyſaaaaaaaaaaaaeeeeeeeeiioooooooooooouuuuuuuyyyyιαεηιυιυουωиеегікиуααααααααεεεεεεηηηηηηηηιιιιιιιιοοοοοουυυυυυυυωωωωωωωωααεεηηιιοουυωωααααααααηηηηηηηηωωωωωωωωαααααααιηηηηηιιιιιιυυυυρρυυωωωωωااوايodlidsهي'
                )
            else word
        end as bare
    from written
),
vocabulary as (
    select p.bare, min(v.meaning) as meaning
    from reference.reply_words as v
    join plain as p on p.word = v.word
    group by p.bare
),
patterns as (
    select p.bare, min(r.meaning) as meaning
    from plain as p
    join reference.reply_word_patterns as r on r.begins = substr(p.bare, 1, 2)
    where
        (r.near is null and regexp_like(p.bare, r.pattern))
        or (length(p.bare) between length(r.near) - r.distance and length(r.near) + r.distance
            and levenshtein(p.bare, r.near) <= r.distance)
    group by p.bare
),
known as (
    select p.word, coalesce(v.meaning, r.meaning, '|') as meaning
    from plain as p
    left join vocabulary as v on v.bare = p.bare
    left join patterns as r on r.bare = p.bare
    where v.meaning is not null or r.meaning is not null or regexp_like(p.word, '^[.!?,;:…。！？
>=]')
),
meant as (
    select
        s.text_id,
        s.position,
        case
            when k.meaning is not null then k.meaning
            when s.word >= '0' and s.word < ':' then '#'
            else '?'
        end as meaning
    from spelled as s
    left join known as k on k.word = s.word
),
keys as (
    select distinct key_word from reference.reply_phrases
),
relevant as (
    select distinct m.text_id
    from meant as m
    join keys as k on k.key_word = m.meaning
),
parts as (
    -- The 192 words of a text in 12 parts, numbered over all texts.
    select
        m.text_id * 12 + cast(floor((m.position - 1) / 16) as bigint) as part,
        max(m.meaning) filter (where m.position % 16 = 1) as w1,
        max(m.meaning) filter (where m.position % 16 = 2) as w2,
        max(m.meaning) filter (where m.position % 16 = 3) as w3,
        max(m.meaning) filter (where m.position % 16 = 4) as w4,
        max(m.meaning) filter (where m.position % 16 = 5) as w5,
        max(m.meaning) filter (where m.position % 16 = 6) as w6,
        max(m.meaning) filter (where m.position % 16 = 7) as w7,
        max(m.meaning) filter (where m.position % 16 = 8) as w8,
        max(m.meaning) filter (where m.position % 16 = 9) as w9,
        max(m.meaning) filter (where m.position % 16 = 10) as w10,
        max(m.meaning) filter (where m.position % 16 = 11) as w11,
        max(m.meaning) filter (where m.position % 16 = 12) as w12,
        max(m.meaning) filter (where m.position % 16 = 13) as w13,
        max(m.meaning) filter (where m.position % 16 = 14) as w14,
        max(m.meaning) filter (where m.position % 16 = 15) as w15,
        max(m.meaning) filter (where m.position % 16 = 0) as w16
    from meant as m
    join relevant as r on r.text_id = m.text_id
    where m.meaning <> 'noise' and m.position <= 192
    group by 1
),
joined as (
    select
        cast(floor(part / 12) as bigint) as text_id,
        part,
        concat_ws(
            ' ', w1, w2, w3, w4, w5, w6, w7, w8, w9, w10, w11, w12, w13, w14, w15, w16
        ) as words
    from parts
),
long as (
    select distinct text_id from joined where part % 12 > 0
),
whole as (
    select j.text_id, j.words
    from joined as j
    left join long as l on l.text_id = j.text_id
    where l.text_id is null
    union all
    select
        text_id,
        concat_ws(
            ' ', p0, p1, p2, p3, p4, p5, p6, p7, p8, p9, p10, p11
        ) as words
    from (
        select
            j.text_id,
            max(j.words) filter (where j.part % 12 = 0) as p0,
            max(j.words) filter (where j.part % 12 = 1) as p1,
            max(j.words) filter (where j.part % 12 = 2) as p2,
            max(j.words) filter (where j.part % 12 = 3) as p3,
            max(j.words) filter (where j.part % 12 = 4) as p4,
            max(j.words) filter (where j.part % 12 = 5) as p5,
            max(j.words) filter (where j.part % 12 = 6) as p6,
            max(j.words) filter (where j.part % 12 = 7) as p7,
            max(j.words) filter (where j.part % 12 = 8) as p8,
            max(j.words) filter (where j.part % 12 = 9) as p9,
            max(j.words) filter (where j.part % 12 = 10) as p10,
            max(j.words) filter (where j.part % 12 = 11) as p11
        from joined as j
        join long as l on l.text_id = j.text_id
        group by j.text_id
    ) as every
),
said as (
    select text_id, concat('| ', words, ' |') as said from whole
)
select text_id, concat(' ^ ', replace(replace(replace(said, '| |', '|'), '| |', '|'), '| |', '|'), ' $ ') as said
from said
