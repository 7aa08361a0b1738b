"""The languages of the pages are whole, and write and read numbers and times as their readers do."""

from __future__ import annotations

import re
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po
from goal_ledger_projection.pages import language as languages_of
from goal_ledger_projection.pages.language import FOLDER, language_of, languages

PAGES = Path(languages_of.__file__).parent
METHODS = [("**.html", "jinja2"), ("**.py", "python")]
KEYWORDS = {"_": None, "ngettext": (1, 2)}


def _written() -> set[str | tuple[str, ...]]:
    """Every message of templates and words."""
    return {found[2] for found in extract_from_dir(PAGES, METHODS, keywords=KEYWORDS)}


@pytest.mark.parametrize("code", [path.stem for path in FOLDER.glob("*.po")])
def test_every_message_is_there_and_none_that_nobody_uses(code: str) -> None:
    with (FOLDER / f"{code}.po").open("rb") as file:
        catalog = read_po(file)
    kept = {one.id: one.string for one in catalog if one.id}

    assert kept.keys() == _written()
    for message, translated in kept.items():
        forms = translated if isinstance(translated, tuple) else (translated,)
        assert all(forms), message
        named = set(re.findall(r"%\(\w+\)s", str(message)))
        assert all(set(re.findall(r"%\(\w+\)s", one)) == named for one in forms), message


@pytest.mark.parametrize(
    ("chosen", "accepted", "code"),
    [
        (None, None, "en"),
        (None, "no", "nb"),
        (None, "nn-NO;q=0.9, de;q=1.0", "nb"),
        (None, "en-GB,nb;q=0.5", "en"),
        (None, ";;,q=x;q=z", "en"),
        ("nb", "en", "nb"),
        ("xx", "nb", "nb"),
    ],
)
def test_the_language_is_chosen_else_the_browsers(
    chosen: str | None, accepted: str | None, code: str
) -> None:
    assert language_of(chosen, accepted).code == code


def test_scores_keep_four_places_and_nothing_measured_is_a_dash() -> None:
    english, bokmål = languages()["en"], languages()["nb"]
    assert (english.percent("0.802888888889"), bokmål.percent("0.802888888889")) == ("80.29%", "80,29\u00a0%")
    assert (english.percent("1"), english.percent(None)) == ("100%", "–")


def test_a_number_is_written_with_all_its_places_and_read_as_it_is_typed() -> None:
    bokmål = languages()["nb"]
    assert bokmål.number("1234567.000001") == "1\u00a0234\u00a0567,000001"
    assert bokmål.read_number("1 234,5") == bokmål.read_number("1\u00a0234.5") == "1234.5"


def test_an_instant_is_local_and_held_exactly() -> None:
    written = languages()["nb"].time("2026-01-05T12:00:00.000001Z", ZoneInfo("Europe/Oslo"))
    assert 'datetime="2026-01-05T12:00:00.000001Z"' in written and "13:00" in written
