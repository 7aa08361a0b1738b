"""Readings into an emitter's inbox, by a plain Kafka producer. Job: ``bootstrap``, ``topic``, ``run``, ``readings``."""

from __future__ import annotations

import asyncio
from typing import Any

from aiokafka import AIOKafkaProducer

from benchmarks.programs.events import event
from benchmarks.programs.job import run_async

HEADERS = [("content-type", b"application/cloudevents+json")]
AT_ONCE = 5_000


async def work(job: dict[str, Any]) -> dict[str, Any]:
    producer = AIOKafkaProducer(bootstrap_servers=job["bootstrap"], acks="all", enable_idempotence=True)
    await producer.start()
    try:
        for start in range(0, job["readings"], AT_ONCE):
            numbers = range(start, min(job["readings"], start + AT_ONCE))
            await asyncio.gather(
                *[await producer.send(job["topic"], event(job["run"], n), headers=HEADERS) for n in numbers]
            )
    finally:
        await producer.stop()
    return {"sent": job["readings"]}


if __name__ == "__main__":
    run_async(work)
