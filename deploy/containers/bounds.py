"""What the gateway refuses by itself: a problem document each, and half requests are closed."""

from __future__ import annotations

from containers.asking import Gateway
from containers.engine import expect

MIB = 1024 * 1024
HALF_REQUESTS = 20
CLOSED_WITHIN_S = 40.0
HALVES = {
    "a head": b"GET /v1/objectives HTTP/1.1\r\nHost: goal-ledger\r\n",
    "a body": b"POST /v1/units HTTP/1.1\r\nHost: goal-ledger\r\nContent-Length: 100\r\n\r\n{",
}
REFUSED = {
    "a header of 10,000 bytes": ("GET /v1/units", f"X-Long: {'a' * 10_000}", 431, "headers_too_large"),
    "20,000 headers": ("GET /v1/units", "\r\n".join(["X: a"] * 20_000), 431, "headers_too_large"),
    "200 headers": ("GET /v1/units", "\r\n".join(["X: a"] * 200), 431, "headers_too_large"),
    "a path of 10,000 bytes": (f"GET /v1/{'a' * 10_000}", "X: a", 414, "address_too_long"),
    "17 MiB, before they are sent": (
        "POST /v1/imports",
        f"Content-Length: {17 * MIB}",
        413,
        "body_too_large",
    ),
    "a length that is no number": ("POST /v1/units", "Content-Length: many", 400, "malformed_request"),
    "an encoding of transfers that is not known": (
        "POST /v1/units",
        "Transfer-Encoding: gzip",
        400,
        "malformed_request",
    ),
    "a broken escape": ("GET /v1/units/%zz", "X: a", 400, "malformed_request"),
    "TRACE": ("TRACE /v1/units", "X: a", 405, "method_not_allowed"),
}


def see_bounds(gateway: Gateway) -> None:
    """Raises Failed where one does not hold."""
    print("bounds and refusals of the gateway:", flush=True)
    for what, (line, header, status, code) in REFUSED.items():
        answer = gateway.send_raw(f"{line} HTTP/1.1\r\nHost: goal-ledger\r\n{header}\r\n\r\n".encode())
        expect(answer.refused == (status, code), f"{what}: {status} {code}", answer)
    for what, half in HALVES.items():
        closed = gateway.closed_after_s(half, HALF_REQUESTS)
        expect(closed < CLOSED_WITHIN_S, f"{HALF_REQUESTS} halves of {what} were closed after {closed:.0f} s")
    _see_addresses(gateway)


def _see_addresses(gateway: Gateway) -> None:
    answer = gateway.ask("/v1/objectives/grow")
    expect(answer.refused == (401, "unauthenticated"), "without a token it is 401", answer)
    answer = gateway.ask("/metrics", gateway.token)
    expect(answer.status == 404, "/metrics is 404: it stands on the internal listeners", answer)
    for path in ("/v1/objectives/draft%2factivate", "/command/v1/objectives/draft%2factivate"):
        answer = gateway.ask(path, gateway.token, {})
        expect(answer.refused == (404, "not_found"), f"{path} is 404: an encoded slash parts nothing", answer)
