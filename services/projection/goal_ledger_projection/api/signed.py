"""Proofs for what leaves the query service, from the command service's log; where there are none, it is said."""

from __future__ import annotations

from collections.abc import Mapping

from goal_ledger_edge.problems import Problem
from goal_ledger_ledger.checkpoint import BadNote, parse
from starlette.requests import Request

from goal_ledger_projection.api.view import Views
from goal_ledger_projection.command_feed import CommandFeed, FeedUnavailable, NotInLog
from goal_ledger_projection.dossier.proofs import SignedProofs, proofs


async def proofs_of(
    request: Request, workspace: str, epoch: int, leaves: Mapping[int, bytes]
) -> SignedProofs:
    """Of the facts with these leaf hashes, by seq. Problems 404 `heads_not_signed`, 503 `not_signed_yet`,
    `proofs_out_of_reach`."""
    views: Views = request.app.state.views
    if views.feed is None:
        raise _out_of_reach("This query service has no address of the command service, which keeps the log.")
    log = f"/v1/logs/{workspace}/{epoch}"
    try:
        return await _proofs(views.feed, log, leaves)
    except NotInLog as refused:
        raise _as_told(refused) from None
    except (FeedUnavailable, BadNote) as away:
        raise _out_of_reach(
            "The command service, which keeps the log, does not answer as it should."
        ) from away


async def _proofs(feed: CommandFeed, log: str, leaves: Mapping[int, bytes]) -> SignedProofs:
    note = (await feed.of_log(f"{log}/checkpoint")).decode()
    size, last = parse(note).size, max(leaves)
    if size < last:
        sentence = (
            f"The newest signed head covers {size} facts, this needs {last}; it is signed within seconds."
        )
        raise Problem(503, "not_signed_yet", sentence, headers={"Retry-After": "1"})

    async def fetch(path: str) -> bytes:
        return await feed.of_log(f"{log}/{path}")

    return await proofs(note, leaves, fetch)


def _as_told(refused: NotInLog) -> Problem:
    """What the command service said of its log."""
    if refused.code == "heads_not_signed":
        return Problem(404, refused.code, "This installation signs no heads: there are no proofs to give.")
    if refused.code in ("not_signed_yet", "tiles_not_kept_yet"):
        sentence = "The log's heads or tiles are being made. Ask again."
        return Problem(503, "not_signed_yet", sentence, headers={"Retry-After": "1"})
    return _out_of_reach(f"The command service gives no proofs: {refused.code}.")


def _out_of_reach(sentence: str) -> Problem:
    return Problem(503, "proofs_out_of_reach", sentence, headers={"Retry-After": "5"})
