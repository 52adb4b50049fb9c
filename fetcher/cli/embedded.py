"""`fetcher run --sandbox`: the settings of a run that fetches from a gateway inside this program.

It must not know how that gateway works.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from fetcher.settings import CommandSettings

ABSENT: Final = 0.02
"""Part of the user's own IDs that the embedded gateway does not know."""
EXAMPLES: Final = 50
"""How many IDs are fetched when none are given: ten seconds at the default rate."""


@contextmanager
def embedded_gateway(
    settings: CommandSettings, ids: str | None
) -> Iterator[tuple[CommandSettings, str | tuple[str, ...]]]:
    """Start the gateway on a free port of this machine; it ends with the block.

    Yields:
        The settings with the gateway's address and credentials in place of the user's, which are not sent to it; and
        the IDs, examples if none were given.
    """
    from fetcher.sandbox import SandboxSettings, example_ids, spawn

    # The examples all exist, so that the first run ends well; a user's own IDs meet absent ones as in life.
    absent = 0.0 if ids is None else ABSENT
    with spawn(SandboxSettings(latency_ms=40.0, jitter_ms=10.0, absent=absent)) as sandbox:
        changed = dataclasses.replace(
            settings,
            gateway=sandbox.url,
            app_key=sandbox.app_key,
            app_secret=sandbox.app_secret,
            access_token=None,
            refresh_token=None,
            proxy=None,
            trust_env=False,
        )
        yield changed, tuple(example_ids(max(EXAMPLES, settings.limit or 0))) if ids is None else ids
