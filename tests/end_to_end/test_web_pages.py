"""The pages over the running demo, as a browser without JavaScript meets them."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import pytest
from goal_ledger_client import GoalLedger
from goal_ledger_local.stack import Stack
from goal_ledger_projection.pages.session import BrowserSessions, new_session
from starlette.requests import Request
from starlette.responses import Response

EVERY_PAGE = (
    "/",
    "/goals",
    "/goals/web-shop",
    "/goals/web-shop/explain",
    "/key-results/first-month/explain",
    "/key-results/market/check-in",
    "/check-ins/market-13/correct",
    "/map",
    "/map?root=delivery",
    "/units/commerce",
    "/cycles",
    "/cycles/launch",
    "/audit",
    "/feeds",
    "/people",
)


class Browser:
    """Follows links and sends forms; keeps cookies."""

    def __init__(self, url: str) -> None:
        self.http = httpx2.Client(base_url=url, follow_redirects=True, timeout=20)

    def get(self, path: str, **headers: str) -> httpx2.Response:
        return self.http.get(path, headers={"Accept": "text/html", **headers})

    def post(self, path: str, of: httpx2.Response, **fields: Any) -> httpx2.Response:
        hidden = {name: field(of, name) for name in ("form", "key") if f'name="{name}"' in of.text}
        return self.http.post(path, data={**hidden, **fields})

    def sign_in(self, person: str) -> Browser:
        self.post("/sign-in", self.get("/sign-in"), person=person, next="/")
        return self


def field(of: httpx2.Response, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', of.text)
    assert found is not None, name
    return html.unescape(found[1])


def text(of: httpx2.Response) -> str:
    """What a reader sees of the main part."""
    main = of.text.partition("<main")[2].partition("</main>")[0]
    return " ".join(html.unescape(re.sub("<[^>]+>", " ", main)).split())


@pytest.fixture
def browser(demo: Stack) -> Iterator[Browser]:
    opened = Browser(demo.describe()["pages_url"])
    yield opened
    opened.http.close()


def test_who_is_not_signed_in_is_led_there_and_back(browser: Browser) -> None:
    asked = browser.get("/goals?q=shop")
    assert (asked.url.path, "one click is enough" in asked.text) == ("/sign-in", True)

    seen = browser.post("/sign-in", asked, person="ola", next=field(asked, "next"))

    assert (seen.url.path, seen.url.params["q"]) == ("/goals", "shop")
    assert "Produce and complete a well-functioning web shop" in seen.text


def test_every_page_is_shown_in_both_languages_under_a_strict_policy(browser: Browser) -> None:
    browser.sign_in("kari")
    for language in ("en", "nb"):
        for path in EVERY_PAGE:
            seen = browser.get(path, **{"Accept-Language": language})
            assert (seen.status_code, f'<html lang="{language}">' in seen.text) == (200, True), path
            assert "default-src 'none'" in seen.headers["Content-Security-Policy"], path
            assert " style=" not in seen.text and "<style" not in seen.text, path
            assert not re.search(r'(?:src|href|action)="(?:https?:)?//', seen.text), path


def test_the_cookie_is_kept_from_scripts_and_other_sites_and_ends_with_the_session(browser: Browser) -> None:
    form = browser.get("/sign-in")
    browser.http.follow_redirects = False
    entered = browser.post("/sign-in", form, person="ola", next="//elsewhere.example/")
    cookie = entered.headers["Set-Cookie"].lower()

    assert (entered.status_code, entered.headers["Location"]) == (303, "/")
    assert "httponly" in cookie and "samesite=lax" in cookie
    week = browser.get("/")
    left = browser.post("/sign-out", week)
    assert left.status_code == 303
    assert browser.get("/").headers["Location"] == "/sign-in"


def test_a_credential_that_counts_no_more_ends_the_session(browser: Browser, demo: Stack) -> None:
    response = Response()
    sealed = BrowserSessions(demo.credentials.pages_secret_file)
    asked = Request({"type": "http", "scheme": "http", "path": "/", "headers": [(b"host", b"127.0.0.1")]})
    sealed.keep(new_session("glk.made.up", "nordlys", "person/ola"), asked, response)
    name, _, value = response.headers["set-cookie"].partition(";")[0].partition("=")
    browser.http.cookies.set(name, value)

    seen = browser.get("/goals")

    assert (seen.url.path, "Your session is over" in seen.text) == ("/sign-in", True)
    assert "Sign out" not in seen.text


def test_a_form_of_another_session_or_site_does_nothing(browser: Browser) -> None:
    browser.sign_in("ola")
    page = browser.get("/goals/packing")

    foreign = browser.http.post("/goals/packing/comments", data={"form": "made up", "key": "k", "text": "no"})
    other_site = browser.http.post(
        "/goals/packing/comments",
        data={"form": field(page, "form"), "key": "k", "text": "no"},
        headers={"Origin": "https://elsewhere.example"},
    )

    assert (foreign.status_code, other_site.status_code) == (403, 403)
    assert "does not count any more" in foreign.text


def test_a_check_in_is_seen_at_its_position_and_moves_the_parent_once(browser: Browser) -> None:
    browser.sign_in("jonas")
    before = parent_score(browser)
    form = browser.get("/key-results/parcels/check-in")
    said = {"part.value": "25,5", "confidence": "0.8", "note": "Bedre <b>esker</b>", "method": "manual"}
    browser.get("/?lang=nb")

    seen = browser.post("/key-results/parcels/check-in", form, **said)
    again = browser.post("/key-results/parcels/check-in", form, **said)

    assert (seen.url.path, again.url.params["position"]) == ("/goals/packing", seen.url.params["position"])
    assert "25,5 parcels/h" in text(seen) and "&lt;b&gt;esker" in seen.text
    assert text(again).count("Bedre <b>esker</b>") == 1
    assert parent_score(browser) != before


def parent_score(browser: Browser) -> str:
    found = re.search(r'<dl class="facts">.*?</dl>', browser.get("/goals/delivery").text, re.DOTALL)
    assert found is not None
    return re.sub("<[^>]+>|\\s", "", found[0]).partition("%")[0]


def test_my_week_and_a_units_ask_what_is_owed_and_who_is_silent(browser: Browser, demo: Stack) -> None:
    browser.sign_in("jonas")
    token = demo.mint_token("jonas", "nordlys")
    of = demo.describe()
    with GoalLedger(of["command_url"], of["query_url"], token) as jonas:
        owed = [one for one in jonas.query("/v1/owed")["items"] if one["owed"] or one["overdue"]]
        silent = jonas.query("/v1/silent", unit="company")

    week, unit = browser.get("/"), browser.get("/units/company")

    assert week.text.count('<article class="kr">') == len(owed)
    assert f"Spoken for : {silent['total'] - silent['silent']} / {silent['total']}" in text(unit).replace(
        "for:", "for :"
    )


def test_a_check_in_is_corrected_with_its_reason(browser: Browser) -> None:
    browser.sign_in("jonas")
    form = browser.get("/check-ins/returns-16/correct")
    assert field(form, "part.value") == "4.2"

    seen = browser.post(
        "/check-ins/returns-16/correct", form, **{"part.value": "4.3", "reason": "Read again"}
    )

    assert seen.url.path == "/goals/delivery"
    assert "4.3 %" in text(seen) and "CheckInCorrected" in text(seen) and "Read again" in text(seen)


def test_a_refusal_stands_beside_its_field_with_what_was_written(browser: Browser) -> None:
    browser.sign_in("jonas")
    form = browser.get("/key-results/hours/check-in")

    seen = browser.post("/key-results/hours/check-in", form, **{"part.value": "many", "note": "kept"})

    assert (seen.status_code, field(seen, "key")) == (422, field(form, "key"))
    assert 'aria-invalid="true" aria-describedby="why-values"' in seen.text
    assert 'id="why-values">A decimal' in seen.text and ">kept</textarea>" in seen.text


def test_words_and_kudos_stand_under_the_goal(browser: Browser) -> None:
    browser.sign_in("ingrid")
    goal = browser.get("/goals/newsletter")

    said = browser.post("/goals/newsletter/comments", goal, text="Photos on Friday")
    thanked = browser.post("/goals/newsletter/kudos", said, text="")
    empty = browser.post("/goals/newsletter/comments", thanked, text=" ")

    assert "Photos on Friday" in text(said) and "Well done!" in text(thanked)
    assert (empty.status_code, 'id="why-text"' in empty.text) == (422, True)


def test_a_reading_in_quarantine_is_released_with_a_reason(browser: Browser, demo: Stack) -> None:
    reading = {
        "specversion": "1.0",
        "type": "goal-ledger.reading.v1",
        "source": "https://webshop.nordlys.example",
        "id": "sale-in-boxes",
        "time": "2026-01-05T13:00:00Z",
        "subject": "webshop.sales",
        "data": {"value": "1", "unit": "boxes"},
    }
    emitter = {"Authorization": f"Bearer {demo.describe()['tokens']['emitter']}"}
    receipt = httpx2.post(
        f"{demo.describe()['command_url']}/v1/readings",
        json=reading,
        headers={**emitter, "Content-Type": "application/cloudevents+json"},
    ).json()
    browser.sign_in("kari")
    waiting = browser.get(f"/feeds?position={receipt['position']}")
    assert "sale-in-boxes" in text(waiting)
    of_it = {name: reading[name] for name in ("source", "id")} | {"feed": "webshop.sales"}

    refused = browser.post("/feeds/release", waiting, **of_it)
    released = browser.post("/feeds/release", refused, **of_it, reason="One box is one sale")

    assert (refused.status_code, 'id="why-reading"' in refused.text) == (422, True)
    assert released.status_code == 200 and "sale-in-boxes" not in text(released)


def test_the_past_is_marked_and_its_address_lasts(browser: Browser) -> None:
    browser.sign_in("sofie")
    day = (datetime.now(UTC) - timedelta(days=10)).date().isoformat()

    past = browser.get(f"/goals/delivery?as_of={day}")
    lasting = re.search(r'<a href="([^"]*token=[^"]*)"', past.text)
    assert lasting is not None
    kept = browser.get(html.unescape(lasting[1]))

    assert 'class="past"' in past.text and f"as_of={day}" in past.text
    assert text(kept) == text(past)
    assert "Check in:" not in past.text


def test_the_record_is_for_those_who_may_read_it(browser: Browser) -> None:
    refused = browser.sign_in("ola").get("/audit")
    assert refused.status_code == 403 and "facts.read" in refused.text

    seen = browser.sign_in("per").get("/audit?stream=objective/packing")

    assert seen.status_code == 200 and "ObjectiveDrafted" in seen.text
    assert "goal-ledger.local" in seen.text  # the signed head


def test_what_cannot_be_shown_is_said_as_a_page(browser: Browser) -> None:
    browser.sign_in("ola")
    for path, status in (
        ("/goals/nope", 404),
        ("/no-such-page", 404),
        ("/goals?status=green", 422),
        ("/goals?token=1-1", 422),
        ("/goals?known_at=9-1", 422),
    ):
        seen = browser.get(path)
        assert (seen.status_code, "<h1>" in seen.text) == (status, True), path


def test_style_and_script_are_kept_by_the_browser(browser: Browser) -> None:
    address = re.search(r'href="(/assets/[^"]+\.css)"', browser.get("/sign-in").text)
    assert address is not None

    sheet = browser.get(address[1])
    again = browser.get(address[1], **{"If-None-Match": sheet.headers["ETag"]})

    assert "immutable" in sheet.headers["Cache-Control"]
    assert (again.status_code, again.content) == (304, b"")
    assert browser.get("/assets/x/..%2Fapp.py").status_code in (401, 404)


def test_a_program_meets_the_api_as_before(browser: Browser) -> None:
    asked = browser.http.get("/v1/objectives")
    nowhere = browser.http.get("/no-such-page")

    assert (asked.status_code, nowhere.status_code) == (401, 401)
    assert asked.headers["Content-Type"] == nowhere.headers["Content-Type"] == "application/problem+json"
