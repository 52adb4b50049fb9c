"""What a person or a script sees of a run: the progress line, the closing words, the summary, the plan, the logs.

It shows figures and decides nothing. rich is imported only when a live line is drawn.
"""

from __future__ import annotations

from fetcher.report.advice import End, closing_words, command_that_goes_on
from fetcher.report.doubts import Doubts
from fetcher.report.dry_run import plan_line, plan_lines
from fetcher.report.exporting import Watcher, exporting
from fetcher.report.figures import clock_time, duration, iso_time, money, number, percent, rate, size
from fetcher.report.hooks import install_hooks, loop_exception_handler
from fetcher.report.logs import configure_logging
from fetcher.report.page import read_summary, report_page, write_report
from fetcher.report.progress import Progress, choose_mode, make_progress
from fetcher.report.screen import Screen
from fetcher.report.summary import Finished, summary_document
from fetcher.report.visible import visible
from fetcher.report.written import write_summary

__all__ = [
    "Doubts",
    "End",
    "Finished",
    "Progress",
    "Screen",
    "Watcher",
    "choose_mode",
    "clock_time",
    "closing_words",
    "command_that_goes_on",
    "configure_logging",
    "duration",
    "exporting",
    "install_hooks",
    "iso_time",
    "loop_exception_handler",
    "make_progress",
    "money",
    "number",
    "percent",
    "plan_line",
    "plan_lines",
    "rate",
    "read_summary",
    "report_page",
    "size",
    "summary_document",
    "visible",
    "write_report",
    "write_summary",
]
