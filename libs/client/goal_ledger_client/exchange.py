"""What is sent and what comes back, without a connection: the one core of the sync and the async client.

Every command is sent with an ``Idempotency-Key``, so that it can be repeated after a time-out: the ledger keeps the
key for ever and gives the first answer again. :func:`attempts` says when to try again; the two clients only send and
pause.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import httpx2

from goal_ledger_client.values import Body, exact, parameter

RETRY_STATUSES = (502, 503, 504)
JSON = {"Content-Type": "application/json"}
BATCH = {"Content-Type": "application/cloudevents-batch+json"}

_READ_WHERE_COMMANDS_ARE = ("/v1/receipts", "/v1/log", "/v1/logs")
"""What the command service answers to GET: these and what lies below them."""


@dataclass(frozen=True, slots=True)
class Retry:
    """How often a request is tried in all, and the seconds between: what the service says in ``Retry-After``, else doubling
    from the first; at most ``max_pause_s``. ``Retry(attempts=1)``: once."""

    attempts: int = 6
    first_pause_s: float = 0.2
    max_pause_s: float = 5.0

    def __post_init__(self) -> None:
        if self.attempts < 1 or self.first_pause_s < 0 or self.max_pause_s < 0:
            raise ValueError("a request is tried at least once, and no pause is shorter than none")

    def pause_s(self, attempt: int, retry_after: str | None = None) -> float:
        """Before the attempt after this one; the first is 0."""
        said = (
            float(retry_after) if retry_after and retry_after.isdigit() else self.first_pause_s * 2.0**attempt
        )
        return min(said, self.max_pause_s)


USUAL_RETRY = Retry()


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of a command: ``facts`` are ``{seq, event_id, type}``; ``position`` is ``<epoch>-<seq>``.

    ``location``: where what was created can be read, with ``query``. ``body``: the whole answer, also what only some
    commands tell (the ``key`` of a key issued, in the first answer only). ``receipts``: asked for with ``receipt=True``, for
    each fact the address of its proof, for the clients' ``receipt``; empty: none was asked for, or no heads are signed.
    """

    id: str
    version: int
    facts: tuple[dict[str, Any], ...]
    position: str
    replayed: bool = False
    location: str | None = None
    body: Mapping[str, Any] | None = None
    receipts: tuple[str, ...] = ()


class Problem(Exception):
    """The request was refused: an RFC 9457 problem document with a stable ``code``."""

    def __init__(self, status: int, document: Mapping[str, Any]) -> None:
        self.status = status
        self.document = document
        self.code = str(document.get("code", "unknown"))
        self.field = document.get("field")
        super().__init__(
            f"{status} {self.code}: {document.get('detail') or document.get('title') or ''}".strip()
        )


class Unavailable(Problem):
    """Still 502, 503, 504 or not reached (status 0) after every attempt. Of a command it is not known whether it is
    recorded: repeat it with ``key``, and it is recorded once. ``key`` is None for what needs none."""

    def __init__(self, status: int, document: Mapping[str, Any], key: str | None = None) -> None:
        super().__init__(status, document)
        self.key = key


@dataclass(frozen=True, slots=True)
class ClientRequest:
    """One request, that may be sent several times; ``key`` is its Idempotency-Key."""

    method: str
    url: str
    headers: Mapping[str, str]
    content: bytes | None = None
    params: Mapping[str, str | list[str]] | None = None
    key: str | None = None


Attempt = httpx2.Response | httpx2.TransportError


class Addresses:
    """Where the ledger is and who asks: what the two clients have in common."""

    def __init__(self, command_url: str, query_url: str, token: str, retry: Retry = USUAL_RETRY) -> None:
        self._command_url, self._query_url = command_url.rstrip("/"), query_url.rstrip("/")
        self._token, self._retry = token, retry

    @property
    def command_url(self) -> str:
        return self._command_url

    @property
    def query_url(self) -> str:
        return self._query_url

    @property
    def token(self) -> str:
        return self._token

    @property
    def retry(self) -> Retry:
        return self._retry

    def _command(
        self, path: str, body: Body | None, key: str | None, if_match: int | None, receipt: bool
    ) -> ClientRequest:
        key = key or new_key()
        sent = headers(self._token, key, if_match) | JSON | ({"Prefer": "receipt"} if receipt else {})
        return ClientRequest("POST", self._command_url + _rooted(path), sent, body_bytes(body), key=key)

    def _query(self, path: str, after: str | None, wait_ms: int, asked: Mapping[str, Any]) -> ClientRequest:
        named = {name: parameter(name, value) for name, value in asked.items() if value is not None}
        if after is not None:
            named["wait_ms"] = str(wait_ms)
        rooted = _rooted(path)
        here = any(rooted == one or rooted.startswith(f"{one}/") for one in _READ_WHERE_COMMANDS_ARE)
        url = (self._command_url if here else self._query_url) + rooted
        return ClientRequest("GET", url, headers(self._token, after=after), params=named or None)

    def _what_if(
        self,
        question: str,
        leave_out: Sequence[str],
        policy: Body | None,
        scope: str,
        clocks: Mapping[str, Any],
    ) -> ClientRequest:
        body: dict[str, Any] = {"question": _rooted(question), "leave_out": list(leave_out)}
        if policy is not None:
            body |= {"policy": policy, "scope": scope}
        url, sent = f"{self._query_url}/v1/what-if", headers(self._token) | JSON
        named = {name: parameter(name, value) for name, value in clocks.items() if value is not None}
        return ClientRequest("POST", url, sent, body_bytes(body), named or None)

    def _dossier(self, objective: str, bundle: bool, clocks: Mapping[str, Any]) -> ClientRequest:
        asked = {**clocks, "format": "bundle" if bundle else "html"}
        return self._query(f"/v1/objectives/{objective}/dossier", None, 0, asked)

    def _events(self, heard: str | None, only: Mapping[str, Any]) -> ClientRequest:
        """Asked for by what was heard last."""
        sent = headers(self._token) | {"Accept": "text/event-stream"}
        if heard is not None:
            sent["Last-Event-ID"] = heard
        named = {name: parameter(name, value) for name, value in only.items() if value is not None}
        return ClientRequest("GET", f"{self._query_url}/v1/events", sent, params=named or None)

    def dataset_request(self, dataset: str, form: str, asked: Mapping[str, Any]) -> ClientRequest:
        """Of a dataset as ``form`` (parquet, arrow, csv, jsonl), with clocks, token or filters in ``asked``."""
        return self._query(f"/v1/exports/{dataset}", None, 0, {**asked, "format": form})

    def _readings(self, events: Sequence[Mapping[str, Any]], dry_run: bool) -> ClientRequest:
        sent, url = headers(self._token) | BATCH, f"{self._command_url}/v1/readings"
        params = {"dry_run": "true"} if dry_run else None
        return ClientRequest("POST", url, sent, body_bytes(list(events)), params)


def attempts(
    request: ClientRequest, retry: Retry = USUAL_RETRY
) -> Generator[float, Attempt, httpx2.Response]:
    """The attempts at one request: yields the seconds to pause before each, is told what came of it, and returns the
    response. Raises :class:`Problem` for a refusal, :class:`Unavailable` after the last attempt."""
    pause = 0.0
    for attempt in range(retry.attempts):
        outcome = yield pause
        if isinstance(outcome, httpx2.Response):
            if outcome.status_code < 400:
                return outcome
            if outcome.status_code not in RETRY_STATUSES:
                raise problem(outcome.status_code, outcome.content)
            last: Problem = Unavailable(outcome.status_code, _document(outcome.content), request.key)
            pause = retry.pause_s(attempt, outcome.headers.get("Retry-After"))
        else:
            last = unreachable(request, outcome)
            pause = retry.pause_s(attempt)
    raise last


def unreachable(request: ClientRequest, why: Exception) -> Unavailable:
    """Nobody answered."""
    title = f"{request.url} cannot be reached: {why}"
    return Unavailable(0, {"code": "unreachable", "title": title}, request.key)


def _rooted(path: str) -> str:
    return path if path.startswith("/") else f"/{path}"


def headers(
    token: str, key: str | None = None, if_match: int | None = None, after: str | None = None
) -> dict[str, str]:
    found = {"Authorization": f"Bearer {token}", "Accept": "application/json"}
    if key is not None:
        found["Idempotency-Key"] = key
    if if_match is not None:
        found["If-Match"] = f'"{if_match}"'
    if after is not None:
        found["Goal-Ledger-Position"] = after
    return found


def new_key() -> str:
    return str(uuid.uuid4())


def body_bytes(body: Body | list[Any] | None) -> bytes:
    """The JSON of a body. Raises TypeError for a float, ValueError for a time without an offset."""
    return json.dumps({} if body is None else exact(body), ensure_ascii=False).encode()


def problem(status: int, raw: bytes) -> Problem:
    """The problem in a response that is not repeated: unavailable, or a refusal."""
    return (
        Unavailable(status, _document(raw)) if status in RETRY_STATUSES else Problem(status, _document(raw))
    )


def _document(raw: bytes) -> Mapping[str, Any]:
    """The problem document; a body that is none is quoted, shortened."""
    try:
        document = json.loads(raw)
    except ValueError:
        document = None
    return document if isinstance(document, dict) else {"title": raw[:200].decode(errors="replace")}


def answer(raw: bytes, response_headers: Mapping[str, str]) -> Answer:
    body = json.loads(raw)
    return Answer(
        id=body["id"],
        version=body["version"],
        facts=tuple(body["facts"]),
        position=body["position"],
        replayed=response_headers.get("Idempotency-Replayed") == "true",
        location=response_headers.get("Location"),
        body=body,
        receipts=tuple(body.get("receipts") or ()),
    )


def receipts(raw: bytes) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(raw)["receipts"]
    return found
