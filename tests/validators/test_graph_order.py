"""Places of a graph's weights: in the order in which the graph made them, several for a weight that was split."""

from __future__ import annotations

from migrator_validators.cases import RecordedMap
from migrator_validators.graph_order import GRAPH, GraphOrder

RECORDS = {
    "m:Net": RecordedMap(
        owner="m:Net",
        path="",
        keras=GRAPH,
        params=(
            ("trained", "lstm.weight_ih_l0", "T inputs(4)"),
            ("also", "lstm.weight_hh_l0", "T states(4)"),
            ("trained", "lstm.bias_ih_l0", ""),
            ("moving", "norm.running_mean", ""),
            ("inside", "head", ""),
        ),
    ),
    "m:Head": RecordedMap(owner="m:Head", path="", keras=GRAPH, params=(("trained", "w", "T"),)),
}


def test_parts_of_one_weight_share_its_place_in_the_order() -> None:
    modules = {"": "m:Net", "lstm": "nn.LSTM", "norm": "nn.BatchNorm1d", "head": "m:Head"}
    assert GraphOrder(RECORDS, modules, frozenset()).places() == [
        [("lstm.weight_ih_l0", "T inputs(4)"), ("lstm.weight_hh_l0", "T states(4)")],
        [("lstm.bias_ih_l0", "")],
        [("head.w", "T")],
        [("norm.running_mean", "")],
    ]
