"""Compares the order of the data of two training runs: whether they are shuffled, for each optimizer that they feed."""

from __future__ import annotations

from typing import Any


def order_differs(source: dict[str, Any], target: dict[str, Any]) -> str:
    """What differs in who asked for shuffled data, or nothing."""
    by_hand = not (_passes(source, True) and _passes(target, True))
    ours, theirs = _shuffles_training(source, by_hand), _shuffles_training(target, by_hand)
    if ours != theirs:
        return f"training data are {'' if theirs else 'not '}shuffled, the source's are{' not' if theirs else ''}"
    own, other = _orders(source), _orders(target)
    for number in sorted(own.keys() & other.keys()):
        if own[number] != other[number]:
            detail = f"training data of optimizer {number + 1} are {'' if other[number] else 'not '}shuffled"
            return f"{detail}, the source's are{' not' if other[number] else ''}"
    if any(p["shuffled"] for p in _passes(target, False)) and not any(p["shuffled"] for p in _passes(source, False)):
        return "validation data are shuffled, the source's are not"
    return ""


def _passes(streams: dict[str, Any], training: bool) -> list[dict[str, Any]]:
    return [p for p in streams["passes"] if p["batches"] and p["training"] == training]


def _orders(streams: dict[str, Any]) -> dict[int, bool]:
    """For each optimizer that was fed by passes over data, whether some of them were shuffled."""
    found: dict[int, bool] = {}
    for one in _passes(streams, True):
        for number in one["optimizers"]:
            found[number] = found.get(number, False) or one["shuffled"]
    return found


def _shuffles_training(streams: dict[str, Any], by_hand: bool) -> bool:
    """`by_hand`: permutations count as well, for a side that cuts its batches itself."""
    permuted = by_hand and any(e["kind"] == "permutation" for e in streams["events"])
    return permuted or any(p["shuffled"] for p in _passes(streams, True))
