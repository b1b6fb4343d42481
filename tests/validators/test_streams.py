"""The shared random streams."""

from __future__ import annotations

import numpy as np
import pytest
from migrator_validators.probes.streams import SPREAD, Pass, Streams


def test_equal_requests_give_equal_numbers() -> None:
    one, other = Streams(), Streams()
    for shape in ((3,), (2, 4), (2, 3, 4)):
        assert np.array_equal(one.normal(shape), other.normal(shape))
        assert np.array_equal(one.uniform(shape), other.uniform(shape))


def test_later_draws_differ_and_depend_on_their_own_size_alone() -> None:
    one, other = Streams(), Streams()
    first = one.normal((4,))
    assert not np.array_equal(first, one.normal((4,)))
    other.normal((5,))  # a draw of another size, such as an initial value, moves nothing
    assert np.array_equal(first, other.normal((4,)))


@pytest.mark.parametrize("name", ["normal", "uniform"])
def test_the_order_of_axes_does_not_matter(name: str) -> None:
    channels_last = getattr(Streams(), name)((2, 5, 4, 3))
    channels_first = getattr(Streams(), name)((2, 3, 5, 4))
    assert np.allclose(channels_last, channels_first.transpose(0, 2, 3, 1))
    assert len(np.unique(channels_last.round(6))) > 50


def test_uniform_lies_in_its_range() -> None:
    for shape in ((100,), (5, 6, 7)):
        values = Streams().uniform(shape)
        assert values.min() >= 0
        assert values.max() < 1


def test_dropout_factors_scale_with_the_rate_and_never_vanish() -> None:
    low, high = Streams().dropout(50, 0.1), Streams().dropout(50, 0.5)
    assert np.allclose((low - 1) * 5, high - 1)
    assert np.abs(high - 1).max() <= 0.5 * SPREAD
    assert high.min() > 0


def test_dropout_ordinals_start_again_at_each_step() -> None:
    one, other = Streams(), Streams()
    one.dropout(3, 0.5)
    one.dropout(3, 0.5)  # an extra call in this step
    other.dropout(3, 0.5)
    for streams in (one, other):
        streams.next_step()
    assert np.array_equal(one.dropout(3, 0.5), other.dropout(3, 0.5))


def test_folded_rows_share_the_factor_of_their_sample() -> None:
    folded = Streams().dropout(6, 0.5, fold=3)
    assert np.array_equal(folded, np.repeat(Streams().dropout(2, 0.5), 3))


def test_a_pass_feeds_training_when_steps_are_made_of_its_batches() -> None:
    streams = Streams()
    training, validation = Pass(streams, True), Pass(streams, False)
    training.advance()
    streams.next_step()
    training.advance()
    validation.advance()
    validation.advance()
    assert [p["training"] for p in streams.passes] == [True, False]


def test_draws_of_a_walk_are_counted_from_its_beginning() -> None:
    streams = Streams()
    outside = streams.uniform((2,))
    looked_at, walked = Pass(streams, False), Pass(streams, False)
    with looked_at.fetch():
        first = streams.uniform((2,))
    with walked.fetch():
        again, second = streams.uniform((2,)), streams.uniform((2,))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, second)
    assert np.array_equal(first, outside)
    assert not np.array_equal(outside, streams.uniform((2,)))


def test_while_objects_are_made_draws_are_independent() -> None:
    streams = Streams()
    streams.free = np.random.RandomState(1)
    values = streams.normal((30, 20, 10))
    assert np.linalg.matrix_rank(values.reshape(30, -1)) == 30
    streams.restart()
    assert np.linalg.matrix_rank(streams.normal((30, 20, 10)).reshape(30, -1)) < 30


def test_choices_follow_their_probabilities() -> None:
    ids = Streams().choices(np.array([[0.0, 1.0, 0.0], [0.2, 0.0, 0.8]]), 200)
    assert set(ids[0]) == {1}
    assert set(ids[1]) == {0, 2}
    assert (ids[1] == 2).mean() == pytest.approx(0.8, abs=0.1)
