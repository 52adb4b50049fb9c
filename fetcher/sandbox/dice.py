"""Dice that fall the same way on every machine: numbers from a seed, a purpose and an ID."""

from __future__ import annotations

from typing import Final

_MASK: Final = (1 << 64) - 1


def roll(seed: int, purpose: int, number: int) -> int:
    """64 even bits: the finisher of splitmix64 (Steele, Lea, Flood 2014). A seeded generator costs ten times that."""
    z = (number + seed * 0xD1342543DE82EF95 + purpose * 0x9E3779B97F4A7C15 + 0x9E3779B97F4A7C15) & _MASK
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & _MASK
    return z ^ (z >> 31)


def share(seed: int, purpose: int, number: int) -> float:
    """The same as a part of 1: in [0, 1)."""
    return (roll(seed, purpose, number) >> 11) / (1 << 53)
