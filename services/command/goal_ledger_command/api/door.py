"""What routes that are no plain commands share: who asks, what they may, and refusals as problem documents."""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import ParamSpec, TypeVar

from goal_ledger_command.api.refusals import of_ledger_error, of_refusal
from goal_ledger_command.credentials import Credential, Service, credential_of, service_of
from goal_ledger_command.shell import Shell
from goal_ledger_domain.refusals import Refusal
from goal_ledger_edge.parameters import need_known_parameters
from goal_ledger_edge.problems import Problem
from goal_ledger_edge.tokens import TokenVerifier
from goal_ledger_ledger.store import is_passing
from goal_ledger_ledger.submission import LedgerError
from starlette.requests import Request

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Door:
    """One listener's: ``internal`` says whether service tokens are accepted on it."""

    shell: Shell
    verifier: TokenVerifier
    internal: bool

    def credential(self, request: Request) -> Credential:
        """Problem 401; and 422 for a query parameter that the route does not have."""
        found = credential_of(request.headers.get("authorization"), self.verifier)
        need_known_parameters(request)
        return found

    def service(self, request: Request) -> Service | None:
        """The service that asks, on the internal listener; None: somebody else asks. Problem 401, 422 as above."""
        if not self.internal:
            return None
        found = service_of(request.headers.get("authorization"), self.verifier)
        if found is not None:
            need_known_parameters(request)
        return found


def guarded(route: Callable[P, Awaitable[T]]) -> Callable[P, Awaitable[T]]:
    """The route, its refusals and ledger errors raised as problems."""

    @functools.wraps(route)
    async def run(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return await route(*args, **kwargs)
        except Refusal as refused:
            raise of_refusal(refused) from None
        except LedgerError as failed:
            raise of_ledger_error(failed) from failed
        except Exception as failed:
            if not is_passing(failed):
                raise
            sentence = "A database cannot be reached now. Send it again."
            raise Problem(503, "unavailable", sentence, headers={"Retry-After": "1"}) from failed

    return run
