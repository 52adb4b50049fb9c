"""Rows of the table that only the command line needs: where to look for settings, and what to show."""

from __future__ import annotations

from typing import Any

from fetcher.settings.compound import Age, PathList
from fetcher.settings.groups import CREDENTIALS, INPUT, OUTPUT, RATE, REPORT
from fetcher.settings.kinds import Choice, Flag, Number, PathText, Text
from fetcher.settings.table import Converted, rows, setting


@rows
class CommandRows:
    """What `CommandSettings` has and `Settings` has not."""

    sandbox: bool = setting(
        False, (INPUT, "try it: fetch from a gateway inside this program", Flag()), env=False, key=False
    )
    known: Converted[tuple[str, ...], Any] = setting(
        (),
        (INPUT, "products of earlier runs: what stands there is not fetched again; repeatable", PathList()),
        env=False,
        key=False,
    )
    skip_fresh_s: Converted[float | None, float | str | None] = setting(
        None,
        (INPUT, "of --known, only what was fetched so lately (7d, 12h)", Age()),
        flag="--skip-fresh",
        env=False,
        key=False,
    )

    diff: Converted[tuple[str, ...], Any] = setting(
        (),
        (OUTPUT, "earlier products to compare with: each line says new, changed or same; repeatable", PathList()),
        env=False,
        key=False,
    )
    only_changed: bool = setting(
        False,
        (OUTPUT, "with --diff: what is the same goes to OUT with .unchanged.jsonl, without data", Flag()),
        env=False,
        key=False,
    )
    on_schema_change: str = setting(
        "warn",
        (OUTPUT, "when a field that nearly all products had is gone", Choice("warn", "stop", "off")),
    )

    processes: int = setting(
        1, (RATE, "processes that share the cap, the input and OUT", Number(least=1, most=64, whole=True))
    )
    dry_run: bool = setting(False, (RATE, "read and check everything, send nothing", Flag()), env=False, key=False)

    yes: bool = setting(
        False, (RATE, "start a run that costs money without asking", Flag()), short="-y", env=False, key=False
    )

    config: str | None = setting(
        None, (CREDENTIALS, "settings; unset: ./fetcher.toml", PathText()), env=False, key=False
    )
    env_file: str | None = setting(None, (CREDENTIALS, "variables; unset: ./.env", PathText()), env=False, key=False)
    secrets: str | None = setting(
        None, (CREDENTIALS, "a file with app_secret=... that only you can read", PathText()), env=False, key=False
    )
    allow_open_secrets: bool = setting(
        False, (CREDENTIALS, "take a --secrets file that others can read", Flag()), flag=False
    )

    summary: str | None = setting(
        None, (REPORT, "the run's figures as JSON, with --dry-run the plan; - is stdout", PathText()), env=False
    )
    purpose: str | None = setting(
        None, (REPORT, "what the data is fetched for; recorded in summary and report", Text())
    )
    report: str | None = setting(None, (REPORT, "the run as an HTML page; - is stdout", PathText()), env=False)
    prometheus_file: str | None = setting(
        None, (REPORT, "figures for Prometheus' textfile collector (extra prometheus)", PathText()), env=False
    )
    prometheus_port: str | None = setting(
        None,
        (
            REPORT,
            "an endpoint for Prometheus, of this machine alone unless an address is given",
            Text("[ADDRESS:]PORT"),
        ),
        env=False,
    )
    quiet: bool = setting(False, (REPORT, "errors only", Flag()), short="-q", env=False, key=False)
    verbose: bool = setting(False, (REPORT, "more detail", Flag()), short="-v", env=False, key=False)
    log_format: str = setting("text", (REPORT, "how log lines are written", Choice("text", "json")))
    progress: str = setting(
        "auto",
        (REPORT, "how it shows how far it is; auto: by the terminal", Choice("auto", "tty", "plain", "json", "none")),
    )
    no_progress: bool = setting(False, (REPORT, "no progress display; as --progress none", Flag()))
