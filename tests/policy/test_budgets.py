"""The retry budget: a tenth of the calls, and never a deadlock."""

from __future__ import annotations

from fetcher.policy import RetryBudget


def test_fifty_retries_may_go_at_once() -> None:
    """A burst of failures is retried; the fifty-first waits for calls that complete."""
    budget = RetryBudget()
    for _ in range(50):
        assert budget.may_retry()
        budget.spend()
    assert not budget.may_retry()


def test_ten_completed_calls_earn_one_retry() -> None:
    """Retries beside fresh calls stay at a tenth of them."""
    budget = RetryBudget(tokens=1)
    budget.spend()
    budget.spend()
    for _ in range(9):
        budget.completed()
    assert not budget.may_retry()
    budget.completed()
    budget.completed()
    assert budget.may_retry()


def test_it_never_holds_more_than_it_began_with() -> None:
    """Hours of success do not pay for a storm of retries."""
    budget = RetryBudget()
    for _ in range(10_000):
        budget.completed()
    assert budget.tokens == 50


def test_an_empty_budget_lets_a_retry_pass_when_nothing_else_is_left() -> None:
    """No fresh ID and nothing in flight: waiting for tokens would be waiting for ever."""
    budget = RetryBudget(tokens=0)
    assert not budget.may_retry(held=10)
    assert budget.may_retry(held=10, fresh_left=False)


def test_retries_are_not_piled_up_without_end() -> None:
    """Memory does not follow the number of failures: past a thousand held back they go before fresh IDs."""
    budget = RetryBudget(tokens=0)
    assert not budget.may_retry(held=1000)
    assert budget.may_retry(held=1001)
