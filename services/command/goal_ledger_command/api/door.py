"""What routes that are no plain commands share: who asks, what they may, and refusals as problem documents."""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import ParamSpec, TypeVar

from goal_ledger_command.api.refusals import of_ledger_error, of_refusal
from goal_ledger_command.credentials import Credential, Service, credential_of
from goal_ledger_command.shell import Shell
from goal_ledger_domain.refusals import Refusal
from goal_ledger_edge.gate import caller_of
from goal_ledger_edge.parameters import need_known_parameters
from goal_ledger_edge.problems import Problem
from goal_ledger_edge.tokens import TokenVerifier
from goal_ledger_edge.visits import Visit
from goal_ledger_ledger.store import is_passing
from goal_ledger_ledger.submission import LedgerError
from starlette.requests import Request
from starlette.types import Scope

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Door:
    """One listener's: ``internal`` says whether service tokens are accepted on it."""

    shell: Shell
    verifier: TokenVerifier
    internal: bool

    async def sign_in(self, authorization: str | None, visit: Visit) -> Credential | Service:
        """Who asks, for the gate. Problem 401; 403 for a person whom the workspace does not know; 503."""
        credential = await credential_of(authorization, self.verifier, service=self.internal)
        if isinstance(credential, Service):
            visit.actor = f"service/{credential.name}"
            return credential
        actor, _ = await guarded(self.shell.actor_and_world)(credential)
        visit.actor, visit.workspace = actor, credential.workspace
        return credential

    def credential(self, request: Request) -> Credential:
        """Problem 403 for a service; and 422 for a query parameter that the route does not have."""
        found = credential_in(request.scope)
        need_known_parameters(request)
        return found

    def service(self, request: Request) -> Service | None:
        """The service that asks, on the internal listener; None: somebody else asks. Problem 422 as above."""
        found: Credential | Service = caller_of(request.scope)
        if not isinstance(found, Service):
            return None
        need_known_parameters(request)
        return found


def credential_in(scope: Scope) -> Credential:
    """Of a person or a key. Problem 403 for a service."""
    found: Credential | Service = caller_of(scope)
    if isinstance(found, Service):
        raise Problem(403, "not_allowed", "Services read the log and the keys of texts, and no more.")
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
