"""Calls are varied as far as the original accepts it: what one recorded input cannot show is found."""

from __future__ import annotations

import ast

import pytest
from migrator_validators.cases import Array, Call, Case, Lit
from migrator_validators.check import check_case
from migrator_validators.hints import Modules, hinted
from migrator_validators.variations import variations
from migrator_validators.workers import Workers, pack_tree

from migrator.model import Outcome, Rung
from tests.validators import pairs

SOURCE = """
import tensorflow as tf

LIMIT = 0.5


def hinge(y, p, margin=1.0, squared=False):
    loss = tf.maximum(margin - y * p, 0.0)
    if squared:
        loss = tf.square(loss)
    return tf.reduce_mean(loss)


def reduce(x, mode="sum", axis=-1):
    if mode == "sum":
        return tf.reduce_sum(x, axis=axis)
    return tf.reduce_mean(x, axis=axis)


def hard(x):
    return tf.where(x > LIMIT, x, tf.zeros_like(x))


def centre(x):
    return x - tf.reduce_mean(x, axis=0, keepdims=True)


def scores(q, mask=None):
    s = tf.matmul(q, q, transpose_b=True)
    if mask is not None:
        s += (1.0 - mask) * -1e9
    return tf.nn.softmax(s)


def known(x):
    return tf.where(tf.math.is_nan(x), tf.zeros_like(x), x)


def largest(x):
    return tf.reduce_max(x)


def three(x):
    if x.shape[-1] != 3:
        raise ValueError("three columns, please")
    return tf.reduce_sum(x, axis=-1)


def pairs_of(x):
    return tf.reduce_sum(tf.reshape(x, (-1, 2, 3)), axis=1)


def warmup(step, warm=5, total=40):
    step = tf.cast(step, tf.float32)
    down = 1.0 - (step - warm) / (total - warm)
    return tf.where(step < warm, step / warm, tf.where(step > total, 0.0, down))


def products(x, y):
    return tf.einsum("ad,bd->ab", x, y) / y.shape[0]


def counts(labels, classes):
    return tf.stack([tf.reduce_sum(tf.cast(labels == c, tf.int64)) for c in range(classes)])


def number(text):
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    return tf.constant(value)


def unit(x):
    return tf.math.l2_normalize(x, axis=-1)


def direction(x):
    return tf.sign(x)


def stepped(x):
    return tf.round(x * 8.0) / 8.0


TABLE = {"relu": tf.nn.relu, "tanh": tf.tanh, "gelu": tf.nn.gelu}


def bend(x, name="relu"):
    return TABLE[name](x)


def worst(x):
    return tf.argmax(x, axis=0)
"""

TARGET = """
import torch
import torch.nn.functional as F

LIMIT = 0.5


def hinge(y, p, margin=1.0, squared=False):
    loss = (margin - y * p).clamp(min=0.0)
    if squared:
        loss = torch.square(loss)
    return loss.mean()


def reduce(x, mode="sum", axis=-1):
    if mode == "sum":
        return x.sum(axis)
    return x.mean(axis)


def hard(x):
    return torch.where(x > LIMIT, x, torch.zeros_like(x))


def centre(x):
    return x - x.mean(0, keepdim=True)


def scores(q, mask=None):
    s = q @ q.mT
    if mask is not None:
        s = s + (1.0 - mask) * -1e9
    return F.softmax(s, dim=-1)


def known(x):
    return torch.where(torch.isnan(x), torch.zeros_like(x), x)


def largest(x):
    return x.max()


def three(x):
    if x.shape[-1] != 3:
        raise ValueError("three columns, please")
    return x.sum(-1)


def pairs_of(x):
    return x.reshape(-1, 2, 3).sum(1)


def warmup(step, warm=5, total=40):
    step = torch.tensor(step, dtype=torch.float32)
    down = 1.0 - (step - warm) / (total - warm)
    return torch.where(step < warm, step / warm, torch.where(step > total, 0.0, down))


def products(x, y):
    return torch.einsum("ad,bd->ab", x, y) / y.shape[0]


def counts(labels, classes):
    return torch.stack([(labels == c).sum() for c in range(classes)])


def number(text):
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    return torch.tensor(value)


def unit(x):
    return F.normalize(x, dim=-1, eps=1e-6)


def direction(x):
    return torch.sign(x)


def stepped(x):
    return torch.round(x * 8.0) / 8.0


TABLE = {"relu": F.relu, "tanh": torch.tanh, "gelu": F.gelu}


def bend(x, name="relu"):
    return TABLE[name](x)


def worst(x):
    return x.shape[0] - 1 - torch.argmax(x.flip(0), dim=0)  # of equal ones the last
"""

X = Array(shape=(2, 3), values=[[0.3, 0.2, 0.6], [0.7, 0.1, 0.2]])
Y = Array(shape=(2, 3), values=[[1.0, -1.0, 1.0], [-1.0, 1.0, 1.0]])
Q = Array(shape=(2, 4, 5), dist="normal")
LABELS = Array(shape=(4,), dtype="int64", values=[0, 1, 1, 0])
ARGS = {
    "hinge": (Y, X),
    "scores": (Q,),
    "warmup": (Lit(value=3),),
    "products": (X, Y),
    "counts": (LABELS, Lit(value=3)),
    "number": (Lit(value="1.5"),),
}


def case(name: str, written: str = TARGET) -> Case:
    """One recorded call with hints of both texts."""
    call = Call(source=f"program:{name}", args=ARGS.get(name, (X,)))
    own = Modules({"program": ast.parse(written)}).find("program", name)
    text = "" if own is None else ast.unparse(own)
    return hinted(Case(id=name, kind="function", call=call), Modules({"program": ast.parse(SOURCE)}), text)


def failed(name: str, workers: Workers, *change: str) -> str:
    """What the verifier says against the migrated function, "" for nothing."""
    target = TARGET.replace(*change) if change else TARGET
    assert not change or target != TARGET
    trees = pack_tree({"program.py": SOURCE}), pack_tree({"program.py": target})
    verdicts = check_case(case(name, target), *trees, workers).verdicts
    found = [v for v in verdicts if v.outcome not in (Outcome.PASS, Outcome.NOT_APPLICABLE)]
    assert found or verdicts[-1].rung is Rung.GRADIENTS
    assert all(v.outcome is Outcome.FAIL for v in found)
    return found[0].detail if found else ""


RIGHT = [
    "hinge",
    "reduce",
    "hard",
    "centre",
    "scores",
    "known",
    "largest",
    "three",
    "pairs_of",
    "warmup",
    "products",
    "counts",
    "number",
]


@pytest.mark.parametrize("name", [*RIGHT, "unit", "direction", "stepped", "bend", "worst"])
def test_right_functions_pass(name: str, workers: Workers) -> None:
    assert failed(name, workers) == ""


@pytest.mark.parametrize(
    ("name", "change", "said"),
    [
        ("hinge", ("torch.square(loss)", "loss"), "squared=True"),
        ("hinge", ("(margin - y * p)", "(1.0 - y * p)"), "margin="),
        ("reduce", ("x.mean(axis)", "x.sum(axis)"), "mode='other'"),
        ("reduce", ("x.mean(axis)", "x.mean(-1)"), "axis="),
        (
            "three",
            ('    if x.shape[-1] != 3:\n        raise ValueError("three columns, please")\n', ""),
            "raises nothing",
        ),
        ("three", ("raise ValueError", "raise TypeError"), "TypeError: three columns, please where the original"),
        ("warmup", ("torch.where(step > total, 0.0, down)", "down"), "step=41"),
        ("warmup", ("torch.where(step > total, 0.0, down)", "down.abs()"), "step=41"),
        ("warmup", ("step > total, 0.0, down", "step > total, 1.0 * (step > 80), down"), "step=81"),
        ("products", ("/ y.shape[0]", "/ x.shape[0]"), "for the size 2 of"),
        ("counts", ("range(classes)", "range(3)"), "classes="),
        ("number", ("value = 0.0", "value = 1.0"), "text='other'"),
        ("hard", ("x > LIMIT", "x >= LIMIT"), "0.5"),
        ("hard", ("x > LIMIT", "x > 0.55"), ""),
        ("centre", ("x.mean(0, keepdim=True)", "x.sum(0, keepdim=True) / 2"), "batch size"),
        ("centre", ("x.mean(0, keepdim=True)", "x.reshape(2, 3).mean(0, keepdim=True)"), "batch size"),
        ("scores", ("(1.0 - mask)", "mask"), "mask=an array"),
        ("known", ("torch.where(torch.isnan(x), torch.zeros_like(x), x)", "torch.nan_to_num(x)"), "infinities"),
        ("largest", ("x.max()", "x.abs().max()"), "opposite signs"),
        ("unit", ("F.normalize(x, dim=-1, eps=1e-6)", "F.normalize(x, dim=-1)"), "near zero"),
        ("direction", ("torch.sign(x)", "x / x.abs()"), "NaN"),
        ("stepped", ("torch.round(x * 8.0)", "torch.floor(x * 8.0 + 0.5)"), "equal values"),
        ("bend", ('"gelu": F.gelu', '"gelu": F.relu'), "name='gelu'"),
        ("centre", ("keepdim=True)", "keepdim=True) * (x.shape[0] < 90)"), "91 for the size 2"),
        ("largest", ("x.max()", "x.max() if x.numel() < 90 else x.min()"), "91 for the size"),
        ("largest", ("x.max()", "x.clamp(max=900.0).max()"), "900"),
    ],
)
def test_what_one_input_cannot_show_is_found(name: str, change: tuple[str, str], said: str, workers: Workers) -> None:
    found = failed(name, workers, *change)
    assert found
    assert said in found


def test_which_of_equal_elements_is_chosen_is_a_footnote(workers: Workers) -> None:
    trees = pack_tree({"program.py": SOURCE}), pack_tree({"program.py": TARGET})
    notes = [note for v in check_case(case("worst"), *trees, workers).verdicts for note in v.unchecked]
    assert "equal values among the inputs: the results differ" in notes


def test_what_the_original_refuses_is_no_input(workers: Workers) -> None:
    change = "x.reshape(-1, 2, 3)", "x.reshape(x.shape[0] // 2, -1, 3)"
    assert failed("pairs_of", workers, *change) == ""


def test_what_is_varied_is_said() -> None:
    names = [v.name for v in variations(case("hinge"))]
    assert names[:3] == ["another batch size", "a batch of one", "4 for the size 3"]
    assert "squared=True" in names
    assert "squared=True, margin=0.5 and another batch size" in names
    assert "values at and around 1, 0" in names


def test_a_case_without_hints_is_not_varied() -> None:
    assert variations(Case(id="a", kind="function", call=Call(source="p:f", args=(X, Lit(value=True))))) == ()


def test_other_values_have_the_shape_of_those_that_are_given() -> None:
    given = Array(dtype="int64", values=[0, 2, 2, 1])
    case = Case(id="c", kind="function", call=Call(source="m:f", args=(Array(shape=(4, 3)), given)))
    made = {
        v.name: v.case for v in variations(hinted(case, Modules({"m": ast.parse("def f(x, ids):\n    return x\n")})))
    }
    ids = made["other values"].call.args[1]
    assert isinstance(ids, Array)
    assert (ids.values, ids.shape) == (None, (4,))


EMBEDDED = "class Tokens(layers.Layer):\n    def __init__(self):\n        self.table = layers.Embedding(9, 2)\n"
"""What looks ids up, with Keras's default dtype of an `Input`: float32."""


@pytest.mark.parametrize(
    ("source", "given", "negated"),
    [
        (EMBEDDED, Array(values=[[0.0, 5.0, 8.0]]), False),
        (EMBEDDED, Array(shape=("N", 3), dist="uniform", low=0.0, high=8.0), False),
        (EMBEDDED, Array(values=[[0.0, 5.5, 8.0]]), True),
        (EMBEDDED, Array(values=[[-1.0, 5.0, 8.0]]), True),
        (EMBEDDED, Array(values=[[0.0, 1.0, 1.0]]), True),
        (EMBEDDED, Array(shape=("N", 3)), True),
        (EMBEDDED.replace("Embedding", "Dense"), Array(values=[[0.0, 5.0, 8.0]]), True),
    ],
)
def test_ids_given_as_floats_keep_their_signs(source: str, given: Array, negated: bool) -> None:
    case = Case(id="c", kind="layer", call=Call(source="m:Tokens"), inputs=(given,))
    varied = list(variations(hinted(case, Modules({"m": ast.parse(source)}))))
    assert any(v.change == "negated" for v in varied) == negated


def test_ids_given_as_floats_stay_whole() -> None:
    given = Array(values=[[0.0, 5.0, 8.0]])
    case = Case(id="c", kind="layer", call=Call(source="m:Tokens"), inputs=(given,))
    varied = {v.name: v.case for v in variations(hinted(case, Modules({"m": ast.parse(EMBEDDED)})))}
    (other,) = varied["other values"].inputs
    assert isinstance(other, Array)
    assert (other.dist, other.low, other.high) == ("integers", 0.0, 9.0)


def test_what_a_layer_adds_to_the_loss_for_nan_is_nan_on_both_sides(workers: Workers) -> None:
    varied = hinted(pairs.CASES["penalised"], Modules({"program": ast.parse(pairs.SOURCE)}))
    assert any(v.name == "some NaN" for v in variations(varied))
    trees = pack_tree({"program.py": pairs.SOURCE}), pack_tree({"program.py": pairs.TARGET})
    verdicts = check_case(varied, *trees, workers).verdicts
    assert [v for v in verdicts if v.outcome not in (Outcome.PASS, Outcome.NOT_APPLICABLE)] == []
    wrong = pack_tree({"program.py": pairs.TARGET.replace("0.1 * x.square()", "0.2 * x.square()")})
    assert any(v.outcome is Outcome.FAIL for v in check_case(varied, trees[0], wrong, workers).verdicts)
