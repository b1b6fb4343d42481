"""Samples: arguments that a rule is tried with, as data."""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Array:
    """A random array. `dist`: normal, positive, unit (0..1), bool, or integers in `low`..`high` (exclusive)."""

    shape: tuple[int, ...]
    dtype: str = "float32"
    dist: str = "normal"
    low: int = -5
    high: int = 6


@dataclass(frozen=True)
class Code:
    """Source text put into the call as it is (`tf.float32`, `[a, b]`); `arrays` names its arrays."""

    text: str
    arrays: tuple[tuple[str, Array], ...] = ()


@dataclass(frozen=True)
class Sample:
    """Arguments of one call.

    `gap`: why this sample is known to differ (strict xfail). `grad`: compare gradients of the
    inputs. `declines`: the rule must say no to it. `loud`: where nothing is known of the arguments,
    torch must refuse what is written for them with an exception. `body`: instead of a call the statements of
    a function over `arrays`, run in an empty folder; what it returns and the files that it leaves are compared.
    """

    args: tuple[object, ...] = ()
    kwargs: tuple[tuple[str, object], ...] = ()
    gap: str = ""
    grad: bool = True
    declines: bool = False
    random: bool = False
    loud: bool = False
    body: str = ""
    arrays: tuple[tuple[str, Array], ...] = ()


def S(*args: object, **kwargs: object) -> Sample:
    """A sample: the arguments as the call would have them."""
    return Sample(args, tuple(kwargs.items()))


def declines(*args: object, **kwargs: object) -> Sample:
    """A sample that the rule must decline."""
    return Sample(args, tuple(kwargs.items()), declines=True)


def block(body: str, **arrays: Array) -> Sample:
    """A sample of several statements; they see `arrays` and an empty current folder."""
    return Sample(body=body, arrays=tuple(arrays.items()))


def declined_block(body: str, **arrays: Array) -> Sample:
    """Statements that the rule must decline."""
    return Sample(body=body, arrays=tuple(arrays.items()), declines=True)


def random(*args: object, **kwargs: object) -> Sample:
    """A sample of a random op: only shape, dtype, mean and spread are compared."""
    return Sample(args, tuple(kwargs.items()), random=True, grad=False)


def loud(*args: object, **kwargs: object) -> Sample:
    """A sample that is right with the facts, and an exception of torch without them."""
    return Sample(args, tuple(kwargs.items()), loud=True)


def known_gap(reason: str, sample: Sample) -> Sample:
    """The sample, marked as differing for a documented reason."""
    return replace(sample, gap=reason)


def no_grad(sample: Sample) -> Sample:
    """The sample, compared in its values only."""
    return replace(sample, grad=False)


def src(text: str, **arrays: Array) -> Code:
    """Source text with named arrays in it."""
    return Code(text, tuple(arrays.items()))


def f32(*shape: int) -> Array:
    """Standard normal float32."""
    return Array(shape)


def pos(*shape: int) -> Array:
    """Positive float32, away from zero."""
    return Array(shape, dist="positive")


def unit(*shape: int) -> Array:
    """float32 between 0 and 1."""
    return Array(shape, dist="unit")


def i32(*shape: int, low: int = -5, high: int = 6) -> Array:
    """int32 in `low`..`high` (exclusive)."""
    return Array(shape, "int32", "integers", low, high)


def i64(*shape: int, low: int = -5, high: int = 6) -> Array:
    """int64 in `low`..`high` (exclusive)."""
    return Array(shape, "int64", "integers", low, high)


def u8(*shape: int) -> Array:
    """Bytes, as images have them."""
    return Array(shape, "uint8", "integers", 0, 256)


def boolean(*shape: int) -> Array:
    """Random booleans."""
    return Array(shape, "bool", "bool")
