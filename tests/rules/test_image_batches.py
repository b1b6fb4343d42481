"""Rotated, moved, sheared and zoomed images: Keras's own need SciPy, so that plain NumPy stands beside it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from migrator.rules.ops.image_batches_code import ImageDataGenerator

CHANGES: dict[str, dict[str, Any]] = {
    "turned": {"rotation_range": 60},
    "moved by shares": {"width_shift_range": 0.4, "height_shift_range": 0.2},
    "moved by pixels": {"width_shift_range": 3, "height_shift_range": [-2, 1, 4]},
    "sheared": {"shear_range": 30.0},
    "zoomed": {"zoom_range": 0.5},
    "zoomed between": {"zoom_range": [0.5, 0.8]},
    "all": {"rotation_range": 40, "width_shift_range": 0.2, "height_shift_range": 0.2, "shear_range": 0.2,
            "zoom_range": 0.2, "horizontal_flip": True, "channel_shift_range": 20.0},
}  # fmt: skip
IMAGES = np.random.RandomState(0).uniform(0, 255, (5, 9, 13, 3)).astype("float32")


def ours() -> dict[str, Any]:
    """The names that the migrated program has."""
    names: dict[str, Any] = {}
    pending = [ImageDataGenerator]
    texts: list[str] = []
    while pending:
        helper = pending.pop()
        texts.insert(0, "\n".join(helper.imports) + "\n" + helper.source)
        pending += helper.needs
    for text in texts:
        exec(text, names)
    return names


@pytest.mark.parametrize("fill_mode", ["nearest", "constant", "reflect"])
@pytest.mark.parametrize("name", CHANGES)
def test_images_change_as_in_keras(name: str, fill_mode: str) -> None:
    pytest.importorskip("scipy")
    import tensorflow as tf

    options = {**CHANGES[name], "fill_mode": fill_mode, "cval": 7.0, "rescale": 0.5}
    made = []
    for kind in (tf.keras.preprocessing.image.ImageDataGenerator, ours()["ImageDataGenerator"]):
        np.random.seed(1)
        made.append(next(kind(**options).flow(IMAGES, batch_size=5)))
    np.testing.assert_allclose(made[1], made[0], atol=2e-4)


@pytest.mark.parametrize("fill_mode", ["nearest", "constant", "reflect"])
def test_pixels_between_others_are_bilinear_and_those_beyond_the_edge_as_asked(fill_mode: str) -> None:
    turn = np.deg2rad(25)
    matrix = np.array([[np.cos(turn), np.sin(turn), -3.4], [-np.sin(turn), 1.3 * np.cos(turn), 2.8], [0, 0, 1]])
    changed = ours()["sample_affine"](IMAGES[0], matrix, fill_mode, 7.0)
    height, width, _ = IMAGES[0].shape
    for row, column in np.ndindex(height, width):
        y, x, _ = matrix @ [row, column, 1]
        np.testing.assert_allclose(changed[row, column], _at(IMAGES[0], y, x, fill_mode), atol=1e-3)


def _at(image: np.ndarray, y: float, x: float, fill_mode: str) -> np.ndarray:
    height, width, _ = image.shape
    if fill_mode == "constant" and not (0 <= y <= height - 1 and 0 <= x <= width - 1):
        return np.full(3, 7.0)
    rows, columns = int(np.floor(y)), int(np.floor(x))
    corners = [
        [image[_within(r, height, fill_mode), _within(c, width, fill_mode)] for c in (columns, columns + 1)]
        for r in (rows, rows + 1)
    ]
    above, below = (left + (right - left) * (x - columns) for left, right in corners)
    return above + (below - above) * (y - rows)


def _within(place: int, size: int, fill_mode: str) -> int:
    if fill_mode == "reflect":
        place %= 2 * size
        return min(place, 2 * size - 1 - place)
    return min(max(place, 0), size - 1)


def test_nothing_is_sampled_where_nothing_is_changed() -> None:
    generator = ours()["ImageDataGenerator"](horizontal_flip=True)
    changed = [generator.random_transform(IMAGES[0]) for _ in range(8)]
    found = {"flipped" if np.array_equal(image, IMAGES[0][:, ::-1]) else "same" for image in changed}
    assert found == {"flipped", "same"}
