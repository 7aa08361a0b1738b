"""An export on its way: begun in memory, so that a small one has its length and digest, and what is wrong at once is
refused as usual; then streamed as fast as the client reads."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any

from goal_ledger_contracts.canonical import instant_text
from goal_ledger_edge.problems import Problem
from goal_ledger_observability.logs import logger
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from goal_ledger_projection.api.answers import respond
from goal_ledger_projection.api.clocks import CALCULATION, Clocks
from goal_ledger_projection.api.routes import question_of
from goal_ledger_projection.exports.arrow import arrow_schema
from goal_ledger_projection.exports.pyarrow_later import load_pyarrow, pa
from goal_ledger_projection.exports.schemas import Dataset
from goal_ledger_projection.exports.writers import FileForm, Outflow, digest_header

BEGUN_BYTES = 1_000_000
"""What is not longer is answered whole."""
CHUNK_BYTES = 256_000
TOKEN_HEADER = "Goal-Ledger-Token"
CALCULATION_HEADER = "Goal-Ledger-Calculation"
SCHEMA_HEADER = "Goal-Ledger-Schema"
DIGEST_HEADER = "Repr-Digest"
WANTED_DIGEST_HEADER = "Want-Repr-Digest"

log = logger("goal_ledger.query.exports")


@dataclass(frozen=True, slots=True)
class Export:
    """What is exported, of whom, in which form."""

    request: Request
    clocks: Clocks
    dataset: Dataset
    form: FileForm

    def metadata(self) -> dict[str, str]:
        """What a file says of itself: enough to have it again, byte for byte."""
        said = {
            "dataset": self.dataset.name,
            "schema": self.dataset.schema,
            "token": str(self.clocks.token),
            "position": str(self.clocks.known),
            "as_of": instant_text(self.clocks.as_of),
            "calculation": CALCULATION,
            "question": question_of(self.request, "format"),
        }
        return {f"goal-ledger.{name}": value for name, value in said.items()}

    def headers(self) -> dict[str, str]:
        """Besides those of every answer."""
        return {
            TOKEN_HEADER: str(self.clocks.token),
            CALCULATION_HEADER: CALCULATION,
            SCHEMA_HEADER: self.dataset.schema,
            "Content-Disposition": f'attachment; filename="{self.dataset.name}.{self.form.word}"',
            "Vary": "Authorization, Accept",
        }


async def written(export: Export, pages: AsyncIterator[pa.Table], out: Outflow) -> AsyncIterator[bytes]:
    """The bytes of the file, some at a time; the arithmetic runs in a thread."""
    await asyncio.to_thread(load_pyarrow)
    schema = arrow_schema(export.dataset, export.metadata())
    writer = await asyncio.to_thread(export.form.writer, schema, out)
    try:
        async for page in pages:
            await asyncio.to_thread(writer.write, page)
            if out.waiting_bytes >= CHUNK_BYTES:
                yield out.take()
    except pa.ArrowInvalid as odd:
        sentence = f"A value has no place in the schema {export.dataset.schema}: {odd}"
        raise Problem(422, "invalid", sentence) from odd
    await asyncio.to_thread(writer.finish)
    yield out.take()


async def delivered(export: Export, pages: Callable[[], AsyncIterator[pa.Table]]) -> Response:
    """The answer. Whoever wants the digest of a long one in its head waits until it was made once, for nothing but that."""
    out = Outflow()
    chunks = written(export, pages(), out)
    begun: list[bytes] = []
    async for chunk in chunks:
        begun.append(chunk)
        if sum(map(len, begun)) > BEGUN_BYTES:
            break
    else:
        answer = respond(export.request, export.clocks, b"".join(begun), export.form.media_type)
        answer.headers.update({**export.headers(), DIGEST_HEADER: digest_header(out.digest)})
        return answer
    if "sha-256" not in export.request.headers.get(WANTED_DIGEST_HEADER, ""):
        return _streamed(export, begun, chunks, None)
    async for _ in chunks:
        pass
    return _streamed(export, [], written(export, pages(), Outflow()), out.digest)


def _streamed(
    export: Export, begun: list[bytes], rest: AsyncIterator[bytes], known_digest: bytes | None
) -> Response:
    like_all = respond(export.request, export.clocks, b"")
    del like_all.headers["etag"], like_all.headers["content-length"], like_all.headers["content-type"]
    answer = ExportStream(export, begun, rest)
    answer.headers.update({**like_all.headers, **export.headers()})
    if known_digest is not None:
        answer.headers[DIGEST_HEADER] = digest_header(known_digest)
    return answer


class ExportStream(StreamingResponse):
    """Cut off in the middle it has no end, so that no half file looks whole. A client that hangs up ends it at once."""

    def __init__(self, export: Export, begun: list[bytes], rest: AsyncIterator[bytes]) -> None:
        super().__init__(_joined(begun, rest), media_type=export.form.media_type)
        self._rest: Any = rest
        self._dataset = export.dataset.name

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        except* Problem as broken:
            why = [str(one) for one in broken.exceptions]
            log.warning("export cut off", dataset=self._dataset, why=why)
            raise
        finally:
            await self._rest.aclose()


async def _joined(begun: list[bytes], rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    while begun:
        yield begun.pop(0)
    async for chunk in rest:
        yield chunk
