"""The canonical forms: of a reference, a case number, a phone number, an ID number, a credit code, a name and a free text.

Each is a pure function on text, and applying it twice changes nothing. What is not of its kind is only folded; whether it is right is
another question (`is_phone`, `db.canonical.check_digits`).
"""

import re
import unicodedata
from collections.abc import Callable

# Characters that print nothing: soft hyphen, joiners and marks of direction, variation selectors, fillers, controls but for white space.
INVISIBLE = (
    "\\u0000-\\u0008\\u000e-\\u001b\\u007f-\\u0084\\u0086-\\u009f\\u00ad\\u034f\\u061c\\u115f\\u1160\\u17b4\\u17b5\\u180b-\\u180f"
    "\\u200b-\\u200f\\u202a-\\u202e\\u2060-\\u206f\\u2800\\u3164\\ufe00-\\ufe0f\\ufeff\\uffa0\\ufff9-\\ufffc"
)
# Characters that look like a hyphen, and brackets that stand for round ones, after the folding of widths.
DASHES = "\u2010\u2011\u2012\u2013\u2014\u2015\u2212\u2043\ufe58\ufe63\uff0d"
BRACKETS = {
    "[": "(",
    "]": ")",
    "\u3014": "(",
    "\u3015": ")",
    "\u3010": "(",
    "\u3011": ")",
    "\u3016": "(",
    "\u3017": ")",
}
_DOTS = "\u2022\u2027\u2219\u22c5\u30fb"

_INVISIBLE = re.compile(f"[{INVISIBLE}\U000e0000-\U000e0fff]")
_BLANKS = re.compile(r"\s+")
_DASHED = str.maketrans(dict.fromkeys(DASHES, "-"))
_ROUND = str.maketrans(BRACKETS)
_MIDDLE_DOT = str.maketrans(dict.fromkeys(_DOTS, "\u00b7"))
_WIDE_BRACKETS = str.maketrans("()", "\uff08\uff09")

_MOBILE = re.compile(r"1[3-9][0-9]{9}")
_LANDLINE = re.compile(r"(0(?:10|2[0-9]|[3-9][0-9]{2}))([0-9]{7,8})")
_PHONE = re.compile(r"1[3-9][0-9]{9}|0(?:10|2[0-9]|[3-9][0-9]{2})-[0-9]{7,8}")
_COUNTRY = re.compile(r"(?:\+|00)86|86(?=1[3-9][0-9]{9}$)")
_SEQUENCE = re.compile(r"(\([0-9]{4}\).+字第)0*([0-9]+)(号)")


def fold(text: str) -> str:
    """Widths folded (NFKC), nothing invisible, one kind of dash, single blanks and none at the ends."""
    folded = _INVISIBLE.sub("", unicodedata.normalize("NFKC", _INVISIBLE.sub("", text)))
    return _BLANKS.sub(" ", folded.translate(_DASHED)).strip()


def squeeze(text: str) -> str:
    """Folded, without any blank."""
    return fold(text).replace(" ", "")


def free_text(text: str) -> str:
    """What people write: composed (NFC), its punctuation as it is, nothing invisible, no blank at the ends."""
    return _INVISIBLE.sub("", unicodedata.normalize("NFC", text)).strip()


def person_name(text: str) -> str:
    """A name of a person or an organization: `·` between the parts of a name, Chinese brackets, blanks only between words of letters."""
    folded = re.sub(r" (?=[^a-zA-Z0-9])|(?<=[^a-zA-Z0-9]) ", "", fold(text))
    folded = re.sub(r"(?<=[^\W\d_])[.](?=[\u3400-\u9fff])", "\u00b7", folded)
    return folded.translate(_ROUND).translate(_MIDDLE_DOT).translate(_WIDE_BRACKETS)


def reference(text: str) -> str:
    """A number that another organization gave: no blanks, capital letters."""
    return squeeze(text).translate(_ROUND).upper()


def case_number(text: str) -> str:
    """A case number as it is stored: `(2023)崇文人调字第047号`, printed `（2023）崇文人调字第047号`."""
    number = squeeze(text).translate(_ROUND)
    match = _SEQUENCE.fullmatch(number)
    return f"{match[1]}{match[2]:0>3}{match[3]}" if match else number


def phone(text: str) -> str:
    """A mobile number as eleven digits, a landline as `0635-2951234`, without the code of the country."""
    folded = fold(text).translate(_ROUND)
    digits = re.sub(r"[ ()\-._/\u00b7]", "", folded)
    national = _COUNTRY.sub("", digits, count=1) if _COUNTRY.match(digits) else digits
    if _MOBILE.fullmatch(national):
        return national
    # One or two digits at the end are an extension, which is no part of the number.
    if re.search(r"[^0-9][0-9]{1,2}$", folded):
        return squeeze(text)
    landline = _LANDLINE.fullmatch(national) or (_LANDLINE.fullmatch(f"0{national}") if national != digits else None)
    return f"{landline[1]}-{landline[2]}" if landline else squeeze(text)


def is_phone(text: str) -> bool:
    """Whether a text in its canonical form is a mobile number, or a landline with its area code."""
    return _PHONE.fullmatch(text) is not None


def id_number(text: str) -> str:
    """An ID number: eighteen characters without separators, the check letter in upper case."""
    return re.sub(r"[ \-]", "", fold(text)).upper()


def credit_code(text: str) -> str:
    """A unified social credit code: eighteen characters without separators, in upper case."""
    return re.sub(r"[ \-]", "", fold(text)).upper()


def area_code(text: str) -> str:
    """A division code without the zeros that pad those of statistics: `371525002000` is the town `371525002`."""
    while len(text) > 6 and text.endswith("000"):
        text = text[:-3]
    return text


def is_name(text: str) -> bool:
    """Whether a text in its canonical form names anybody: it has a letter, an ideograph or a digit."""
    return any(character.isalnum() for character in text)


def code(text: str) -> str:
    """What a program wrote for another: nothing is folded."""
    return text


# By the form that a text column (`db.tables.column`) and an input (`db.write.command`) declare. `shared`: read by more people than the
# parties' own fields, so it tells no personal data. `document`: what names the parties by law (an agreement, a record), but no numbers.
CANONICAL: dict[str, Callable[[str], str]] = {
    "shared": free_text,
    "document": free_text,
    "name": person_name,
    "phone": phone,
    "address": free_text,
    "id_number": id_number,
    "credit_code": credit_code,
    "reference": reference,
    "case_number": case_number,
    "area_code": area_code,
    "code": code,
}
