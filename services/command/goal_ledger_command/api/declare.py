"""One declaration per command: its address, its body and the command that they make.

    @commands.post("/v1/units")
    @row(creates="/v1/units/{id}", unit="id")
    def create_unit(meta: Meta, body: NewUnit) -> CreateUnit: ...

The function is pure, and its signature is what FastAPI reads for OpenAPI: parameters of the path, the body (with a default:
it may be left out), the headers that ``Meta`` is asked with; the right is that of the command's row in the domain.
Everything else that a command needs (credential, roles, idempotency, If-Match, the append) is the same for all of them and
lies in ``command_route.py`` and ``shell.py``.
"""

from __future__ import annotations

import inspect
import typing
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from goal_ledger_command.api.answers import AnswerDocument
from goal_ledger_command.api.values import CommandBody
from goal_ledger_command.credentials import KeyMaker
from goal_ledger_command.shell import Shell
from goal_ledger_domain.command import Meta

Function = TypeVar("Function", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class MoreMembers:
    """More members of an answer, the same when it is replayed: read from the record after the command."""

    document: type[AnswerDocument]
    members: Callable[[Shell, str, Mapping[str, str]], Awaitable[dict[str, Any]]]
    """Of the workspace and the path's parameters."""


@dataclass(frozen=True, slots=True)
class CommandRow:
    """What a command's signature does not say."""

    creates: str | None = None
    """Where what is created can be read, on the query service, with ``{id}`` (of a comment or kudos, whose id is known
    within its objective, ``{objective}`` besides); None: the command acts on what is there."""
    tells: MoreMembers | None = None
    """What the answer says besides."""
    names: Mapping[str, str] = field(default_factory=dict)
    """What the deciders call otherwise: their field → the body's member or the path's parameter."""


_NOTHING_MORE = CommandRow()


def row(
    *, creates: str | None = None, tells: MoreMembers | None = None, **names: str
) -> Callable[[Function], Function]:
    """Say of the command below what its signature does not; see :class:`CommandRow`."""

    def said(function: Function) -> Function:
        function.row = CommandRow(creates, tells, names)  # type: ignore[attr-defined]
        return function

    return said


@dataclass(frozen=True, slots=True)
class Declared:
    path: str
    function: Callable[..., Any]
    body: type[CommandBody]
    body_may_be_left_out: bool
    parameters: tuple[str, ...]
    """Names of the path's parameters."""
    command: type
    issues_key: bool
    """The function also takes a :class:`KeyMaker`; the key it makes is shown in the first answer."""
    row: CommandRow

    @staticmethod
    def of(path: str, function: Callable[..., Any]) -> Declared:
        """Raises TypeError for a function that does not take the path's parameters."""
        hints, taken = typing.get_type_hints(function), inspect.signature(function).parameters
        parameters = tuple(name for name in taken if name not in ("meta", "body", "maker"))
        if parameters != tuple(part[1:-1] for part in path.split("/") if part.startswith("{")):
            raise TypeError(f"{function.__name__} does not take the parameters of {path}")
        return Declared(
            path=path,
            function=function,
            body=hints["body"],
            body_may_be_left_out=taken["body"].default is not inspect.Parameter.empty,
            parameters=parameters,
            command=hints["return"],
            issues_key="maker" in hints,
            row=getattr(function, "row", _NOTHING_MORE),
        )

    def place(self, field: str | None) -> str | None:
        """Where a decider's field lies in the request: a JSON pointer into the body, or the path's parameter by name.

        None: it is not in the request.
        """
        if field is None:
            return None
        name, slash, below = field.partition("/")
        name = self.row.names.get(name, name)
        if name in self.parameters:
            return name
        return f"/{name}{slash}{below}" if name in self.body.model_fields else None

    def make(
        self, meta: Meta, path_parameters: Mapping[str, str], body: CommandBody, maker: KeyMaker | None
    ) -> Any:
        """The command."""
        if maker is None:
            return self.function(meta, **path_parameters, body=body)
        return self.function(meta, **path_parameters, body=body, maker=maker)
