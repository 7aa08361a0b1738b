"""The language of a page: its messages, and how it writes dates, numbers and plurals (Babel).

A further language is one more file `languages/<code>.po`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from decimal import Decimal
from functools import cache
from gettext import GNUTranslations, NullTranslations
from io import BytesIO
from pathlib import Path

from babel import Locale
from babel.dates import format_date, format_time
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import format_decimal, format_percent, get_decimal_symbol
from markupsafe import Markup

FOLDER = Path(__file__).parent / "languages"
ENGLISH = "en"
COOKIE = "goal_ledger_language"


@dataclass(frozen=True)
class Language:
    """One language. `zone`: in which instants are written."""

    code: str
    locale: Locale
    messages: NullTranslations
    """English where one is missing."""

    def percent(self, value: str | None) -> str:
        """A score, with four places of the fraction; a dash for what is not measured."""
        if value is None:
            return "–"
        return str(format_percent(Decimal(value), format=self._percent_pattern(), locale=self.locale))

    def _percent_pattern(self) -> str:
        return "0.##%" if self.code == ENGLISH else "0.##\u00a0%"

    def number(self, value: str | None) -> str:
        """A decimal with all its places."""
        if value is None:
            return "–"
        return str(format_decimal(Decimal(value), locale=self.locale, decimal_quantization=False))

    def day(self, text: str | None, zone: tzinfo) -> str:
        """A local date, or the local day of an instant."""
        if text is None:
            return "–"
        at = date.fromisoformat(text) if len(text) == 10 else _local(text, zone).date()
        return str(format_date(at, "medium", locale=self.locale))

    def time(self, text: str | None, zone: tzinfo) -> Markup:
        """An instant in local time, to the minute, as an element that holds it exactly."""
        if text is None:
            return Markup("–")
        at = _local(text, zone)
        day = format_date(at, "medium", locale=self.locale)
        written = f"{day}, {format_time(at, 'short', locale=self.locale)}"
        return Markup('<time datetime="{}">{}</time>').format(text, written)

    def read_number(self, text: str) -> str:
        """What somebody typed, with this language's decimal sign, as the API takes it."""
        plain = "".join(text.split())
        return plain.replace(str(get_decimal_symbol(self.locale)), ".")


def _local(text: str, zone: tzinfo) -> datetime:
    return datetime.fromisoformat(text).astimezone(zone)


@cache
def languages() -> dict[str, Language]:
    """All there are, by code; English first."""
    found = {ENGLISH: Language(ENGLISH, Locale("en", "GB"), NullTranslations())}
    for path in sorted(FOLDER.glob("*.po")):
        locale = Locale.parse(path.stem)
        found[path.stem] = Language(path.stem, locale, _messages(path, locale))
    return found


def _messages(path: Path, locale: Locale) -> GNUTranslations:
    """Read as they are written, without a compiled file beside them."""
    compiled = BytesIO()
    with path.open("rb") as file:
        write_mo(compiled, read_po(file, locale=locale))
    compiled.seek(0)
    return GNUTranslations(compiled)


def language_of(chosen: str | None, accepted: str | None) -> Language:
    """The chosen one, else the first that the browser accepts, else English."""
    known = languages()
    if chosen in known:
        return known[chosen]
    for code in _accepted(accepted or ""):
        if code in known:
            return known[code]
    return known[ENGLISH]


def _accepted(header: str) -> list[str]:
    """The codes of `Accept-Language`, the dearest first; Norwegian without a form is bokmål."""
    weighed = []
    for number, one in enumerate(header.split(",")[:20]):
        name, _, weight = one.partition(";q=")
        code = name.strip().lower().partition("-")[0]
        try:
            weighed.append((-float(weight or 1), number, "nb" if code in ("no", "nn") else code))
        except ValueError:
            continue
    return [code for _, _, code in sorted(weighed)]
