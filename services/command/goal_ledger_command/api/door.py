"""Who asks, and whether they may: the same at every route of a listener."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from goal_ledger_command.api.routes import problem_of
from goal_ledger_command.shell import Shell
from goal_ledger_domain.access import held_by
from goal_ledger_domain.authorise import authorise_somewhere
from goal_ledger_domain.world import World
from goal_ledger_edge.credentials import Credential, Service, credential_of, credential_or_service
from goal_ledger_edge.gate import caller_of
from goal_ledger_edge.problems import Problem
from goal_ledger_edge.routing import right_of
from goal_ledger_edge.tokens import TokenVerifier
from goal_ledger_edge.visits import Visit
from starlette.requests import Request
from starlette.types import Scope

IN_SCOPE = "goal_ledger.door"


@dataclass(frozen=True, slots=True)
class Caller:
    """A person or a system that may ask, and the state of about now."""

    credential: Credential
    actor: str
    held: Collection[str]
    world: World


@dataclass(frozen=True, slots=True)
class Door:
    """One listener's: ``internal`` says whether service tokens are accepted on it, ``signs_heads`` whether the
    installation has a key for heads, so that there are proofs."""

    shell: Shell
    verifier: TokenVerifier
    internal: bool
    max_command_bytes: int
    signs_heads: bool

    async def sign_in(self, authorization: str | None, visit: Visit) -> Credential | Service:
        """Who asks, for the gate. Problem 401; 403 for a person whom the workspace does not know; 503."""
        shown = credential_or_service if self.internal else credential_of
        credential = await shown(authorization, self.verifier)
        if isinstance(credential, Service):
            visit.actor = f"service/{credential.name}"
            return credential
        try:
            actor, _ = await self.shell.actor_and_world(credential)
        except Exception as failed:
            problem = problem_of(failed)
            if problem is None:
                raise
            raise problem from failed
        visit.actor, visit.workspace = actor, credential.workspace
        return credential

    async def allowed(self, request: Request) -> Caller:
        """Who asks, if they have the right that the route declares, at least over something. Problem 403 for a service.
        Refuses ``not_allowed``."""
        credential = credential_in(request.scope)
        actor, world = await self.shell.actor_and_world(credential)
        held = held_by(world, actor)
        authorise_somewhere(world, actor, held, right_of(request))
        return Caller(credential, actor, held, world)


def door_of(scope: Scope) -> Door:
    """The listener's, at which the request came in."""
    door: Door = scope[IN_SCOPE]
    return door


def service_in(scope: Scope) -> Service | None:
    """The service that asks, on the internal listener; None: somebody else asks."""
    found: Credential | Service = caller_of(scope)
    return found if isinstance(found, Service) else None


def credential_in(scope: Scope) -> Credential:
    """Of a person or a key. Problem 403 for a service."""
    found: Credential | Service = caller_of(scope)
    if isinstance(found, Service):
        raise Problem(403, "not_allowed", "Services read the log and the keys of texts, and no more.")
    return found
