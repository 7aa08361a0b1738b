"""Who sits before the browser: a sealed cookie that holds the person's credential and the secret of his or her forms.

The cookie is encrypted and authenticated (AES-256-GCM), so that any query process with the same secret can read it and
nobody else can. Signing out makes the browser forget it; the credential in it ends when its issuer says so.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import secrets
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from starlette.requests import Request
from starlette.responses import Response

SESSION_S = 12 * 3600
COOKIE = "goal_ledger_session"
COOKIE_MAX_CHARACTERS = 4000
"""Browsers keep cookies of 4,096 bytes with their names."""
_NONCE_BYTES = 12
_PURPOSE = b"goal-ledger pages session v1"


@dataclass(frozen=True, slots=True)
class BrowserSession:
    """`credential`: token or API key, empty before the sign-in. `forms`: what each form must bring back.
    `until`: Unix seconds."""

    forms: str
    until: float
    credential: str = ""
    workspace: str = ""
    holder: str = ""

    @property
    def signed_in(self) -> bool:
        return bool(self.credential)

    @property
    def authorization(self) -> str:
        return f"Bearer {self.credential}"

    def owns_form(self, stated: str) -> bool:
        """Whether a form was made for this session."""
        return hmac.compare_digest(self.forms.encode(), stated.encode("utf-8", "replace"))


def new_session(credential: str = "", workspace: str = "", holder: str = "") -> BrowserSession:
    """A session from now on; without a credential it only guards the form of the sign-in."""
    return BrowserSession(secrets.token_urlsafe(24), time.time() + SESSION_S, credential, workspace, holder)


class BrowserSessions:
    """Seals and opens the cookie. Without a file its secret is this process's own. Raises OSError."""

    def __init__(self, secret_file: Path | None) -> None:
        secret = secrets.token_bytes(32) if secret_file is None else secret_file.read_bytes()
        self._cipher = AESGCM(hashlib.sha256(_PURPOSE + secret.strip()).digest())

    def of(self, request: Request) -> BrowserSession | None:
        """The session that the request shows; None: none that counts."""
        text = request.cookies.get(COOKIE)
        if not text:
            return None
        try:
            raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
            clear = self._cipher.decrypt(raw[:_NONCE_BYTES], raw[_NONCE_BYTES:], _PURPOSE)
        except (ValueError, binascii.Error, InvalidTag):
            return None
        found = BrowserSession(**json.loads(clear))
        return found if found.until > time.time() else None

    def keep(self, session: BrowserSession, request: Request, response: Response) -> None:
        """Give the browser the cookie. Raises ValueError if the credential is too long for one."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        sealed = self._cipher.encrypt(nonce, json.dumps(asdict(session)).encode(), _PURPOSE)
        text = base64.urlsafe_b64encode(nonce + sealed).decode().rstrip("=")
        if len(text) > COOKIE_MAX_CHARACTERS:
            raise ValueError("the credential is too long for a cookie")
        set_cookie(request, response, COOKIE, text, SESSION_S)

    def end(self, request: Request, response: Response) -> None:
        """Make the browser forget it."""
        set_cookie(request, response, COOKIE, "", 0)


def set_cookie(request: Request, response: Response, name: str, value: str, seconds: int) -> None:
    """A cookie that no script reads, no other site sends along, and that goes over TLS alone where the page did."""
    forwarded = request.headers.get("x-forwarded-proto", "")
    secure = "https" in (request.url.scheme, forwarded)
    response.set_cookie(name, value, max_age=seconds, path="/", secure=secure, httponly=True, samesite="lax")
