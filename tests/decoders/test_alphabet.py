"""decoders.alphabet: symbols and ids go both ways, and what cannot be one is named."""

import unicodedata

import pytest

from decoders.alphabet import BLANK, Alphabet, Normalisation, mirrored

TEXTS = [
    "plain text",
    "Größe œuvre",
    "ยินดีต้อนรับ",  # Thai vowels and tones are combining characters
    "नमस्ते",
    "שָׁלוֹם",
    "漢字かな",
    "e\u0301 u\u0308",  # decomposed
    "😀 𐍈",  # beyond 16 bits
]


@pytest.mark.parametrize("text", TEXTS)
def test_round_trip(text):
    alphabet = Alphabet.of(TEXTS)
    ids = alphabet.encode(text)
    assert len(ids) == len(text)
    assert alphabet.decode(ids) == text
    assert BLANK not in ids and max(ids) < len(alphabet)


def test_ids_follow_the_order_and_blanks_are_left_out():
    alphabet = Alphabet("ba ")
    assert alphabet.encode("ab b") == [2, 1, 3, 1]
    assert alphabet.decode([BLANK, 2, BLANK, 1, BLANK]) == "ab"
    assert len(alphabet) == 4  # the blank counts
    assert "a" in alphabet and "c" not in alphabet


def test_an_alphabet_of_texts_is_sorted_and_whole():
    alphabet = Alphabet.of(["cab", "", "ad"])
    assert alphabet.symbols == ("a", "b", "c", "d")
    assert alphabet == Alphabet(["a", "b", "c", "d"]) == Alphabet("abcd")
    assert hash(alphabet) == hash(Alphabet("abcd"))
    assert alphabet != Alphabet("dcba")
    assert alphabet != "abcd"


@pytest.mark.parametrize("text", ["", " "])
def test_an_empty_text_has_no_ids(text):
    assert Alphabet("ab ").encode(text.strip()) == []
    assert Alphabet("ab ").decode([]) == ""


def test_every_unknown_character_is_named():
    alphabet = Alphabet("abc")
    assert alphabet.unknown("abzcäz") == ["z", "ä"]
    assert alphabet.unknown("cab") == []
    with pytest.raises(ValueError, match="'z' 'ä'"):
        alphabet.encode("abzcäz")


@pytest.mark.parametrize(
    ("symbols", "message"),
    [
        ([], "at least one symbol"),
        ("", "at least one symbol"),
        (["a", ""], "'' is not one character"),
        (["a", "bc"], "'bc' is not one character"),
        (["e\u0301"], "is not one character"),
        (["a", 1], "1 is not one character"),
        (["a", None], "None is not one character"),
        ("aba", "'a' appears 2 times"),
        (["a", "\n"], r"'\\n' is a control character"),
        (["a", "\x00"], "control character"),
        (["a", "\ud800"], "control character"),
    ],
)
def test_what_cannot_be_an_alphabet_is_refused(symbols, message):
    with pytest.raises(ValueError, match=message):
        Alphabet(symbols)


def test_merging_keeps_the_ids_and_says_what_changed():
    base, data = Alphabet("abc "), Alphabet("cdaé")
    merge = base.merge(data)
    assert merge.added == ("d", "é")
    assert merge.unused == ("b", " ")
    assert merge.alphabet.symbols == ("a", "b", "c", " ", "d", "é")
    assert merge.alphabet.encode("abc ") == base.encode("abc ")
    assert merge.alphabet.unknown("dé") == []


def test_merging_with_itself_changes_nothing():
    base = Alphabet("abc")
    merge = base.merge(Alphabet("cba"))
    assert (merge.alphabet, merge.added, merge.unused) == (base, (), ())


@pytest.mark.parametrize("form", ["NFC", "NFD", "NFKC", "NFKD"])
def test_normalised_text_is_in_its_form_and_stays_so(form):
    normalisation = Normalisation(form)
    for text in [*TEXTS, "ﬁne ½ e\u0301"]:
        written = normalisation(text)
        assert unicodedata.is_normalized(form, written)
        assert normalisation(written) == written


@pytest.mark.parametrize(
    ("case", "expected"), [("keep", "Straße É"), ("upper", "STRASSE É"), ("lower", "straße é")]
)
def test_case_and_white_space(case, expected):
    assert Normalisation(case=case)("  Straße\t\n E\u0301 ") == expected
    assert Normalisation(case=case)(" \n\t") == ""


@pytest.mark.parametrize("case", ["upper", "lower"])
@pytest.mark.parametrize("text", ["ŉ ΐ ǰ", "İstanbul", "ẖ"])
def test_a_case_that_decomposes_is_composed_again(case, text):
    written = Normalisation("NFC", case)(text)
    assert unicodedata.is_normalized("NFC", written)
    assert Normalisation("NFC", case)(written) == written


@pytest.mark.parametrize(
    "fields", [{"form": "nfc"}, {"form": None}, {"case": "title"}, {"case": 1}, {"form": ["NFC"]}]
)
def test_an_unknown_form_or_case_is_refused(fields):
    with pytest.raises(ValueError, match="must be one of"):
        Normalisation(**fields)


@pytest.mark.parametrize(
    "text, met",
    [
        ("שלום עולם", "שלום עולם"),
        ("דף 125 של", "דף 521 של"),
        ("ב-3.5% מהם", "ב-%5.3 מהם"),
        ("12, 34", "21, 43"),
        ("ראה Abc def, שוב", "ראה fed cbA, שוב"),
        ("سنة ١٩٩٩", "سنة ٩٩٩١"),
        ("abc", "cba"),
        ("", ""),
        ("(!) ", "(!) "),
    ],
)
def test_right_to_left_lines_are_met_from_the_right(text, met):
    seen = "".join(text[place] for place in mirrored(text))
    assert seen == met
    assert "".join(seen[place] for place in mirrored(seen)) == text
