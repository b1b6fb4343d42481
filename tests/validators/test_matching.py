"""Weight maps resolved on descriptions of both objects."""

from __future__ import annotations

from typing import Any

from migrator_validators.cases import RecordedMap, WeightMap, WeightPair
from migrator_validators.matching import match

DENSE = (("kernel", "weight", "T"), ("bias", "bias", ""))


def dense(ordinal: int, start: int, path: str | None = None) -> dict[str, Any]:
    owns = [start, start + 1]
    return {
        "ordinal": ordinal,
        "path": path,
        "classes": ["tf.keras.layers.Dense"],
        "name": f"dense_{ordinal}",
        "weights": owns,
        "own": owns,
        "attributes": {},
    }


def source(*layers: dict[str, Any], sizes: tuple[tuple[int, int], ...] = ((4, 4), (4, 4))) -> dict[str, Any]:
    weights = []
    for number, (rows, cols) in enumerate(sizes):
        name = f"model/dense_{number}"
        weights += [
            {"name": f"{name}/kernel", "attribute": "", "shape": [rows, cols], "dtype": "float32", "trainable": True},
            {"name": f"{name}/bias", "attribute": "", "shape": [cols], "dtype": "float32", "trainable": True},
        ]
    return {"weights": weights, "layers": list(layers), "sources": {f"weights[{i}]": i for i in range(len(weights))}}


def target(*names: str, size: int = 4, extra: tuple[dict[str, Any], ...] = ()) -> dict[str, Any]:
    state: list[dict[str, Any]] = []
    modules = [{"name": "", "class": "mod:Net", "type": "Net"}]
    for name in names:
        modules.append({"name": name, "class": "torch.nn.modules.linear:Linear", "type": "Linear"})
        for part, shape in (("weight", [size, size]), ("bias", [size])):
            state.append({"name": f"{name}.{part}", "shape": shape, "parameter": True, "grad": True})
    return {"state": [*state, *extra], "modules": modules, "module": True}


def records(*paths: str) -> WeightMap:
    made = (RecordedMap(owner="mod:Net", path=p, keras="tf.keras.layers.Dense", params=DENSE) for p in paths)
    return WeightMap(records=tuple(made))


def resolved(found: Any) -> dict[str, tuple[int, ...]]:
    return {pair.target: pair.source for pair in found.pairs}


def test_records_meet_in_order_of_creation() -> None:
    found = match(records("fc1", "fc2"), source(dense(5, 0), dense(3, 2)), target("fc1", "fc2"))
    assert found.problems == []
    assert resolved(found)["fc1.weight"] == (2,)
    assert resolved(found)["fc2.weight"] == (0,)


def test_equal_attribute_paths_win() -> None:
    layers = dense(1, 0, "head"), dense(2, 2, "body")
    found = match(records("body", "head"), source(*layers), target("body", "head"))
    assert resolved(found) == {"head.weight": (0,), "head.bias": (1,), "body.weight": (2,), "body.bias": (3,)}


def test_a_star_is_one_entry_of_a_list() -> None:
    found = match(records("blocks.*"), source(dense(1, 0), dense(2, 2)), target("blocks.0", "blocks.1"))
    assert found.problems == []
    assert resolved(found)["blocks.1.bias"] == (3,)


def test_what_is_left_over_is_a_problem() -> None:
    assert match(records("fc1"), source(dense(1, 0), dense(2, 2)), target("fc1")).problems
    extra = {"name": "scale", "shape": [4], "parameter": True, "grad": True}
    found = match(records("fc1", "fc2"), source(dense(1, 0), dense(2, 2)), target("fc1", "fc2", extra=(extra,)))
    assert found.problems == ["the target's parameter scale [4] has no partner"]
    frozen = {**extra, "grad": False}
    kept = match(records("fc1", "fc2"), source(dense(1, 0), dense(2, 2)), target("fc1", "fc2", extra=(frozen,)))
    assert (kept.problems, kept.notes) == ([], ["scale keeps its initial value"])


def test_shapes_must_fit() -> None:
    found = match(records("fc1", "fc2"), source(dense(1, 0), dense(2, 2), sizes=((4, 5), (5, 4))), target("fc1", "fc2"))
    assert any("fc1.weight is [4, 4]" in problem for problem in found.problems)


def test_explicit_pairs() -> None:
    pairs = tuple(
        WeightPair(source=f"weights[{2 * i + j}]", target=f"fc{i + 1}.{name}", transform=transform)
        for i in range(2)
        for j, (name, transform) in enumerate((("weight", "T"), ("bias", "")))
    )
    layers = dense(1, 0), dense(2, 2)
    assert match(WeightMap(pairs=pairs), source(*layers), target("fc1", "fc2")).problems == []
    assert match(WeightMap(pairs=pairs[:-1]), source(*layers), target("fc1", "fc2")).problems
    twice = WeightMap(pairs=(*pairs, pairs[0]))
    assert "fc1.weight is filled twice" in match(twice, source(*layers), target("fc1", "fc2")).problems


def test_without_a_map_classes_and_order_propose_one() -> None:
    found = match(WeightMap(), source(dense(1, 0), dense(2, 2)), target("a", "b"))
    assert found.proposed
    assert found.problems == []
    assert resolved(found)["b.weight"] == (2,)


def test_a_resolved_map_can_be_written_down() -> None:
    found = match(records("fc1", "fc2"), source(dense(1, 0), dense(2, 2)), target("fc1", "fc2"))
    assert found.explicit()[0] == WeightPair(source="weights[0]", target="fc1.weight", transform="T")


def modules(**types: str) -> list[dict[str, Any]]:
    made = {name.replace("__", "."): kind for name, kind in types.items()}
    return [{"name": n, "class": f"torch.nn.modules.x:{kind}", "type": kind} for n, kind in made.items()]


def test_proposals_complete_the_records_of_a_part() -> None:
    """A hand-written model may hold a block that the rules wrote."""
    inner = target("block.fc", "fc")
    inner["modules"].insert(1, {"name": "block", "class": "mod:Block", "type": "Block"})
    record = RecordedMap(owner="mod:Block", path="fc", keras="tf.keras.layers.Dense", params=DENSE)
    found = match(WeightMap(records=(record,)), source(dense(0, 0), dense(1, 2)), inner)
    assert found.problems == []
    assert found.proposed
    assert resolved(found)["block.fc.weight"] == (0,)
    assert resolved(found)["fc.weight"] == (2,)


def test_what_a_record_covers_is_not_proposed_again() -> None:
    found = match(records("fc1", "fc2"), source(dense(0, 0), dense(1, 2)), target("fc1", "fc2"))
    assert not found.proposed


def recurrent(keras: str, *names: str, shapes: tuple[tuple[int, ...], ...]) -> dict[str, Any]:
    weights = [
        {"name": f"m/{name}", "attribute": "", "shape": list(shape), "dtype": "float32", "trainable": True}
        for name, shape in zip(names, shapes, strict=True)
    ]
    places = list(range(len(weights)))
    layer = {
        "ordinal": 0,
        "path": None,
        "classes": [f"tf.keras.layers.{keras}"],
        "name": "r",
        "weights": places,
        "own": [],
        "attributes": {},
    }
    return {"weights": weights, "layers": [layer], "sources": {f"weights[{i}]": i for i in places}}


def torch_recurrent(kind: str, shapes: dict[str, tuple[int, ...]]) -> dict[str, Any]:
    state = [
        {"name": f"rnn.{n}", "shape": list(s), "parameter": True, "grad": "bias_hh" not in n} for n, s in shapes.items()
    ]
    return {"state": state, "modules": [{"name": "", "class": "mod:Net", "type": "Net"}, *modules(rnn=kind)]}


def test_gru_gates_are_reordered() -> None:
    shapes = {"weight_ih_l0": (12, 3), "weight_hh_l0": (12, 4), "bias_ih_l0": (12,), "bias_hh_l0": (12,)}
    names = ("gru/gru_cell/kernel", "gru/gru_cell/recurrent_kernel", "gru/gru_cell/bias")
    keras = recurrent("GRU", *names, shapes=((3, 12), (4, 12), (2, 12)))
    found = match(WeightMap(), keras, torch_recurrent("GRU", shapes))
    assert found.problems == []
    assert {p.target: (p.source, p.transforms) for p in found.pairs} == {
        "rnn.weight_ih_l0": ((0,), ("T blocks(1,0,2)",)),
        "rnn.weight_hh_l0": ((1,), ("T blocks(1,0,2)",)),
        "rnn.bias_ih_l0": ((2,), ("row(0) blocks(1,0,2)",)),
        "rnn.bias_hh_l0": ((2,), ("row(1) blocks(1,0,2)",)),
    }


def test_both_directions_of_an_lstm() -> None:
    one = {"weight_ih_l0": (16, 3), "weight_hh_l0": (16, 4), "bias_ih_l0": (16,), "bias_hh_l0": (16,)}
    shapes = one | {f"{name}_reverse": shape for name, shape in one.items()}
    names = tuple(
        f"bidirectional/{way}_lstm/lstm_cell/{weight}"
        for way in ("forward", "backward")
        for weight in ("kernel", "recurrent_kernel", "bias")
    )
    keras = recurrent("Bidirectional", *names, shapes=((3, 16), (4, 16), (16,)) * 2)
    found = match(WeightMap(), keras, torch_recurrent("LSTM", shapes))
    assert found.problems == []
    assert resolved(found)["rnn.weight_hh_l0_reverse"] == (4,)


def test_a_layer_comes_before_the_layers_that_it_holds() -> None:
    """A recurrent layer makes its cell first: both hold the same weights, and both have records."""
    cell = {**dense(0, 0), "classes": ["tf.keras.layers.GRUCell"], "name": "gru_cell"}
    outer = {**dense(1, 0), "classes": ["tf.keras.layers.GRU"], "name": "gru", "holds": 1}
    records = tuple(
        RecordedMap(owner="mod:Net", path=path, keras=f"tf.keras.layers.{kind}", params=DENSE)
        for path, kind in (("rnn", "GRU"), ("step", "GRUCell"))
    )
    own = {**dense(2, 2), "classes": ["tf.keras.layers.GRUCell"], "name": "own"}
    found = match(WeightMap(records=records), source(cell, outer, own), target("rnn", "step"))
    assert not found.problems
    assert {p.target: p.source for p in found.pairs}["rnn.weight"] == (0,)


def test_a_record_covers_the_modules_that_it_fills_inside_its_own() -> None:
    """A separable convolution is one layer of Keras and two modules of torch."""
    layer = {**dense(0, 0), "classes": ["tf.keras.layers.SeparableConv2D"], "name": "separable"}
    params = (("kernel", "0.weight", "T"), ("bias", "0.bias", ""))
    record = RecordedMap(owner="mod:Net", path="conv", keras="tf.keras.layers.SeparableConv2D", params=params)
    made = target("conv.0", "fc")
    made["modules"].insert(1, {"name": "conv", "class": "torch.nn.modules.container:Sequential", "type": "Sequential"})
    found = match(WeightMap(records=(record,)), source(layer, dense(1, 2)), made)
    assert not found.problems
    assert resolved(found)["conv.0.weight"] == (0,)
    assert resolved(found)["fc.weight"] == (2,)


def test_variables_of_a_plain_object_meet_under_their_names() -> None:
    step = {"name": "Variable:0", "attribute": "step", "shape": [], "dtype": "int64", "trainable": True}
    ours = {**source(dense(0, 0), sizes=((4, 4),))}
    ours["weights"] = [*ours["weights"], step]
    own = {"name": "step", "shape": [], "dtype": "int64", "parameter": False, "grad": False}
    theirs = target("a", extra=(own,))
    assert match(records("a"), ours, theirs).problems == ["the source's weight Variable:0 [] has no partner"]
    found = match(records("a"), ours, {**theirs, "module": False})
    assert not found.problems
    assert resolved(found)["step"] == (2,)
    other = {**theirs, "module": False, "state": [*theirs["state"][:-1], {**own, "name": "steps"}]}
    assert match(records("a"), ours, other).problems


def test_lists_that_one_loop_fills_in_turn_meet_in_the_order_of_making() -> None:
    there = target("ones.0", "ones.1", "twos.0", "twos.1")
    for module, made in zip(there["modules"], (0, 1, 3, 2, 4), strict=True):
        module["made"] = made
    layers = source(*(dense(n, 2 * n) for n in range(4)), sizes=((4, 4),) * 4)
    found = resolved(match(records("ones.*", "twos.*"), layers, there))
    assert [found[f"{name}.weight"][0] for name in ("ones.0", "twos.0", "ones.1", "twos.1")] == [0, 2, 4, 6]
    there["modules"][1]["made"] = None  # a copy of another: registration is all that is known
    found = resolved(match(records("ones.*", "twos.*"), layers, there))
    assert [found[f"{name}.weight"][0] for name in ("ones.0", "ones.1", "twos.0", "twos.1")] == [0, 2, 4, 6]
