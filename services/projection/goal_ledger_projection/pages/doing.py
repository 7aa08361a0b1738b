"""What people do from a page: check in, correct, comment, give kudos, through the public commands.

Each form holds an idempotency key, so that sending it twice is one command. What is refused is shown where it was
written; after what is taken, the page that follows waits for the position of the answer.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from starlette.responses import Response

from goal_ledger_projection.api.choices import STATED
from goal_ledger_projection.pages.asking import ApiRefusal, Json
from goal_ledger_projection.pages.forms import KEY_FIELD, Form, new_key
from goal_ledger_projection.pages.objective import objective
from goal_ledger_projection.pages.page import WebPage, seen_other
from goal_ledger_projection.pages.parts import PartField, fields_of, values_of

CONFIDENCES = tuple(f"0.{tenth}" for tenth in range(1, 10))
WRITTEN = ("confidence", "status", "method", "note", "blockers", "evidence", "reason")
METHODS = ("manual", "measured", "estimated", "imputed")


async def new_check_in(page: WebPage) -> Response:
    """`GET /key-results/<id>/check-in`."""
    one = await _key_result(page, page.request.path_params["id"])
    return _form(page, one, fields_of(one), _written(Form([])), new_key())


async def check_in(page: WebPage, form: Form) -> Response:
    """`POST /key-results/<id>/check-in`."""
    id = page.request.path_params["id"]
    one = await _key_result(page, id)
    fields = fields_of(one)
    body = _content(page, form, fields)
    try:
        answer = await page.commands.send(
            page.session, f"/v1/key-results/{id}/check-ins", body, form.get(KEY_FIELD)
        )
    except ApiRefusal as refused:
        return _form(page, one, fields_of(one, form), _written(form), form.get(KEY_FIELD), refused)
    return _done(one["objective"], answer, f"kr-{id}")


async def correction(page: WebPage) -> Response:
    """`GET /check-ins/<id>/correct`."""
    old = await _check_in(page)
    one = await _key_result(page, old["key_result"])
    return _form(page, one, fields_of(one, values=old["values"]), _said(old), new_key(), corrects=old)


async def correct(page: WebPage, form: Form) -> Response:
    """`POST /check-ins/<id>/correct`: the whole new content."""
    old = await _check_in(page)
    one = await _key_result(page, old["key_result"])
    body = _content(page, form, fields_of(one)) | {"reason": form.get("reason")}
    body.setdefault("effective_at", old["effective_at"])
    try:
        path = f"/v1/check-ins/{old['id']}/correct"
        answer = await page.commands.send(page.session, path, body, form.get(KEY_FIELD))
    except ApiRefusal as refused:
        fields = fields_of(one, form)
        return _form(page, one, fields, _written(form), form.get(KEY_FIELD), refused, corrects=old)
    return _done(one["objective"], answer, "check-ins")


async def comment(page: WebPage, form: Form) -> Response:
    """`POST /goals/<id>/comments`."""
    return await _remark(page, form, "comments", {"text": form.get("text")})


async def kudos(page: WebPage, form: Form) -> Response:
    """`POST /goals/<id>/kudos`."""
    text = form.get("text")
    return await _remark(page, form, "kudos", {"text": text} if text else {})


async def _remark(page: WebPage, form: Form, what: str, body: Json) -> Response:
    id = page.request.path_params["id"]
    on = form.get("on") or f"objective/{id}"
    kind, _, of = on.partition("/")
    path = f"/v1/check-ins/{of}/{what}" if kind == "check-in" else f"/v1/objectives/{id}/{what}"
    try:
        answer = await page.commands.send(page.session, path, body, form.get(KEY_FIELD))
    except ApiRefusal as refused:
        return await objective(page, refused, form.get("text"))
    return _done(id, answer, "remarks")


async def _key_result(page: WebPage, id: str) -> Json:
    found: Json = (await page.ask(f"/v1/key-results/{id}"))["key_result"]
    return found


async def _check_in(page: WebPage) -> Json:
    found: Json = (await page.ask(f"/v1/check-ins/{page.request.path_params['id']}"))["check_in"]
    if found["key_result"] is None:
        sentence = "A check-in on a whole objective is corrected over the API."
        raise ApiRefusal(404, {"code": "not_found", "detail": sentence})
    return found


def _form(
    page: WebPage,
    one: Json,
    fields: list[PartField],
    written: dict[str, str],
    key: str,
    refused: ApiRefusal | None = None,
    corrects: Json | None = None,
) -> Response:
    return page.show(
        "check_in.html",
        200 if refused is None else refused.status,
        one=one,
        fields=fields,
        written=written,
        key=key,
        refused=refused,
        corrects=corrects,
        statuses=STATED,
        confidences=("0", *CONFIDENCES, "1"),
        methods=METHODS,
    )


def _content(page: WebPage, form: Form, fields: list[PartField]) -> dict[str, Any]:
    """The body of a check-in; what was left empty is left out."""
    said: dict[str, Any] = {
        "values": values_of(form, fields, page.language.read_number),
        "confidence": form.get("confidence"),
        "status": form.get("status"),
        "method": form.get("method"),
        "note": form.get("note"),
        "blockers": form.lines("blockers"),
        "evidence": form.lines("evidence"),
        "reason": form.get("reason"),
    }
    return {name: value for name, value in said.items() if value}


def _written(form: Form) -> dict[str, str]:
    return {name: form.get(name) for name in WRITTEN}


def _said(old: Json) -> dict[str, str]:
    """An earlier check-in as the fields of its form."""
    lines = {name: "\n".join(old[name]) for name in ("blockers", "evidence")}
    texts = {name: old[name] or "" for name in ("confidence", "status", "method", "note")}
    return {**lines, **texts, "reason": ""}


def _done(goal: str, answer: Json, place: str) -> Response:
    """The goal's page, which waits for the position."""
    response = seen_other(f"/goals/{goal}", {"position": str(answer["position"]), "done": "1"})
    response.headers["Location"] += f"#{quote(place)}"
    return response
