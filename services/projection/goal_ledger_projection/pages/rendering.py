"""Templates into HTML. Whatever a template is given is escaped; a name that is missing is an error, not a blank."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import tzinfo
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from goal_ledger_projection.pages.assets import asset_address
from goal_ledger_projection.pages.language import Language, languages
from goal_ledger_projection.pages.words import words

FOLDER = Path(__file__).parent / "templates"


@cache
def _environment(code: str) -> Environment:
    language = languages()[code]
    made = Environment(
        loader=FileSystemLoader(FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    made.install_gettext_translations(language.messages, newstyle=True)  # type: ignore[attr-defined]
    made.filters |= {
        "percent": language.percent,
        "number": language.number,
        "word": words(language.messages.gettext).get,
        "steps": _steps,
    }
    made.globals |= {"language": language, "languages": languages(), "asset": asset_address}
    return made


def _steps(done: list[str]) -> str:
    return ", ".join(done)


def render(template: str, language: Language, zone: tzinfo, given: Mapping[str, Any]) -> str:
    """The HTML of a template in a language, with instants in a zone."""
    times = {
        "day": lambda text: language.day(text, zone),
        "time": lambda text: language.time(text, zone),
    }
    return _environment(language.code).get_template(template).render({**times, **given})
