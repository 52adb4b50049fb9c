"""A gateway for each module that says what it is to be like, as fresh as new for each test."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.holds.runs import spawn


@pytest.fixture(scope="module")
def gateway(request: pytest.FixtureRequest) -> Iterator[Any]:
    """The sandbox with the module's `GATEWAY`."""
    with spawn(request.module.GATEWAY) as handle:
        yield handle


@pytest.fixture
def sandbox(gateway: Any) -> Any:
    """It has seen no call."""
    gateway.reset()
    return gateway
