"""Personal text in pages of check-ins and facts, opened as in answers: `[erased]`, `[withheld]`, `[sealed]`."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import orjson

from goal_ledger_projection.api.texts import Text, Texts, texts_of
from goal_ledger_projection.api.timeline import opened_data
from goal_ledger_projection.api.view import View
from goal_ledger_projection.exports.pyarrow_later import pa

NOTE, LISTS = "note", ("blockers", "evidence")


async def opened_check_ins(view: View, page: pa.Table) -> pa.Table:
    """A page whose personal columns hold JSON as it was sealed."""
    events = page.column("event_id")
    sealed = {
        name: {
            row: Text(orjson.loads(one.as_py()), events[row].as_py(), f"/{name}")
            for row, one in enumerate(page.column(name))
            if one.is_valid
        }
        for name in (NOTE, *LISTS)
    }
    texts = view.texts()
    await texts.look_up(text for many in sealed.values() for text in many.values())
    return await asyncio.to_thread(_with_opened, page, sealed, texts)


def _with_opened(page: pa.Table, sealed: Mapping[str, Mapping[int, Text]], texts: Texts) -> pa.Table:
    for name, by_row in sealed.items():
        column: list[str | None] = [None if name == NOTE else "[]"] * page.num_rows
        for row, text in by_row.items():
            opened = texts.open(text)
            column[row] = opened if name == NOTE else orjson.dumps(opened).decode()
        page = _with_column(page, name, column)
    return page


async def opened_facts(view: View, page: pa.Table) -> pa.Table:
    """A page without `reason` and `data`, with both."""
    facts = await asyncio.to_thread(lambda: [orjson.loads(one) for one in page.column("fact").to_pylist()])
    personal = [texts_of(one["type"], one["event_id"], one["data"]) for one in facts]
    texts = view.texts()
    await texts.look_up(text for many in personal for text in many.values())
    return await asyncio.to_thread(_with_data, page, facts, personal, texts)


def _with_data(
    page: pa.Table, facts: list[dict[str, Any]], personal: list[dict[str, Text]], texts: Texts
) -> pa.Table:
    data = [
        orjson.dumps(opened_data(one, of_it, texts)).decode()
        for one, of_it in zip(facts, personal, strict=True)
    ]
    return _with_column(_with_column(page, "data", data), "reason", [one.get("reason") for one in facts])


def _with_column(page: pa.Table, name: str, values: list[str | None] | list[str]) -> pa.Table:
    at = page.schema.get_field_index(name)
    return page.set_column(at, page.schema.field(at), pa.array(values, pa.string()))
