"""The wire form of the fact classes: dataclass to JSON object and back, derived once per class from its type hints.

A field that is None, or an empty tuple, is left out where that is its default: an optional list that is there and
empty (no step of a checklist done any more) is written ``[]``. A measure is written with its ``kind``. Unknown fields on
the way in are an error: nothing is dropped silently.
"""

from __future__ import annotations

import dataclasses
import functools
import types
import typing
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from json.encoder import encode_basestring as quoted
from typing import Any, Union

from goal_ledger_contracts.canonical import decimal_text, instant_text, parse_decimal, parse_instant
from goal_ledger_contracts.personal import Sealed

Codec = tuple[Callable[[Any], Any], Callable[[Any], Any]]


class NotWireForm(ValueError):
    """The JSON does not have the shape of the class; the message names the class and the field."""


def _same(value: Any) -> Any:
    return value


def _exactly(kind: type) -> Callable[[Any], Any]:
    def decode(value: Any) -> Any:
        if type(value) is not kind:
            raise NotWireForm(f"expected {kind.__name__}, got {type(value).__name__}")
        return value

    return decode


_PLAIN: dict[Any, Codec] = {
    str: (_same, _exactly(str)),
    int: (_same, _exactly(int)),
    bool: (_same, _exactly(bool)),
    Decimal: (decimal_text, parse_decimal),
    datetime: (instant_text, parse_instant),
    date: (date.isoformat, date.fromisoformat),
}


@functools.cache
def codec(hint: Any) -> Codec:
    """The (encode, decode) pair of a type hint used in a fact class."""
    if hint in _PLAIN:
        return _PLAIN[hint]
    origin = typing.get_origin(hint)
    if origin is tuple:
        encode, decode = codec(typing.get_args(hint)[0])
        return (lambda many: [encode(one) for one in many]), (lambda many: tuple(decode(one) for one in many))
    if origin in (Union, types.UnionType):
        return _union_codec(tuple(a for a in typing.get_args(hint) if a is not type(None)))
    return _class_codec(hint)


def _union_codec(members: tuple[Any, ...]) -> Codec:
    if len(members) == 1:
        return codec(members[0])
    if set(members) == {str, Sealed}:
        sealed_encode, sealed_decode = codec(Sealed)
        return (
            lambda text: text if type(text) is str else sealed_encode(text),
            lambda text: text if type(text) is str else sealed_decode(text),
        )
    return _tagged_codec(members)


def _tagged_codec(members: tuple[Any, ...]) -> Codec:
    by_kind = {member.kind: codec(member) for member in members}

    def encode(value: Any) -> Any:
        body: dict[str, Any] = by_kind[value.kind][0](value)
        body["kind"] = value.kind
        return body

    def decode(body: Any) -> Any:
        kind = body.get("kind") if isinstance(body, dict) else None
        if kind not in by_kind:
            raise NotWireForm(f"kind is {kind!r}; known are {', '.join(sorted(by_kind))}")
        return by_kind[kind][1]({k: v for k, v in body.items() if k != "kind"})

    return encode, decode


def _class_codec(cls: Any) -> Codec:
    hints = typing.get_type_hints(cls)
    fields = [(f.name, *codec(hints[f.name])) for f in dataclasses.fields(cls)]
    omitted = {f.name: () if f.default == () else None for f in dataclasses.fields(cls)}
    encoders = [(name, encode, omitted[name]) for name, encode, _ in fields]
    decoders = {name: decode for name, _, decode in fields}

    def encode_object(value: Any) -> dict[str, Any]:
        body = {}
        for name, encode, left_out in encoders:
            one = getattr(value, name)
            if one is not None and one != left_out:
                body[name] = one if encode is _same else encode(one)
        return body

    def decode_object(body: Any) -> Any:
        if type(body) is not dict:
            raise NotWireForm(f"{cls.__name__} is written as an object")
        try:
            return cls(**{name: decoders[name](one) for name, one in body.items()})
        except KeyError as unknown:
            raise NotWireForm(f"{cls.__name__} has no field {unknown.args[0]!r}") from None
        except TypeError as bad:
            raise NotWireForm(f"{cls.__name__}: {bad}") from None

    return encode_object, decode_object


Writer = Callable[[Any], str]


def _integer(value: int) -> str:
    return ("true" if value else "false") if type(value) is bool else int.__repr__(value)


_WRITTEN: dict[Any, Writer] = {
    str: quoted,
    int: _integer,
    bool: _integer,
    Decimal: lambda value: f'"{decimal_text(value)}"',
    datetime: lambda value: f'"{instant_text(value)}"',
    date: lambda value: f'"{value.isoformat()}"',
}


@functools.cache
def _writer(hint: Any) -> Writer:
    """Writes the canonical JSON text of a type hint's values without making the JSON object first."""
    if hint in _WRITTEN:
        return _WRITTEN[hint]
    origin = typing.get_origin(hint)
    if origin is tuple:
        one = _writer(typing.get_args(hint)[0])
        return lambda many: f"[{','.join([one(each) for each in many])}]"
    if origin in (Union, types.UnionType):
        return _union_writer(tuple(a for a in typing.get_args(hint) if a is not type(None)))
    return _class_writer(hint)


def _union_writer(members: tuple[Any, ...]) -> Writer:
    if len(members) == 1:
        return _writer(members[0])
    if set(members) == {str, Sealed}:
        sealed = _writer(Sealed)
        return lambda text: quoted(text) if type(text) is str else sealed(text)
    by_kind = {member.kind: _class_writer(member, member.kind) for member in members}
    return lambda value: by_kind[value.kind](value)


def _class_writer(cls: Any, kind: str | None = None) -> Writer:
    """Compiled once for a class, as ``dataclass`` compiles ``__init__``: one expression that names each field in its
    place, with a comma before each that is there."""
    hints = typing.get_type_hints(cls)
    parts = {f.name: _part(f, hints[f.name]) for f in dataclasses.fields(cls)}
    if kind is not None:
        parts["kind"] = repr(f',"kind":{quoted(kind)}')
    source = (
        f"""lambda value: "{{" + ({" + ".join(parts[name] for name in sorted(parts)) or '""'})[1:] + "}}\""""
    )
    known = {f"write_{f.name}": _writer(hints[f.name]) for f in dataclasses.fields(cls)}
    writer: Writer = eval(source, known)
    return writer


def _part(field: dataclasses.Field[Any], hint: Any) -> str:
    """The expression for one field: nothing if it is left out."""
    value, label = f"value.{field.name}", repr(f',"{field.name}":')
    part = f"{label} + write_{field.name}({value})"
    if field.default == ():
        return f'({part} if {value} else "")'
    if type(None) in typing.get_args(hint):
        return f'("" if {value} is None else {part})'
    return part


def written(value: Any) -> str:
    """The canonical JSON text of a fact's data: that of :func:`encode`, in a third of the time."""
    hint: Any = type(value)
    return _writer(hint)(value)


def encode(value: Any) -> dict[str, Any]:
    """The JSON object of a fact's data (or of any dataclass these modules define)."""
    hint: Any = type(value)
    body: dict[str, Any] = codec(hint)[0](value)
    return body


def decode(hint: Any, body: Any) -> Any:
    """The value of type ``hint`` from its JSON. Raises :class:`NotWireForm` or ValueError."""
    return codec(hint)[1](body)
