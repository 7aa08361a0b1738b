"""The feeds: whether each is alive, and what waits in quarantine until a person releases or rejects it."""

from __future__ import annotations

from starlette.responses import Response

from goal_ledger_projection.pages.asking import ApiRefusal
from goal_ledger_projection.pages.forms import KEY_FIELD, Form, new_key
from goal_ledger_projection.pages.page import WebPage, seen_other

OF_A_READING = ("feed", "source", "id", "reason")


async def feeds(page: WebPage, refused: ApiRefusal | None = None, said: Form | None = None) -> Response:
    """`/feeds`. `refused`: what became of `said`, a reading that was judged."""
    found = await page.ask("/v1/feeds")
    waiting = await page.ask("/v1/quarantine")
    return page.show(
        "feeds.html",
        200 if refused is None else refused.status,
        feeds=found["items"],
        waiting=waiting,
        refused=refused,
        said=said or Form([]),
        keys=[new_key() for _ in waiting["items"]],
    )


async def release(page: WebPage, form: Form) -> Response:
    """`POST /feeds/release`: a reading counts from now on."""
    return await _judge(page, form, "release")


async def reject(page: WebPage, form: Form) -> Response:
    """`POST /feeds/reject`: a reading never counts."""
    return await _judge(page, form, "reject")


async def _judge(page: WebPage, form: Form, verb: str) -> Response:
    body = {name: form.get(name) for name in OF_A_READING}
    try:
        answer = await page.commands.send(page.session, f"/v1/readings/{verb}", body, form.get(KEY_FIELD))
    except ApiRefusal as refused:
        return await feeds(page, refused, form)
    return seen_other("/feeds", {"position": str(answer["position"]), "done": "1"})
