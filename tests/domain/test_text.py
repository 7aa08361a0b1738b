"""Texts, ids and values are taken in one clean form or refused."""

from decimal import Decimal

import pytest
from goal_ledger_domain import limits, text, values
from goal_ledger_domain.refusals import Refusal


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ("", "text_empty"),
        ("   ", "text_empty"),
        ("\u200b\u200d", "text_empty"),
        ("a\x00b", "text_has_control_characters"),
        ("a\nb", "text_has_control_characters"),
        ("a\u202eb", "text_has_control_characters"),
        ("a\u2066b", "text_has_control_characters"),
        ("a\u0085b", "text_has_control_characters"),
        ("\ud800", "text_has_control_characters"),
        *[(f"a{chr(one)}b", "text_has_control_characters") for one in range(0x202A, 0x202F)],
        *[(f"a{chr(one)}b", "text_has_control_characters") for one in range(0x2066, 0x2070)],
        ("shop\U000e0061\U000e0062", "text_has_control_characters"),
        ("\U000e0001", "text_has_control_characters"),
        ("\U0001f3f4\U000e0067\U000e0062", "text_has_control_characters"),
        ("\U0001f3f4" + "\U000e0061" * 7 + "\U000e007f", "text_has_control_characters"),
        ("x" * 201, "text_too_long"),
    ],
)
def test_a_line_that_is_no_clean_text_is_refused_with_its_field(given: str, code: str) -> None:
    with pytest.raises(Refusal) as refused:
        text.line(given, "name")
    assert (refused.value.code, refused.value.field) == (code, "name")


@pytest.mark.parametrize(
    "good",
    [
        "Überprüfte Größenänderung",
        "Blåbærsyltetøy på kjøkkenet",
        "👩\u200d👩\u200d👧\u200d👦 👍🏽 🏳\ufe0f\u200d🌈 🇳🇴 1\ufe0f\u20e3",
        "\U0001f3f4\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f Edinburgh",
        "مرحبا\u061c 5\u200f",
        "שלום\u200e (Oslo)",
        "می\u200cخواهم",
    ],
)
def test_texts_of_all_scripts_and_emoji_are_taken_as_they_are(good: str) -> None:
    assert text.line(good, "name") == good
    assert text.passage(good, "note") == good


def test_text_is_kept_in_nfc() -> None:
    assert text.line("Bla\u030ab\u00e6r", "name") == "Blåbær"


def test_a_passage_keeps_its_line_breaks_in_one_form() -> None:
    assert text.passage("one\r\ntwo\tthree\n", "note") == "one\ntwo\tthree"


@pytest.mark.parametrize("id", ["", "a/b", "æ", "x" * 65, "a b", ".", ".."])
def test_an_id_outside_the_alphabet_is_refused(id: str) -> None:
    with pytest.raises(Refusal) as refused:
        text.id_of(id, "unit")
    assert refused.value.code == "id_malformed"


@pytest.mark.parametrize("id", ["...", ".a", "a..", "-", "_", "A.b_c-9"])
def test_an_id_of_dots_and_letters_is_taken(id: str) -> None:
    assert text.id_of(id, "unit") == id


def test_a_reference_names_a_kind_that_is_allowed() -> None:
    assert text.reference("unit/shop", "owner", "unit", "person") == ("unit", "shop")
    for wrong in ("unit", "unit/", "feed/x", "unit/a/b"):
        with pytest.raises(Refusal) as refused:
            text.reference(wrong, "owner", "unit", "person")
        assert refused.value.code == "reference_malformed"


@pytest.mark.parametrize(
    "good", ["0", "-0", "1.500000000", "999999999999999999.999999", "0.000001", "1E+17", "0E+99999"]
)
def test_a_decimal_within_its_digits_is_taken(good: str) -> None:
    assert values.value(Decimal(good), "value") == Decimal(good)


@pytest.mark.parametrize("bad", ["NaN", "Infinity", "sNaN", "1E+18", "0.0000001", "1E+999999", "1E-999999"])
def test_a_number_that_facts_cannot_hold_is_refused(bad: str) -> None:
    with pytest.raises(Refusal) as refused:
        values.value(Decimal(bad), "value")
    assert refused.value.code == "value_not_decimal"


@pytest.mark.parametrize("bad", ["-1", "1000000", "0.0000001", "NaN"])
def test_a_weight_is_not_negative_and_has_six_digits_on_each_side(bad: str) -> None:
    with pytest.raises(Refusal) as refused:
        values.weight(Decimal(bad), "weight")
    assert refused.value.code == "weight_not_allowed"


@pytest.mark.parametrize("limit", [name for name in vars(limits) if name.endswith("_MAX_CHARACTERS")])
def test_a_text_of_exactly_its_limit_is_taken_and_one_more_character_refused(limit: str) -> None:
    characters = getattr(limits, limit)
    assert text.passage("å" * characters, "note", characters) == "å" * characters
    with pytest.raises(Refusal) as refused:
        text.passage("å" * (characters + 1), "note", characters)
    assert (refused.value.code, refused.value.details) == ("text_too_long", {"limit": characters})
