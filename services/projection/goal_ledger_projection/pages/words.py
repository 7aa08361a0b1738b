"""The words of the API (statuses, states, kinds) as people read them."""

from __future__ import annotations

from collections.abc import Callable


class Words:
    """Of one language; a word that has no other is shown as it is, without its underscores."""

    def __init__(self, known: dict[str, str]) -> None:
        self._known = known

    def get(self, word: str | None) -> str:
        """The word for people."""
        if word is None:
            return "–"
        return self._known.get(word, word.replace("_", " "))


def words(_: Callable[[str], str]) -> Words:
    """`_` translates."""
    return Words(
        {
            "on_track": _("on track"),
            "behind": _("behind"),
            "at_risk": _("at risk"),
            "not_measured": _("not measured"),
            "pending": _("pending"),
            "outdated": _("outdated"),
            "achieved": _("achieved"),
            "partial": _("partial"),
            "missed": _("missed"),
            "dropped": _("dropped"),
            "postponed": _("postponed"),
            "draft": _("draft"),
            "active": _("active"),
            "closed": _("closed"),
            "archived": _("archived"),
            "planned": _("planned"),
            "open": _("open"),
            "locked": _("locked"),
            "committed": _("committed"),
            "aspirational": _("aspirational"),
            "contributes": _("contributes"),
            "supports": _("supports"),
            "measured": _("measured"),
            "estimated": _("estimated"),
            "manual": _("manual"),
            "imputed": _("imputed"),
            "waiting": _("waiting"),
            "gauge": _("gauge"),
            "counter": _("counter"),
            "event_count": _("event count"),
        }
    )
