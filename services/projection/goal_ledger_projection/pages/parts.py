"""The fields of a check-in: one for each part of a key result that no feed measures."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from goal_ledger_projection.pages.asking import Json
from goal_ledger_projection.pages.forms import Form


@dataclass(frozen=True, slots=True)
class PartField:
    """`steps`: of a checklist, (id, text); `done`: those that are done. `fed`: by which feed; then nothing is typed."""

    part: str
    kind: str
    unit: str | None
    steps: tuple[tuple[str, str], ...]
    value: str
    done: tuple[str, ...]
    fed: str | None

    @property
    def name(self) -> str:
        """Of the field in the form."""
        return f"part.{self.part}"


def fields_of(
    key_result: Json, form: Form | None = None, values: Sequence[dict[str, Any]] | None = None
) -> list[PartField]:
    """One a part. A checklist begins with what is done; a number is empty. `form`, `values`: what was written before."""
    measure = key_result["measure"]
    measures = measure.get("parts") or [{"id": "value", "measure": measure}]
    fed = {one["part"]: one["feed"] for one in key_result["bindings"]}
    now = {one["part"]: one for one in key_result["parts"]}
    stated = {one.get("part", "value"): one for one in values or ()}
    return [
        _field(
            one["id"], one["measure"], fed.get(one["id"]), now.get(one["id"], {}), form, stated.get(one["id"])
        )
        for one in measures
        if one["measure"]["kind"] != "aligned"
    ]


def _field(
    part: str, measure: Json, fed: str | None, now: Json, form: Form | None, stated: Json | None
) -> PartField:
    name = f"part.{part}"
    value = form.get(name) if form else str((stated or {}).get("value") or "")
    done = form.all(name) if form else (stated if stated is not None else now).get("done") or ()
    steps = tuple((step["id"], step["text"]) for step in measure.get("steps", ()))
    return PartField(part, measure["kind"], measure.get("unit"), steps, value, tuple(done), fed)


def values_of(form: Form, fields: Sequence[PartField], read: Callable[[str], str]) -> list[Json]:
    """The values that were typed or ticked. `read`: a number as it is written in the person's language. A checklist
    is stated only where its box `states.<part>` came along: with nothing ticked, nothing is done."""
    found: list[Json] = []
    for one in fields:
        if one.fed is not None:
            continue
        if one.steps:
            if form.get(f"states.{one.part}"):
                found.append({"part": one.part, "done": form.all(one.name)})
        elif form.get(one.name):
            found.append({"part": one.part, "value": read(form.get(one.name))})
    return found
