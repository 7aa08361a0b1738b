"""The installation in use: a workspace, commands, readings over HTTP and Kafka, questions; all through the gateway."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from typing import Any

from containers.asking import Gateway
from containers.engine import Engine, Failed, expect

WORKSPACE, SYSTEM, FEED, SOURCE = "acme", "shop", "shop.customers", "https://shop.acme.example"
ISSUER = "https://local.goal-ledger.invalid"
SHOWN_WITHIN_S = 90.0
MEASURE = {"kind": "increase", "baseline": "0", "target": "10", "unit": "customers"}
COMMANDS: Sequence[tuple[str, Mapping[str, Any]]] = (
    ("/v1/units", {"id": "company", "name": "Acme"}),
    ("/v1/systems", {"id": SYSTEM, "name": "The shop"}),
    ("/v1/roles/grant", {"holder": f"system/{SYSTEM}", "role": "emitter"}),
    (
        "/v1/feeds",
        {"name": FEED, "system": SYSTEM, "kind": "gauge", "unit": "customers", "interval": "P1D"},
    ),
    ("/v1/objectives", {"id": "grow", "title": "Grow", "owner": "unit/company"}),
    ("/v1/objectives/grow/key-results", {"id": "sign-ups", "text": "Sign up ten", "measure": MEASURE}),
    ("/v1/key-results/sign-ups/bind", {"part": "value", "feed": FEED, "aggregation": "last"}),
    ("/v1/objectives/grow/activate", {}),
    ("/command/v1/objectives", {"id": "draft", "title": "A draft", "owner": "unit/company"}),
)


class Walk:
    """What a person and a system do with one installation."""

    def __init__(self, engine: Engine, gateway: Gateway) -> None:
        self._engine, self._gateway = engine, gateway
        self._key = ""

    def use(self) -> None:
        """From nothing to an answer. Raises Failed."""
        self._make_the_workspace()
        self._set_goals()
        print("readings:", flush=True)
        self.send_reading("4")
        self.await_value("4")
        self._emit("9")
        self.await_value("9")

    def send_reading(self, value: str) -> None:
        """Over HTTP. Raises Failed."""
        event = _event(f"by-http-{value}", value)
        answer = self._gateway.post("/v1/readings", event, self._key, "application/cloudevents+json")
        expect(answer["receipt"]["outcome"] == "applied", f"{value} over HTTP was applied", answer)

    def await_value(self, value: str) -> None:
        """Until the answer through the gateway shows it. Raises Failed."""
        self._engine.await_true(
            lambda: self._value() == value, f"the key result shows {value}", within_s=SHOWN_WITHIN_S
        )
        score = self._gateway.get("/v1/objectives/grow")["objective"]["score"]
        expect(True, f"asked, the key result stands at {value} and its objective's score is {score}")

    def _value(self) -> object:
        parts = self._gateway.get("/v1/key-results/sign-ups").get("key_result", {}).get("parts", [{}])
        return parts[0].get("value")

    def _make_the_workspace(self) -> None:
        print("a workspace, by the operator's command line:", flush=True)
        operator = ("python", "-m", "goal_ledger_command", "operator", "create-workspace")
        admin = ("--admin-person", "ada", "--admin-name", "Ada", "--issuer", ISSUER, "--subject", "ada")
        named = ("--id", WORKSPACE, "--name", "Acme", "--time-zone", "Europe/Oslo")
        self._engine.exec("command", *operator, *named, *admin)
        signs = ("python", "-m", "goal_ledger_local", "token", "ada", WORKSPACE)
        self._gateway.token = self._engine.run_once("secrets", *signs, "--secrets", "/secrets/kept")
        expect(self._gateway.token.count(".") == 2, "its admin has a token of the local issuer")

    def _set_goals(self) -> None:
        print("commands through the gateway:", flush=True)
        for path, body in COMMANDS:
            self._gateway.command(path, body)
        issued = self._gateway.command("/v1/keys-issued", {"holder": f"system/{SYSTEM}"})
        self._key = str(issued["key"])
        expect(True, f"{len(COMMANDS) + 1} commands were recorded, the last one at {self._gateway.position}")

    def _emit(self, value: str) -> None:
        topic, id = f"progress.readings.{WORKSPACE}.{SYSTEM}", f"by-kafka-{value}"
        record = json.dumps(_event(id, value))
        self._engine.await_true(lambda: self._emitted(topic, record), f"{topic} takes a reading")
        asked = f"/v1/receipts?source={SOURCE}&id={id}"
        applied = lambda: self._gateway.get(asked, self._key).get("outcome") == "applied"  # noqa: E731
        self._engine.await_true(applied, "its receipt says applied")
        expect(True, f"{value} over Kafka was applied: its receipt says so")

    def _emitted(self, topic: str, record: str) -> bool:
        try:
            self._engine.ask_inside("command", "emit.py", topic, record)
        except Failed:
            return False
        return True


def _event(id: str, value: str) -> dict[str, Any]:
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    named = {"specversion": "1.0", "type": "goal-ledger.reading.v1", "source": SOURCE, "id": id}
    return named | {"time": now, "subject": FEED, "data": {"value": value}}
