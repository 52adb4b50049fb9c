"""`python -m fetcher.run SOCKET MEMORY`: a worker process of a run with several."""

from __future__ import annotations

import sys

from fetcher.cycles import look_seldom


def main() -> None:
    """Until the parent has been told how it ended. The words are two descriptors."""
    look_seldom()
    from fetcher.run.shard import work_for

    work_for(int(sys.argv[1]), int(sys.argv[2]))


if __name__ == "__main__":
    main()
