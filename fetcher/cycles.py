"""How often Python looks for objects that hold each other. It must not know whose objects they are.

Hardly anything here makes such cycles, and each look goes over whatever the modules have made. At Python's own pace
that is a tenth of a start, and a tenth of the speed afterwards. So a process calls `look_seldom` before it imports
anything of size, and `spare_modules` once they are there.
"""

from __future__ import annotations

import gc
from typing import Final

_FEW: Final = 50_000
"""Objects more than were freed, until the next look: a call leaves no cycles behind."""
_MODULES: Final = 150_000
"""All modules of a run make about 40 000, and their loading makes and frees others."""


def look_seldom() -> None:
    """Not at all while modules load, and rarely after."""
    _look_after(_MODULES)


def spare_modules() -> None:
    """Leave out what is there: modules live as long as the process."""
    gc.freeze()
    _look_after(_FEW)


def _look_after(objects: int) -> None:
    gc.set_threshold(objects, *gc.get_threshold()[1:])
