"""The end of the embedded service: what its broker holds in memory is read to the end before it goes away."""

import asyncio
import time
from collections.abc import Callable, Iterable

from schemas.errors import Stop
from streams.stages import Stage

STOP_SECONDS = 25.0
READ_SECONDS = 15.0
_LABELS = {"intake": "接入", "monitor": "监测", "links": "跨户比对", "cases": "办理", "archive": "归档"}


async def stop_in_order(stages: Iterable[Stage], behind: Callable[[str], int]) -> None:
    """Stops the stages in the order of the stream, each when it has nothing left to read.

    `behind` says how many messages a stage has not read. Raises Stop when time ran out or somebody kept sending.
    """
    stages = list(stages)
    until = time.monotonic() + READ_SECONDS
    try:
        async with asyncio.timeout(STOP_SECONDS):
            for stage in stages:
                while await asyncio.to_thread(behind, stage.name) and time.monotonic() < until:
                    await asyncio.sleep(0.05)
                await stage.stop()
            left = {stage.name: await asyncio.to_thread(behind, stage.name) for stage in stages}
    except TimeoutError as error:
        raise Stop(f"各环节没有在 {STOP_SECONDS:.0f} 秒内停下") from error
    if any(left.values()):
        told = "、".join(f"{_LABELS.get(name, name)} {count} 条" for name, count in left.items() if count)
        raise Stop(f"停止时还有消息没有处理（{told}），已随内存消息服务丢失：请重新发布最后的文件")
