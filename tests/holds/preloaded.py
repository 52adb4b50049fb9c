"""What a fork server loads once, so that a forked run starts at once."""

import fetcher.cli.main
import fetcher.cli.run
import fetcher.run.command
import fetcher.transport.fast
import fetcher.transport.httpx_lane  # noqa: F401
