"""What a form brings back: bounded, read strictly, and only if it was made for this session."""

from __future__ import annotations

import secrets
from urllib.parse import parse_qsl, urlsplit

from starlette.requests import Request

from goal_ledger_projection.pages.asking import ApiRefusal
from goal_ledger_projection.pages.session import BrowserSession

FORM_MAX_BYTES = 64 * 1024
FIELDS_MAX = 400
TOKEN_FIELD = "form"
KEY_FIELD = "key"


class Form:
    """The fields of a form, by name."""

    def __init__(self, pairs: list[tuple[str, str]]) -> None:
        self._pairs = pairs

    def get(self, name: str, default: str = "") -> str:
        """A field's text without the space around it."""
        return next((value.strip() for key, value in self._pairs if key == name), default)

    def all(self, name: str) -> list[str]:
        """Of boxes of one name: those that are ticked."""
        return [value for key, value in self._pairs if key == name]

    def lines(self, name: str) -> list[str]:
        """The lines of a text, without empty ones."""
        return [line.strip() for line in self.get(name).splitlines() if line.strip()]


async def read_form(request: Request, session: BrowserSession | None) -> Form:
    """Raises ApiRefusal: not a form, too large, of another site or of another session."""
    form = Form(await _pairs(request))
    origin = request.headers.get("origin")
    foreign = origin is not None and urlsplit(origin).hostname != request.url.hostname
    if session is None or foreign or not session.owns_form(form.get(TOKEN_FIELD)):
        sentence = "This form was not made for your session, or the session is over. Open the page again."
        raise ApiRefusal(403, {"code": "foreign_form", "detail": sentence})
    return form


async def _pairs(request: Request) -> list[tuple[str, str]]:
    kind = request.headers.get("content-type", "").partition(";")[0].strip()
    raw = b""
    async for piece in request.stream():
        raw += piece
        if len(raw) > FORM_MAX_BYTES:
            break
    if kind != "application/x-www-form-urlencoded" or len(raw) > FORM_MAX_BYTES:
        raise ApiRefusal(
            400, {"code": "malformed_request", "detail": "That is no form of ours, or too large."}
        )
    try:
        return parse_qsl(raw.decode(), keep_blank_values=True, max_num_fields=FIELDS_MAX)
    except ValueError:
        raise ApiRefusal(400, {"code": "malformed_request", "detail": "The form cannot be read."}) from None


def new_key() -> str:
    """An idempotency key for a form: sent twice, it is one command."""
    return f"page-{secrets.token_urlsafe(18)}"
