-- One row per word or mark of a distinct text that may count: what it means, and where it stands (from 1).
-- A word that no list has is `?`, one that begins with a digit `#`, a mark that ends a sentence `|`; words of
-- courtesy, anger and emphasis have no meaning. Texts in which no word is a key of some phrase are left out.
-- Accents and apostrophes are taken off, in the texts as in the lists: people leave them out.
with
listed as (
    select
        text_id,
        -- Links; letters and digits of every script; marks that end a sentence; signs that say stop.
        regexp_extract_all(
            lower(text),
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
    select text_id, position, try_element_at(words, position) as word
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
)
select m.text_id, m.position, nullif(m.meaning, 'noise') as meaning
from meant as m
join relevant as r on r.text_id = m.text_id
