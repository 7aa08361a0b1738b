"""The pages' own style sheet and script: served from here, with an ETag, under an address that changes with them."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response

FOLDER = Path(__file__).parent / "static"
TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
KEPT = "public, max-age=31536000, immutable"


@cache
def _asset(name: str) -> tuple[bytes, str]:
    """Its bytes and their digest. Raises KeyError."""
    found = {path.name: path for path in FOLDER.iterdir() if path.suffix in TYPES}
    raw = found[name].read_bytes()
    return raw, hashlib.sha256(raw).hexdigest()[:16]


def asset_address(name: str) -> str:
    """Where a page finds it."""
    return f"/assets/{_asset(name)[1]}/{name}"


async def asset(request: Request) -> Response:
    """The file; 304 if the browser has it."""
    name = request.path_params["name"]
    try:
        raw, digest = _asset(name)
    except KeyError:
        return Response(status_code=404)
    headers = {"ETag": f'"{digest}"', "Cache-Control": KEPT, "X-Content-Type-Options": "nosniff"}
    if request.path_params["digest"] != digest:
        headers["Cache-Control"] = "no-cache"
    if request.headers.get("if-none-match") == headers["ETag"]:
        return Response(status_code=304, headers=headers)
    return Response(raw, media_type=TYPES[Path(name).suffix], headers=headers)
