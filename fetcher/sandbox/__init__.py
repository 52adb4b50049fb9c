"""The embedded 1688 gateway, for trying, tests and benchmarks: same checks, same errors, made-up products.

It stands in for the real one, so nothing here is shared with the client but the signatures, and it never enters `run`.
What no source documents is invented, and labelled so where it is set (`options`).
"""

from __future__ import annotations

from fetcher.sandbox.app import create_app
from fetcher.sandbox.catalog import example_ids
from fetcher.sandbox.changes import Change, Scenario, read_scenario
from fetcher.sandbox.options import AppSettings, SandboxSettings, with_options
from fetcher.sandbox.process import SandboxHandle, spawn
from fetcher.sandbox.server import serve

__all__ = [
    "AppSettings",
    "Change",
    "SandboxHandle",
    "SandboxSettings",
    "Scenario",
    "create_app",
    "example_ids",
    "read_scenario",
    "serve",
    "spawn",
    "with_options",
]
