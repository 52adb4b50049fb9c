"""What is told of a run after its end besides the last figures: its course, its waits, examples, percentiles."""

from __future__ import annotations

from typing import Self

import msgspec

from fetcher.metrics.course import Course, Pause, Point
from fetcher.metrics.latency import Histogram, Percentile
from fetcher.metrics.specimens import Slow, Specimens, Trouble


class Story(msgspec.Struct, frozen=True, kw_only=True):
    """Of bounded size, however long the run."""

    points: list[Point] = []
    pauses: list[Pause] = []
    service: list[Percentile] = []
    """Of answered calls, from the first byte of the request to the last of the answer."""
    with_wait: list[Percentile] = []
    """Of IDs, from their first call to their end, retries and pauses included."""
    slowest: list[Slow] = []
    failures: list[Trouble] = []
    answers: list[Trouble] = []

    @classmethod
    def of(cls, course: Course, specimens: Specimens, service: Histogram, with_wait: Histogram) -> Self:
        """Put together at the end."""
        return cls(
            points=course.points(),
            pauses=course.pauses(),
            service=service.table(),
            with_wait=with_wait.table(),
            slowest=specimens.slowest(),
            failures=specimens.failures.all(),
            answers=specimens.answers.all(),
        )
