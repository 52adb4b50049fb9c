"""What these tests share: whole jobs run in the test's own process, and leave it as it was."""

from __future__ import annotations

import pytest

from tests.report.conftest import own_logging as own_logging


@pytest.fixture(autouse=True)
def _as_it_was(own_logging: None) -> None:
    """Loggers and hooks, which a job sets up as its own."""
