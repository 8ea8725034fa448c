"""The Faust agent of a stage: it moves messages into the checkpoint and decides nothing."""

import asyncio
from typing import Any, cast

import faust

from streams.app import StageApp
from streams.checkpoint import Checkpoint
from streams.guard import stop_process


def serve(stage: str, app: StageApp, checkpoint: Checkpoint, topics: tuple[str, ...]) -> None:
    """Registers the agent that moves messages into the checkpoint, and its timer."""
    channel = app.topic(*topics, value_serializer="raw", key_serializer="raw", value_type=bytes, key_type=bytes)

    @app.agent(channel, name=f"lidm.{stage}", concurrency=1)  # faust#606: more would commit past unfinished blocks
    async def fold(stream: faust.StreamT[bytes]) -> None:
        async for event in cast(Any, stream).noack().events():
            try:
                if await checkpoint.ready(event.message.partition):
                    checkpoint.fold(event)
                await checkpoint.between()
            except asyncio.CancelledError:
                raise
            except BaseException as error:
                stop_process(stage, error)

    @app.task  # type: ignore[untyped-decorator]
    async def on_time() -> None:
        while not app.should_stop:
            await asyncio.sleep(checkpoint.pause_seconds)
            await checkpoint.when_due()
