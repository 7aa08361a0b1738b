"""Run inside a container of ours: sends its second argument to the topic that its first one names."""

import asyncio
import sys

from aiokafka import AIOKafkaProducer


async def main(topic: str, record: str) -> None:
    async with AIOKafkaProducer(bootstrap_servers="kafka:9092", acks="all") as producer:
        await producer.send_and_wait(topic, record.encode())


asyncio.run(main(*sys.argv[1:3]))
