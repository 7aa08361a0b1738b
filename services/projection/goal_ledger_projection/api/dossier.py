"""`GET /v1/objectives/{id}/dossier`: all of one goal for an auditor, to read or print, or as a bundle to check offline."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from goal_ledger_contracts.envelope import Fact, leaf_hash
from goal_ledger_contracts.position import Position
from goal_ledger_edge.problems import Problem
from goal_ledger_edge.routing import Gives, Refuses
from goal_ledger_edge.visits import note
from starlette.requests import Request
from starlette.responses import Response

from goal_ledger_projection.api.answers import respond
from goal_ledger_projection.api.clocks import CALCULATION, Clocks, Token
from goal_ledger_projection.api.objective import standing_of
from goal_ledger_projection.api.routes import QuestionRoute
from goal_ledger_projection.api.signed import proofs_of
from goal_ledger_projection.api.subquestions import Subquestion
from goal_ledger_projection.api.view import RecordRequest, View, view_of
from goal_ledger_projection.dossier.answers import DossierAnswers, Json
from goal_ledger_projection.dossier.bundle import bundle
from goal_ledger_projection.dossier.page import CONTENT_SECURITY_POLICY, page
from goal_ledger_projection.history.facts_behind import (
    FACTS_BEHIND_MAX,
    FactWithBytes,
    TooManyFacts,
    whole_streams_behind,
)

HTML, ZIP = "text/html; charset=utf-8", "application/zip"
TEXT = {"type": "string"}

routes = APIRouter(tags=["objectives"], route_class=QuestionRoute)


@routes.get("/v1/objectives/{id}/dossier", summary="An auditor's dossier of a goal")
async def dossier(
    request: RecordRequest,
    id: str,
    format: Annotated[
        Literal["html", "bundle"],
        Query(description="html: a file to read or print. bundle: a zip for goal-ledger-verify"),
    ] = "html",
) -> Annotated[
    Response,
    Gives(
        "html: one file without script or outside address. bundle: the facts' bytes, a tlog-proof of each, the answers",
        content={"text/html": TEXT, ZIP: TEXT | {"format": "binary"}},
    ),
    Refuses(404),
]:
    """Commitment, amendments, check-ins, both scores, attribution, grade, words and the record. A bundle waits (503
    `not_signed_yet`) for a head over all its facts; where no proofs can be had it is refused, never made without."""
    async with view_of(request) as view:
        facts, activated = await _facts(view, id)
        clocks, workspace, newest = view.clocks, view.reader.workspace, view.clocks.newest
    note(
        request,
        workspace,
        known_at=str(clocks.known),
        facts=len(facts),
        first_seq=facts[0][0].seq,
        last_seq=facts[-1][0].seq,
    )
    answers = await _answers(request, id, clocks, activated)
    names = await _names(request, clocks, answers)
    html = await asyncio.to_thread(page, workspace, answers, names, facts)
    if format == "html":
        return _file(respond(request, clocks, html, HTML), f"dossier-{id}.html")
    signed = await proofs_of(request, workspace, newest.epoch, _leaves(facts))
    zipped = await asyncio.to_thread(bundle, facts, signed, answers, html)
    return _file(respond(request, clocks, zipped, ZIP), f"dossier-{id}.zip")


def _file(response: Response, name: str) -> Response:
    response.headers["Content-Disposition"] = f'inline; filename="{name}"'
    response.headers["Content-Security-Policy"] = CONTENT_SECURITY_POLICY
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response


def _leaves(facts: Sequence[FactWithBytes]) -> Mapping[int, bytes]:
    return {fact.seq: leaf_hash(raw) for fact, raw in facts}


async def _facts(view: View, id: str) -> tuple[list[FactWithBytes], Fact | None]:
    """What the goal's numbers rest on, and its first activation. Problems 404, 422 `too_many_facts`."""
    standing = await standing_of(view, id)
    try:
        context = await view.context()
        facts = await whole_streams_behind(view.snapshot, context, id, view.clocks.seq)
    except TooManyFacts:
        sentence = f"It rests on more than {FACTS_BEHIND_MAX} facts; ask of a goal beneath it."
        raise Problem(422, "too_many_facts", sentence, limit=FACTS_BEHIND_MAX) from None
    first = standing.goal.activated_seq
    return facts, next((fact for fact, _ in facts if fact.seq == first), None)


async def _answers(request: Request, id: str, clocks: Clocks, activated: Fact | None) -> DossierAnswers:
    token, path = str(clocks.token), f"/v1/objectives/{id}"

    async def ask(question: str) -> Json:
        return await Subquestion(request, question).at(token)

    async def whole(question: str) -> Json:
        return await Subquestion(request, question).whole(token)

    then = None if activated is None else _at_commitment(clocks, activated)
    commitment = await ask(f"/v1/commitments?objective={id}") if then else {"items": []}
    return DossierAnswers(
        objective=await ask(path),
        at_commitment=None if then is None else await Subquestion(request, path).at(then),
        commitment=next(iter(commitment["items"]), None),
        amendments=await whole(f"/v1/amendments?objective={id}&limit=100"),
        attribution=None if then is None else await _attribution(request, path, token, then),
        explain=await ask(f"{path}/explain"),
        timeline=await whole(f"{path}/timeline?limit=500"),
        check_ins=await whole(f"/v1/check-ins?objective={id}&limit=1000"),
        comments=await whole(f"{path}/comments?limit=1000"),
        kudos=await whole(f"{path}/kudos?limit=1000"),
    )


def _at_commitment(clocks: Clocks, activated: Fact) -> str:
    return str(Token(Position(clocks.known.epoch, activated.seq), activated.effective_at, CALCULATION))


async def _attribution(request: Request, path: str, token: str, then: str) -> Json | None:
    try:
        return await Subquestion(request, f"{path}/attribution?from_token={then}").at(token)
    except Problem as refused:
        if refused.code != "too_many_facts":
            raise
        return None


async def _names(request: Request, clocks: Clocks, answers: DossierAnswers) -> Mapping[str, str]:
    """What people and units who are named are called."""
    found: dict[str, str] = {}
    for holder in sorted(answers.holders()):
        kind, _, id = holder.partition("/")
        path, member = ("/v1/people", "person") if kind == "person" else ("/v1/units", "unit")
        try:
            told: Any = (await Subquestion(request, f"{path}/{id}").at(str(clocks.token)))[member]
        except Problem as refused:
            if refused.status != 404:
                raise
            continue
        found[holder] = told["display_name" if kind == "person" else "name"] or id
    return found
