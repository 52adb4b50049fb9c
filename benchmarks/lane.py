"""The fast lane alone: nothing but request and answer, as fast as they go. `pipeline` runs it beside wrk.

`python -m benchmarks.lane URL COUNT IN_FLIGHT [CA_FILE]` prints requests a second and CPU µs each.
"""

from __future__ import annotations

import asyncio
import sys
import time

from fetcher.clock import SystemClock
from fetcher.model import NoReply, Reply, Request
from fetcher.run.event_loop import with_loop
from fetcher.transport import FastTransport


async def main(url: str, count: int, in_flight: int, ca_file: str | None) -> None:
    """As a run drives it: by callbacks, the next request as soon as one is answered."""
    origin, _, target = url.partition("/openapi")
    transport = FastTransport(origin, clock=SystemClock(), ca_file=ca_file)
    await transport.warm(in_flight)
    request = Request("GET", f"/openapi{target}")
    ended = asyncio.get_running_loop().create_future()
    begun = answered = 0

    def start() -> None:
        nonlocal begun
        begun += 1
        connection = transport.take()
        assert connection is not None
        connection.start(request, 30, done)

    def done(reply: Reply | NoReply) -> None:
        nonlocal answered
        answered += 1
        if ended.done():
            return
        if not isinstance(reply, Reply) or reply.status != 200:
            ended.set_exception(RuntimeError(f"no answer: {reply!r}"))
        elif begun < count:
            start()
        elif answered == count:
            ended.set_result(None)

    started_s, cpu_s = time.perf_counter(), time.process_time()
    for _ in range(in_flight):
        start()
    await ended
    seconds, cpu_s = time.perf_counter() - started_s, time.process_time() - cpu_s
    await transport.aclose()
    print(f"{count / seconds:.0f} {cpu_s / count * 1e6:.2f}")


if __name__ == "__main__":
    with_loop(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4] if len(sys.argv) > 4 else None))
