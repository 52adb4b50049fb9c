"""Guesses what a misspelt word was meant to be. It must not know what the words are for."""

from __future__ import annotations

from collections.abc import Iterable


def closest(word: str, known: Iterable[str]) -> str | None:
    """The known word that `word` is most likely a misspelling of, or None when nothing is near.

    Examples:
        >>> closest("qsp", ["qps", "api"])
        'qps'
    """
    from difflib import get_close_matches  # only needed once something is wrong

    folded = {each.lower(): each for each in known}
    near = get_close_matches(word.lower(), folded, n=1, cutoff=0.6)
    return folded[near[0]] if near else None


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """`; did you mean 'qps'?`, to be put at the end of a sentence; empty when nothing is near."""
    near = closest(word, known)
    return f"; did you mean {near!r}?" if near else ""
