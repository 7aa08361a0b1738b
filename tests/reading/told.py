"""What the query service answered, in the form of the naive reading: numbers exact, instants, lists without an order."""

from __future__ import annotations

from typing import Any

from reading.log import Json, instant, number

NUMBERS = (
    *("raw", "score", "score_committed", "score_difference", "beyond", "mean"),
    *("expected", "gap", "confidence", "value", "weight"),
)
INSTANTS = ("value_at", "last_check_in_at")


def plain(answer: Any, name: str = "") -> Any:
    """The answer with its numbers and instants read."""
    if name in NUMBERS:
        return number(answer)
    if name in INSTANTS:
        return answer and instant(answer)
    if name in ("measure", "policy") or not isinstance(answer, dict | list):
        return answer
    if isinstance(answer, dict):
        return {key: plain(one, key) for key, one in answer.items()}
    return _listed(answer, name)


def _listed(answer: list[Any], name: str) -> Any:
    if name.startswith("counted"):
        return sorted((one["ref"], number(one["weight"]), number(one["score"])) for one in answer)
    if name.startswith("left_out"):
        return sorted((one["ref"], one["why"]) for one in answer)
    if name in ("key_results", "parts"):
        return {one["id" if name == "key_results" else "part"]: plain(one) for one in answer}
    return answer


def differences(told: Any, read: Any, path: str = "") -> list[str]:
    """Where an answer is not what was read; what the naive reading does not speak of is passed over."""
    if not (isinstance(read, dict) and isinstance(told, dict)) or path.endswith("/measure"):
        return [] if told == read else [f"{path}: answered {told}, to be {read}"]
    found = [f"{path}/{name}: not answered" for name in sorted(read.keys() - told.keys())]
    for name in read.keys() & told.keys():
        found += differences(told[name], read[name], f"{path}/{name}")
    return found


def has_value(part: Json) -> bool:
    return part["value"] is not None or part["done"] is not None


def brief(one: Json) -> Json:
    """What of an objective the alignment tree shows."""
    of_it = ("weight", "dropped", "score", "score_committed", "score_difference", "status")
    names = (
        *("id", "state", "owner", "cycle", "outcome", "score", "score_committed", "score_difference"),
        *("expected", "gap", "status", "status_stated", "status_computed"),
        *("counted", "left_out", "feeds_counted_twice"),
    )
    key_results = {
        id: {name: each[name] for name in of_it if name in each} for id, each in one["key_results"].items()
    }
    return {**{name: one[name] for name in names}, "key_results": key_results}
