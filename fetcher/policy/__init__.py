"""What is done about an answer: keep, fail, try again, slow down, stop. Decides only; the caller carries it out.

`Policy` is the table; `RetryBudget`, `Breaker` and `Refusals` remember what one answer alone cannot tell.
"""

from __future__ import annotations

from fetcher.policy.actions import Policy, rejected
from fetcher.policy.backoff import full_jitter_s
from fetcher.policy.breaker import Breaker, BreakerState
from fetcher.policy.budgets import RetryBudget
from fetcher.policy.minimisation import FieldFilter
from fetcher.policy.refusals import Refusals

__all__ = ["Breaker", "BreakerState", "FieldFilter", "Policy", "Refusals", "RetryBudget", "full_jitter_s", "rejected"]
