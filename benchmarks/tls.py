"""TLS beside plain HTTP: the pipeline and the lane, taking turns over one nginx that speaks both.

    python -m benchmarks.tls                     # about a minute and a half
    python -m benchmarks.tls --rounds 1

Certificates are verified as always. Connections are kept alive, so what is measured is the cipher, not the handshake;
`handshakes` opens a connection for every call: with the session resumed, and each time anew.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

from benchmarks.pipeline import PRODUCT, Measured, measured, medians, with_lane, with_wrk
from benchmarks.plot import bars
from benchmarks.reports import Report, arguments, installed
from benchmarks.servers import Far, nginx
from fetcher.clock import SystemClock
from fetcher.model import Reply, Request
from fetcher.run.event_loop import with_loop
from fetcher.transport import FastTransport
from fetcher.transport.tls import client_context

HANDSHAKES = 1500


async def handshakes(far: Far, *, resumed: bool) -> Measured:
    """Connections a second, a call on each, one after the other: (a second, CPU µs each)."""
    started_s, cpu_s, context = time.perf_counter(), time.process_time(), client_context(far[1])
    for _ in range(HANDSHAKES):
        transport = FastTransport(far[0], clock=SystemClock(), context=context if resumed else client_context(far[1]))
        connection = await transport.ready()
        reply = await connection.exchange(Request("GET", PRODUCT), 10)  # type: ignore[union-attr]
        assert isinstance(reply, Reply)
        await transport.aclose()
    seconds, cpu_s = time.perf_counter() - started_s, time.process_time() - cpu_s
    return HANDSHAKES / seconds, cpu_s / HANDSHAKES * 1e6


def main() -> None:
    """Plain and TLS take turns."""
    parser = arguments(__doc__)
    parser.add_argument("--body", type=int, default=5, help="KB of an answer")
    parser.add_argument("--in-flight", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    title = f"TLS beside plain: bodies of {options.body} KB, {options.in_flight} in flight, one core for the client"
    report = Report("tls", title, installed("fetcher", "uvloop"), keep=not options.trial)
    found: dict[tuple[str, bool], list[Measured]] = {}
    with (
        nginx(options.body) as plain,
        nginx(options.body, tls=True) as secure,
        tempfile.TemporaryDirectory() as place,
    ):
        for _ in range(options.rounds):
            for tls, far in ((False, plain), (True, secure)):
                found.setdefault(("wrk", tls), []).append(with_wrk(far[0], options.in_flight))
                found.setdefault(("fetcher's lane alone", tls), []).append(with_lane(far, options.in_flight))
                if (one := measured("fetcher", far, Path(place), options.in_flight)) is not None:
                    found.setdefault(("fetcher", tls), []).append(one)
        again, anew = (with_loop(handshakes(secure, resumed=resumed)) for resumed in (True, False))
    report.head("client", "plain, /s", "TLS, /s", "TLS ÷ plain", "CPU µs plain", "CPU µs TLS")
    picture = []
    for name in ("wrk", "fetcher's lane alone", "fetcher"):
        (plain_rate, plain_cpu), (rate, cpu) = medians(found[name, False]), medians(found[name, True])
        report.row(
            name, f"{plain_rate:,.0f}", f"{rate:,.0f}", f"{rate / plain_rate:.2f}", f"{plain_cpu:.0f}", f"{cpu:.0f}"
        )
        picture += [(f"{name}, plain", plain_rate), (f"{name}, TLS", rate)]
    report.note("A connection for every call, one after the other:\n")
    report.head("handshake", "connections/s", "CPU µs each")
    report.row("session resumed", f"{again[0]:,.0f}", f"{again[1]:,.0f}")
    report.row("anew (with a context of its own)", f"{anew[0]:,.0f}", f"{anew[1]:,.0f}")
    report.picture(bars("Calls a second, plain and over TLS", picture, "/s", mark="fetcher"))
    report.save()


if __name__ == "__main__":
    main()
