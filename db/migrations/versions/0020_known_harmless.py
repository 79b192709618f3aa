# ruff: noqa: S608 - the functions are made of constants of this file
"""The mask of an address keeps what is known to be harmless; a search proposes by pairs of characters and decides by the text.

An address shows areas, streets and the name of the compound, as far as it consists of nothing else from its beginning; whatever else
it says is masked, however it is written.
"""

from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

# The last characters of areas and streets, and of names of compounds.
PLACES = "省市州盟县区旗镇乡村街道路巷处"
COMPOUNDS = "苑园城里府庭湾郡居坊轩庄寓墅邸院厦"
# What counts, or names a part of a building.
PARTS = "〇零一二两三四五六七八九十百千万甲乙丙丁戊己庚辛壬癸号楼栋幢座室户层元组排队门铺库位间房"
AFTER = "小区|花园|家园|新村|新城|公寓|山庄|佳苑"


def ideographs_but(excluded: str) -> str:
    """The inside of a character class: every ideograph but these."""
    ranges, begins = "", 0x4E00
    for code in [*sorted({ord(one) for one in excluded if 0x4E00 <= ord(one) <= 0x9FFF}), 0xA000]:
        if begins < code:
            ranges += f"{chr(begins)}-{chr(code - 1)}" if begins < code - 1 else chr(begins)
        begins = code + 1
    return ranges


PLAIN = f"[{ideographs_but(PLACES + COMPOUNDS + PARTS)}]{{1,15}}"
HARMLESS = f"(?:{PLAIN}[{COMPOUNDS}]?[{PLACES}]+)*(?:{PLAIN}[{COMPOUNDS}]+(?:{AFTER})?)?"

# Single expressions and not STRICT, so that the planner puts them into the query in place of the call.
MASK_ADDRESS = f"""
CREATE OR REPLACE FUNCTION mask_address(value text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT substring(value FROM '^{HARMLESS}') || CASE WHEN value ~ '^{HARMLESS}$' THEN '' ELSE '***' END
$$
"""

# What prints nothing; what looks like a hyphen; brackets that stand for round ones.
INVISIBLE = (
    r"\u0001-\u0008\u000e-\u001b\u007f-\u0084\u0086-\u009f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f"
    r"\u200b-\u200f\u202a-\u202e\u2060-\u206f\u2800\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff9-\ufffc"
)
ALIKE = ("\u2010\u2011\u2012\u2013\u2014\u2015\u2212\u2043[]\u3014\u3015\u3010\u3011\u3016\u3017", "--------()()()()")

FOLDED = f"""
CREATE FUNCTION folded(value text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT translate(lower(normalize(regexp_replace(value, '[{INVISIBLE}]', '', 'g'), NFKC) COLLATE "pg_c_utf8"), '{ALIKE[0]}', '{ALIKE[1]}')
$$
"""
# A function names the schema of another: a dump is restored without a search path.
# Blanks count between Latin words and numbers alone.
SEARCHED = """
CREATE FUNCTION searched(value text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT regexp_replace(public.folded(value), '(?<![0-9a-z[:space:]])[[:space:]]+|[[:space:]]+(?![0-9a-z[:space:]])', '', 'g')
$$
"""
# What is searched for: words between blanks, each of which must occur. Their pairs, whether the pairs tell all, and their patterns.
WORDS = """
CREATE FUNCTION search_words(value text) RETURNS text[]
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT coalesce(array_agg(DISTINCT word), '{}') FROM regexp_split_to_table(public.folded(value), '[[:space:]]+') AS word WHERE word <> ''
$$
"""
PAIRS = """
CREATE FUNCTION search_pairs(value text) RETURNS text[]
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT coalesce(array_agg(DISTINCT substr(word, position, 2)), '{}')
    FROM unnest(public.search_words(value)) AS word, generate_series(1, length(word) - 1) AS position
$$
"""
EXACT = """
CREATE FUNCTION search_by_pairs(value text) RETURNS boolean
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT coalesce(bool_and(length(word) = 2), false) FROM unnest(public.search_words(value)) AS word
$$
"""
PATTERNS = r"""
CREATE FUNCTION search_patterns(value text) RETURNS text[]
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT coalesce(array_agg('%' || regexp_replace(word, '([\\%_])', '\\\1', 'g') || '%'), '{}') FROM unnest(public.search_words(value)) AS word
$$
"""


def upgrade() -> None:
    for function in (MASK_ADDRESS, FOLDED, SEARCHED, WORDS, PAIRS, EXACT, PATTERNS):
        # A colon before a word would be a bind.
        op.execute(function.replace("(?:", r"(?\:"))
