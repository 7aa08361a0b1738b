"""A session's cookie: sealed, bounded, ended; and forms that are its own."""

from __future__ import annotations

from pathlib import Path

import pytest
from goal_ledger_projection.pages import session as sessions_of
from goal_ledger_projection.pages.session import COOKIE, BrowserSession, BrowserSessions, new_session
from goal_ledger_projection.pages.sign_in import back_to
from starlette.requests import Request
from starlette.responses import Response


def _request(cookie: str = "", scheme: str = "http", **headers: str) -> Request:
    pairs = {"host": "pages.example", "cookie": f"{COOKIE}={cookie}", **headers}
    raw = [(name.replace("_", "-").encode(), value.encode()) for name, value in pairs.items()]
    return Request({"type": "http", "scheme": scheme, "path": "/", "query_string": b"", "headers": raw})


def _cookie(sessions: BrowserSessions, session: BrowserSession, request: Request | None = None) -> str:
    response = Response()
    sessions.keep(session, request or _request(), response)
    return response.headers["set-cookie"]


def _value(header: str) -> str:
    return header.partition("=")[2].partition(";")[0]


def test_the_cookie_holds_the_session_and_shows_nothing_of_it(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("of the installation")
    one, other = BrowserSessions(tmp_path / "secret"), BrowserSessions(tmp_path / "secret")
    session = new_session("glk.secret", "acme", "person/ola")

    sealed = _value(_cookie(one, session))

    assert "glk" not in sealed and "ola" not in sealed
    assert other.of(_request(sealed)) == session
    assert BrowserSessions(None).of(_request(sealed)) is None


@pytest.mark.parametrize("cookie", ["", "x", "AAAA", "A" * 4000, "=;", "å"])
def test_what_is_no_cookie_of_ours_is_nobody(cookie: str) -> None:
    assert BrowserSessions(None).of(_request(cookie)) is None


def test_a_changed_or_old_cookie_is_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    sessions = BrowserSessions(None)
    sealed = _value(_cookie(sessions, new_session("token")))
    changed = ("B" if sealed[20] == "A" else "A").join((sealed[:20], sealed[21:]))
    assert sessions.of(_request(changed)) is None

    monkeypatch.setattr(sessions_of, "SESSION_S", -1)
    assert sessions.of(_request(_value(_cookie(sessions, new_session("token"))))) is None


def test_over_tls_the_cookie_goes_over_tls_alone() -> None:
    sessions, session = BrowserSessions(None), new_session()
    assert "Secure" not in _cookie(sessions, session)
    assert "Secure" in _cookie(sessions, session, _request(scheme="https"))
    assert "Secure" in _cookie(sessions, session, _request(x_forwarded_proto="https"))


def test_a_credential_too_long_for_a_cookie_is_refused() -> None:
    with pytest.raises(ValueError, match="too long"):
        BrowserSessions(None).keep(new_session("x" * 4000), _request(), Response())


def test_a_form_is_one_sessions() -> None:
    session = new_session()
    assert session.owns_form(session.forms)
    assert not any(session.owns_form(one) for one in ("", "å", new_session().forms))


@pytest.mark.parametrize("stated", ["", "https://x.example", "//x.example", "/\\x.example", "/a\nb", "x"])
def test_one_goes_on_to_pages_of_ours_alone(stated: str) -> None:
    assert back_to(stated) == "/"
