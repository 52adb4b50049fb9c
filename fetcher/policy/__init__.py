"""What is done about an answer: keep, fail, try again, slow down, stop. Decides only; the caller carries it out.

`Policy` is the table; `RetryBudget`, `Breaker` and `Refusals` remember what one answer alone cannot tell.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from fetcher.doors import lazy

if TYPE_CHECKING:
    from fetcher.policy.actions import Policy as Policy
    from fetcher.policy.actions import rejected as rejected
    from fetcher.policy.backoff import full_jitter_s as full_jitter_s
    from fetcher.policy.breaker import Breaker as Breaker
    from fetcher.policy.breaker import BreakerState as BreakerState
    from fetcher.policy.budgets import RetryBudget as RetryBudget
    from fetcher.policy.minimisation import FieldFilter as FieldFilter
    from fetcher.policy.refusals import Refusals as Refusals

_FILES: Final = {
    "Breaker": "breaker",
    "BreakerState": "breaker",
    "FieldFilter": "minimisation",
    "Policy": "actions",
    "Refusals": "refusals",
    "RetryBudget": "budgets",
    "full_jitter_s": "backoff",
    "rejected": "actions",
}

__all__ = [*_FILES]
__getattr__ = lazy(__name__, _FILES)
