"""The ladder on small pairs: right ones climb it, wrong ones fall where they are wrong."""

from __future__ import annotations

from pathlib import Path

import pytest
from migrator_validators.check import check_import
from migrator_validators.workers import Workers

from migrator.model import Outcome, Rung
from tests.validators.pairs import CASES, check

GOOD = (Outcome.PASS, Outcome.GAP, Outcome.NOT_APPLICABLE)


@pytest.mark.parametrize(
    ("name", "top"),
    [
        ("rate", Rung.FORWARD),
        ("distances", Rung.GRADIENTS),
        ("shout", Rung.GRADIENTS),
        ("model", Rung.GRADIENTS),
        ("loss", Rung.GRADIENTS),
        ("layer", Rung.GRADIENTS),
        ("penalised", Rung.GRADIENTS),
        ("memory", Rung.GRADIENTS),
        ("data", Rung.BATCHES),
        ("script", Rung.RUNS),
    ],
)
def test_a_right_migration_climbs_to_the_top(name: str, top: Rung, workers: Workers) -> None:
    verdicts = check(name, workers).verdicts
    assert [v for v in verdicts if v.outcome not in GOOD] == []
    assert verdicts[-1].rung is top
    assert all(v.inputs == CASES[name].inputs_from for v in verdicts)


WRONG = [
    ("rate", Rung.FORWARD, ("RATE = 0.1", "RATE = 0.01")),
    ("rate", Rung.SPEC, ("RATE = 0.1", "RATE = '0.1'")),
    ("distances", Rung.FORWARD, ("torch.sqrt(d)", "torch.sqrt(d + 1e-4)")),
    ("distances", Rung.SPEC, ("torch.sqrt(d)", "torch.sqrt(d).double()")),
    ("distances", Rung.SPEC, ("torch.sqrt(d)", "torch.sqrt(d).numpy()")),
    ("distances", Rung.SPEC, ("torch.sqrt(d)", "(torch.sqrt(d), d)")),
    ("distances", Rung.SPEC, ("(a, b, squared=False)", "(b, a, squared=False)")),
    ("distances", Rung.SPEC, ("squared=False", "squared=True")),
    ("distances", Rung.GRADIENTS, ("torch.sqrt(d)", "torch.sqrt(d).detach()")),
    ("distances", Rung.FORWARD, ("torch.sqrt(d)", "torch.sqroot(d)")),
    ("shout", Rung.FORWARD, ('b"!"', 'b"?"')),
    ("shout", Rung.FORWARD, ("word.upper()", "word.swapcase()")),
    ("model", Rung.IMPORTS, ("import torch\n", "import tensorflow\nimport torch\n")),
    ("model", Rung.FORWARD, ("eps=1e-3, ", "")),
    ("model", Rung.FORWARD, ("x.permute(0, 2, 3, 1).flatten(1)", "x.flatten(1)")),
    ("model", Rung.FORWARD, ("F.softmax(self.fc(x.permute(0, 2, 3, 1).flatten(1)), dim=-1)", "self.fc(x.flatten(1))")),
    ("model", Rung.INIT, ("self.reset_parameters()\n\n", "\n")),
    ("model", Rung.WEIGHTS, ("self.dropout = nn", "self.extra = nn.Linear(2, 2)\n        self.dropout = nn")),
    ("model", Rung.TRAIN_FORWARD, ("momentum=0.01", "momentum=0.1")),
    ("model", Rung.TRAIN_FORWARD, ("nn.Dropout(rate)", "nn.Dropout(rate / 2)")),
    ("model", Rung.TRAIN_FORWARD, ("self.dropout(self.bn(F.relu(self.conv(x))))", "self.bn(F.relu(self.conv(x)))")),
    ("model", Rung.GRADIENTS, ("F.relu(self.conv(x))", "F.relu(self.conv(x)).detach()")),
    ("loss", Rung.FORWARD, ("F.nll_loss(torch.log(model(x)), y.long())", "F.cross_entropy(model(x), y.long())")),
    ("loss", Rung.FORWARD, ("y.long())", "y.long(), reduction='sum')")),
    ("layer", Rung.TRAIN_FORWARD, ("self.calls += 1", "pass")),
    ("layer", Rung.INIT, ("nn.init.xavier_uniform_(weight)", "nn.init.xavier_uniform_(weight, gain=0.8)")),
    ("layer", Rung.FORWARD, ("self.out(x @ self.kernel)", "self.out(x @ self.kernel).abs()")),
    ("penalised", Rung.FORWARD, ("0.05 * self.kernel", "0.0501 * self.kernel")),
    ("penalised", Rung.FORWARD, ("self.kernel.square()", "self.kernel.abs()")),
    ("penalised", Rung.FORWARD, ("0.1 * x.square()", "0.2 * x.square()")),
    ("memory", Rung.FORWARD, ("self.state = state.detach()", "pass")),
    ("memory", Rung.FORWARD, ("self.rnn(x, self.state)", "self.rnn(x, None)")),
    ("data", Rung.BATCHES, ("shuffle=True", "shuffle=False")),
    ("data", Rung.BATCHES, ("x / 2", "x / 3")),
    ("data", Rung.BATCHES, ("batch_size=4", "batch_size=4, drop_last=True")),
    ("script", Rung.RUNS, ('print("done")', "raise SystemExit(3)")),
    ("script", Rung.RUNS, ('print("done")', "undefined")),
]


@pytest.mark.parametrize(("name", "rung", "change"), WRONG)
def test_a_wrong_migration_fails_at_its_rung(name: str, rung: Rung, change: tuple[str, str], workers: Workers) -> None:
    verdicts = check(name, workers, change).verdicts
    assert [(v.rung, v.outcome) for v in verdicts if v.outcome not in GOOD] == [(rung, Outcome.FAIL)]
    assert verdicts[-1].detail


def test_an_order_that_a_permutation_draws_is_a_shuffle(workers: Workers) -> None:
    loader = "return DataLoader(TensorDataset(x / 2, torch.arange(n)), batch_size=4, shuffle=True)"
    rows = "[(x[i] / 2, i) for i in {}]"
    drawn = f"return DataLoader({rows.format('torch.randperm(n)')}, batch_size=4)"
    verdicts = check("data", workers, (loader, drawn)).verdicts
    assert (verdicts[-1].rung, verdicts[-1].outcome) == (Rung.BATCHES, Outcome.PASS)
    kept = f"return DataLoader({rows.format('torch.arange(n)')}, batch_size=4)"
    assert check("data", workers, (loader, kept)).verdicts[-1].outcome is Outcome.FAIL


def test_sizes_that_the_first_call_fixes_are_known(workers: Workers) -> None:
    lazy = ("self.fc = nn.Linear(256, classes)", "self.fc = nn.LazyLinear(classes)")
    late = ("for layer in (self.conv, self.fc):", "for layer in (self.conv,):")
    verdicts = check("model", workers, lazy, late, up_to=Rung.WEIGHTS).verdicts
    assert (verdicts[-1].rung, verdicts[-1].outcome) == (Rung.WEIGHTS, Outcome.PASS)


def test_a_documented_gap_is_its_own_verdict(workers: Workers) -> None:
    gap = next(v for v in check("small", workers) if v.rung is Rung.TRAIN_FORWARD)
    assert gap.outcome is Outcome.GAP
    figures = dict(gap.measured)
    assert figures["max difference"] < dict(gap.allowed)["max difference"] < figures["max difference as shipped"]


def test_a_gap_excuses_nothing_else(workers: Workers) -> None:
    verdict = check("small", workers, ("nn.BatchNorm1d(4, eps=1e-3, momentum=0.01)", "nn.BatchNorm1d(4, eps=1e-3)"))
    assert (verdict.verdicts[-1].rung, verdict.verdicts[-1].outcome) == (Rung.TRAIN_FORWARD, Outcome.FAIL)


def test_an_original_that_does_not_run_makes_the_unit_unverifiable(workers: Workers) -> None:
    (verdict,) = check("broken", workers)
    assert (verdict.rung, verdict.outcome) == (Rung.SOURCE_RUNS, Outcome.UNVERIFIABLE)
    assert "the original is broken (program.py:" in verdict.detail


def test_an_output_that_depends_on_nothing_is_no_evidence(workers: Workers) -> None:
    verdict = check("constant", workers).verdicts[-1]
    assert (verdict.rung, verdict.outcome) == (Rung.FORWARD, Outcome.UNVERIFIABLE)


def test_a_migration_that_hangs_is_neither_passed_nor_failed(workers: Workers) -> None:
    verdict = check("rate", workers, ("RATE = 0.1", "while True: pass"), timeout=5.0).verdicts[-1]
    assert verdict.outcome is Outcome.INFRA


def test_the_ladder_stops_where_told(workers: Workers) -> None:
    verdicts = check("model", workers, up_to=Rung.FORWARD).verdicts
    assert verdicts[-1].rung is Rung.FORWARD


def test_resolved_weight_maps_come_back(workers: Workers) -> None:
    ((label, pairs),) = check("model", workers, up_to=Rung.FORWARD).weights
    assert label == "self"
    found = {pair.target: (pair.source, pair.transform) for pair in pairs}
    assert found["conv.weight"] == ("weights[0]", "transpose(3,2,0,1)")
    assert found["bn.running_var"] == ("weights[5]", "")


def test_a_library_of_the_original_that_is_not_installed_rejects_nothing(workers: Workers, tmp_path: Path) -> None:
    (tmp_path / "m.py").write_text("import no_such_library.part\nimport torch\n")
    known = check_import("m", tmp_path, workers, foreign={"no_such_library"})
    assert known.outcome is Outcome.UNVERIFIABLE
    assert known.detail.startswith("no_such_library is not installed")
    assert check_import("m", tmp_path, workers).outcome is Outcome.FAIL  # a library that the rewrite brought in
