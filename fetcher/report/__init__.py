"""What a person or a script sees of a run: the progress line, the closing words, the summary, the plan, the logs.

It shows figures and decides nothing. rich is imported only when a live line is drawn.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from fetcher.doors import lazy

if TYPE_CHECKING:
    from fetcher.report.advice import End as End
    from fetcher.report.advice import closing_words as closing_words
    from fetcher.report.advice import command_that_goes_on as command_that_goes_on
    from fetcher.report.doubts import Doubts as Doubts
    from fetcher.report.dry_run import plan_line as plan_line
    from fetcher.report.dry_run import plan_lines as plan_lines
    from fetcher.report.escaping import visible as visible
    from fetcher.report.export import Watcher as Watcher
    from fetcher.report.export import exporting as exporting
    from fetcher.report.figures import clock_time as clock_time
    from fetcher.report.figures import duration as duration
    from fetcher.report.figures import iso_time as iso_time
    from fetcher.report.figures import money as money
    from fetcher.report.figures import number as number
    from fetcher.report.figures import percent as percent
    from fetcher.report.figures import rate as rate
    from fetcher.report.figures import size as size
    from fetcher.report.hooks import install_hooks as install_hooks
    from fetcher.report.hooks import loop_exception_handler as loop_exception_handler
    from fetcher.report.logs import configure_logging as configure_logging
    from fetcher.report.page import read_summary as read_summary
    from fetcher.report.page import report_page as report_page
    from fetcher.report.page import write_report as write_report
    from fetcher.report.progress import Progress as Progress
    from fetcher.report.progress import choose_mode as choose_mode
    from fetcher.report.progress import make_progress as make_progress
    from fetcher.report.screen import Screen as Screen
    from fetcher.report.summary import Finished as Finished
    from fetcher.report.summary import summary_document as summary_document
    from fetcher.report.written import write_summary as write_summary

_FILES: Final = {
    "Doubts": "doubts",
    "End": "advice",
    "Finished": "summary",
    "Progress": "progress",
    "Screen": "screen",
    "Watcher": "export",
    "choose_mode": "progress",
    "clock_time": "figures",
    "closing_words": "advice",
    "command_that_goes_on": "advice",
    "configure_logging": "logs",
    "duration": "figures",
    "exporting": "export",
    "install_hooks": "hooks",
    "iso_time": "figures",
    "loop_exception_handler": "hooks",
    "make_progress": "progress",
    "money": "figures",
    "number": "figures",
    "percent": "figures",
    "plan_line": "dry_run",
    "plan_lines": "dry_run",
    "rate": "figures",
    "read_summary": "page",
    "report_page": "page",
    "size": "figures",
    "summary_document": "summary",
    "visible": "escaping",
    "write_report": "page",
    "write_summary": "written",
}

__all__ = [*_FILES]
__getattr__ = lazy(__name__, _FILES)
