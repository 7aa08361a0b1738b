"""A fact as a Kafka record: the stored bytes untouched, what readers sort by in the headers.

Key: the workspace. Value: the fact's canonical bytes, to the last one. Headers: the CloudEvents 1.0 attributes of the
Kafka binding's binary mode (``ce_specversion``, ``ce_type`` = the fact's type, ``ce_source`` = ``/workspaces/<workspace>``,
``ce_id`` = ``event_id``, ``ce_time`` = ``recorded_at``, ``ce_subject`` = the stream), ``content-type``, and ``workspace``,
``epoch``, ``seq``: by (epoch, seq) alone a reader knows whether a record is old, next, or leaves a gap. ``traceparent``
is that of the command, when it had one. All in ASCII.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from goal_ledger_contracts.canonical import instant_text
from goal_ledger_contracts.ids import WORKSPACE_ID

Headers = list[tuple[str, bytes]]

_SPECVERSION = ("ce_specversion", b"1.0")
_CONTENT_TYPE = ("content-type", b"application/json")

LARGEST_EPOCH = 2**31 - 1
LARGEST_SEQ = 2**63 - 1
"""What the databases count to."""
_MOST_DIGITS = 19


def fact_headers(
    *,
    workspace: str,
    epoch: int,
    seq: int,
    type: str,
    event_id: str,
    stream: str,
    recorded_at: datetime,
    traceparent: str | None,
) -> Headers:
    """The headers of a fact's record."""
    headers = [
        _SPECVERSION,
        ("ce_type", type.encode()),
        ("ce_source", b"/workspaces/" + workspace.encode()),
        ("ce_id", event_id.encode()),
        ("ce_time", instant_text(recorded_at).encode()),
        ("ce_subject", stream.encode()),
        _CONTENT_TYPE,
        ("workspace", workspace.encode()),
        ("epoch", b"%d" % epoch),
        ("seq", b"%d" % seq),
    ]
    if traceparent is not None:
        headers.append(("traceparent", traceparent.encode()))
    return headers


def read_place(headers: Iterable[tuple[str, bytes | None]]) -> tuple[str, int, int] | None:
    """(workspace, epoch, seq) of a record, or None if it is not one of the relay's: what no workspace can be called, and
    what no database counts to, is none."""
    try:
        return _place(dict(headers))
    except (KeyError, ValueError):
        return None


def _place(named: Mapping[str, bytes | None]) -> tuple[str, int, int]:
    workspace = (named["workspace"] or b"").decode()
    if WORKSPACE_ID.fullmatch(workspace) is None:
        raise ValueError("no workspace is called so")
    return workspace, _number(named["epoch"], LARGEST_EPOCH), _number(named["seq"], LARGEST_SEQ)


def _number(written: bytes | None, largest: int) -> int:
    """As the relay writes it: digits alone."""
    if written is None or not written.isdigit() or len(written) > _MOST_DIGITS:
        raise ValueError("not a number")
    number = int(written)
    if not 1 <= number <= largest:
        raise ValueError("not a number that epochs or seqs have")
    return number
