"""Every sample of every layer: built on both sides, weights moved, outputs and gradients compared."""

from __future__ import annotations

import ast
import re
from typing import Any

import numpy as np
import pytest
from migrator_validators.matching import _weight_index
from migrator_validators.weights import apply, apply_gradient
from running import difference, flat, make, same_draws, weights

from migrator.model import Decline, LayerCode
from migrator.rules import rulebook
from migrator.rules.engine.records import LayerRule
from migrator.rules.engine.registry import all_layers
from migrator.rules.engine.samples import Array, Code, Sample
from migrator.values import Instance, Literal, Sequence, Tensor, Unknown, Value

RULES = rulebook()
CASES = [
    pytest.param(rule, sample, id=f"{rule.api}-{index}")
    for rule in all_layers()
    for index, sample in enumerate(rule.samples)
    if rule.keras != 2
]


def arrays_of(sample: Sample) -> list[Array]:
    first = sample.args[0]
    if isinstance(first, Code):
        return [a for _, a in first.arrays]
    assert isinstance(first, Array)
    return [first]


def given_arrays(sample: Sample) -> list[Array]:
    """The arrays of the layer's inputs: of a tuple those that are given by position."""
    first = sample.args[0]
    if not isinstance(first, Code) or not first.text.startswith("("):
        return arrays_of(sample)
    tree = ast.parse(first.text, mode="eval").body
    assert isinstance(tree, ast.Tuple)
    return [dict(first.arrays)[e.id] for e in tree.elts if isinstance(e, ast.Name)]


def code_of(rule: LayerRule, sample: Sample, sizes_known: bool = True) -> LayerCode | Decline:
    given = {**dict(zip(rule.signature.names, sample.args[1:], strict=False)), **dict(sample.kwargs)}
    values: dict[str, Value] = {n: Literal(v) if _plain(v) else Unknown() for n, v in given.items()}

    def value(array: Array) -> Tensor:
        middle = array.shape[1:-1] if sizes_known else (None,) * (len(array.shape) - 2)
        return Tensor((None, *middle, array.shape[-1]), array.dtype)

    texts = {n: v.text if isinstance(v, Code) else repr(v) for n, v in given.items()}
    values |= {n: instance_of(v.text) for n, v in given.items() if isinstance(v, Code)}
    return RULES.layer(rule.api, texts, values, tuple(map(value, given_arrays(sample))))


def instance_of(text: str) -> Value:
    """What the facts know of `layers.LSTM(4, return_sequences=True)`."""
    return value_of(ast.parse(text, mode="eval").body)


def value_of(tree: ast.expr) -> Value:
    if isinstance(tree, ast.List):
        return Sequence("list", tuple(map(value_of, tree.elts)))
    if not isinstance(tree, ast.Call):
        return Literal(ast.literal_eval(tree))
    assert isinstance(tree.func, ast.Attribute)
    api = f"tf.keras.layers.{tree.func.attr}"
    found = (r.signature.names for r in all_layers() if r.api == api and r.keras != 2)
    names = next(found, ("cells",))
    pairs = [*zip(names, tree.args, strict=False), *((str(k.arg), k.value) for k in tree.keywords)]
    return Instance(api, args=tuple((n, value_of(v)) for n, v in pairs))


def _plain(value: object) -> bool:
    return value is None or isinstance(value, (bool, int, float, str))


@pytest.mark.parametrize(("rule", "sample"), CASES)
def test_sample(rule: LayerRule, sample: Sample) -> None:
    code = code_of(rule, sample)
    if sample.declines:
        assert isinstance(code, Decline)
        return
    assert isinstance(code, LayerCode), code
    check(rule, sample, code)
    unsized = code_of(rule, sample, sizes_known=False)
    if isinstance(unsized, LayerCode) and unsized != code:
        check(rule, sample, unsized)


NOISE = ("Dropout", "Noise")
RANDOM = (*NOISE, "layers.Random", "Solarization", "MixUp", "CutMix")
CHAINS = ("RandAugment", "AugMix")


def check(rule: LayerRule, sample: Sample, code: LayerCode) -> None:
    problem = ""
    for wide in (False, True):
        for training in (False, True):
            if training and any(word in rule.api for word in (*RANDOM, *CHAINS)):
                continue
            problem = compare(rule, sample, code, wide, training)
            if problem:
                break
        if not problem:
            return
    raise AssertionError(f"{rule.api} {sample.args[1:]} {sample.kwargs}\n{code}\n{problem}")


def keras_layer(rule: LayerRule, sample: Sample, wide: bool) -> Any:
    import tensorflow as tf

    kind = getattr(tf.keras.layers, rule.api.rpartition(".")[2])
    scope = {"layers": tf.keras.layers, "keras": tf.keras}
    args = [eval(a.text, scope) if isinstance(a, Code) else a for a in sample.args[1:]]
    kwargs = {k: eval(v.text, scope) if isinstance(v, Code) else v for k, v in sample.kwargs}
    dtype = "float64" if wide else "float32"
    if any(isinstance(a, Code) for a in [*sample.args[1:], *dict(sample.kwargs).values()]):
        tf.keras.backend.set_floatx(dtype)  # layers given as arguments have no dtype of their own
    try:
        return kind(*args, **kwargs, dtype=dtype)
    finally:
        tf.keras.backend.set_floatx("float32")


def called(layer: Any, sample: Sample, tensors: list[Any], training: bool | None) -> Any:
    """The layer's result: a list is one argument, a tuple several."""
    first = sample.args[0]
    more = {} if training is None or not _takes_training(layer) else {"training": training}
    if not isinstance(first, Code):
        return layer(tensors[0], **more)
    named = dict(zip([n for n, _ in first.arrays], tensors, strict=True))
    given = eval(first.text, {}, named)
    if not isinstance(given, tuple):
        return layer(given, **more)
    plain = [g for g in given if not isinstance(g, dict)]
    return layer(*plain, **{k: v for g in given if isinstance(g, dict) for k, v in g.items()}, **more)


def compare(rule: LayerRule, sample: Sample, code: LayerCode, wide: bool, training: bool) -> str:
    import tensorflow as tf

    inputs = [make(a, seed, wide) for seed, a in enumerate(arrays_of(sample))]
    layer = keras_layer(rule, sample, wide)
    tensors = [tf.constant(x) for x in inputs]
    called(layer, sample, tensors, None)
    for index, variable in enumerate(layer.weights):
        positive = "variance" in variable.name
        drawn = make(Array(tuple(variable.shape), dist="positive" if positive else "normal"), 100 + index, wide)
        variable.assign(drawn)
    before = {v.path: v.numpy() for v in layer.weights}
    with tf.GradientTape() as tape:
        for x in tensors:
            tape.watch(x)
        out = [o for o in flat(called(layer, sample, tensors, training)) if tf.is_tensor(o)]
        loss = sum(tf.reduce_sum(o * tf.constant(weights(o.shape), o.dtype)) for o in out)
    trained = list(layer.trainable_variables)
    grads = tape.gradient(loss, [*tensors, *trained])
    found = run_code(code, sample, inputs, before, training, wide)
    expected = {
        v.path: np.asarray(tf.convert_to_tensor(g))
        for v, g in zip(trained, grads[len(tensors) :], strict=True)
        if g is not None
    }
    wanted = [None if g is None else np.asarray(tf.convert_to_tensor(g)) for g in grads[: len(tensors)]]
    wanted += [carried(code, name, expected, apply_gradient) for name in found[2]]
    return difference([o.numpy() for o in out], found[0]) or "gradients: " * bool(d := difference(wanted, found[1])) + d


def carried(code: LayerCode, target: str, keras: dict[str, Any], change: Any) -> Any:
    """What the Keras arrays make of a torch weight, by the layer's own map; None where nothing does."""
    paths = list(keras)
    layer = {"weights": list(range(len(paths))), "attributes": {}}
    parts = []
    for name, own, transform in code.params:
        if own == target:
            index = _weight_index(name, layer, [{"name": path} for path in paths])
            if index is not None:
                parts.append(change(transform, keras[paths[index]]))
    return None if not parts else parts[0] if len(parts) == 1 else np.concatenate(parts)


def _takes_training(layer: Any) -> bool:
    import inspect

    return "training" in inspect.signature(layer.call).parameters


def module_of(code: LayerCode, wide: bool, training: bool) -> tuple[Any, dict[str, Any]]:
    """The initialised module of the generated texts, and the scope they run in."""
    import torch

    scope: dict[str, Any] = {}
    exec("import torch\nimport torch.nn.functional as F\nfrom torch import nn\n", scope)
    forms = [f.helpers for f in (code.form, code.masked) if f is not None]
    for helper in [*code.helpers, *(h for f in forms for h in f)]:
        exec("\n".join([*helper.imports, helper.source]), scope)
    if code.module is None:
        return None, scope
    module = scope["module"] = eval(code.module, scope).train(training)
    module = module.double() if wide else module
    with torch.no_grad():
        for statement in code.init:
            exec(statement.replace("{self}", "module"), scope)
    return module, scope


def call_text(code: LayerCode, sample: Sample) -> str:
    """The call, with the inputs under the names `x0`, `x1` … and other arguments where the sample gives them."""
    first = sample.args[0]
    names = [n for n, _ in first.arrays] if isinstance(first, Code) else ["x"]
    text = code.forward
    if isinstance(first, Code) and first.text.startswith("("):
        given = ast.parse(first.text, mode="eval").body
        assert isinstance(given, ast.Tuple)
        keywords = {str(k.arg): k.value for e in given.elts if isinstance(e, ast.Call) for k in e.keywords}
        form = code.masked if "mask" in keywords else code.form
        assert form is not None
        plain = [e for e in given.elts if not isinstance(e, ast.Call)]
        values = {n: ast.unparse(v) for n, v in [*zip(form.params, plain, strict=False), *keywords.items()]}
        text = form.forward
        for name, template in form.given:
            if name not in values:
                text = re.sub(rf", (\w+=)?\{{given_{name}\}}", "", text)
                continue
            hole = template.replace("{v}", values[name]).replace("{one}", values[name])
            text = text.replace(f"{{given_{name}}}", hole)
        assert set(values) <= {form.params[0], *(n for n, _ in form.given)}
        text = text.replace("{x}", ast.unparse(plain[0]))
    else:
        for index, name in enumerate(names):
            text = text.replace(f"{{x{index}}}", name)
        text = text.replace("{x}", names[0])
    text = text.replace("{self}", "module")
    return text if code.activation is None else code.activation.replace("{x}", f"({text})")


def run_code(
    code: LayerCode,
    sample: Sample,
    inputs: list[np.ndarray[Any, Any]],
    keras: dict[str, Any],
    training: bool,
    wide: bool,
) -> tuple[list[Any], list[Any], list[str]]:
    """Outputs, gradients of inputs and mapped weights, and the names of these weights."""
    import torch

    module, scope = module_of(code, wide, training)
    targets = list(dict.fromkeys(target for _, target, _ in code.params))
    if module is not None:
        state = module.state_dict()
        for target in targets:
            state[target].copy_(torch.tensor(carried(code, target, keras, apply)))
        used = {n for n, _, _ in code.params}
        assert len(used) >= len({k for k in keras if "seed_generator" not in k}), f"{list(keras)} are not all carried"
    tensors = [torch.tensor(x, requires_grad=x.dtype.kind == "f") for x in inputs]
    moved = [t.movedim(-1, 1) if code.layout == "nchw" and t.dim() > 2 else t for t in tensors]
    first = sample.args[0]
    names = [n for n, _ in first.arrays] if isinstance(first, Code) else ["x"]
    scope.update(zip(names, moved, strict=True))
    out = [o for o in flat(eval(call_text(code, sample), scope)) if torch.is_tensor(o)]
    out = [o.movedim(1, -1) if code.layout == "nchw" and o.dim() > 2 else o for o in out]
    named = dict(module.named_parameters()) if module is not None else {}
    trained = [t for t in targets if t in named and named[t].requires_grad]
    wanted = [*(t for t in tensors if t.requires_grad), *(named[t] for t in trained)]
    loss = sum((o * torch.as_tensor(weights(o.shape), dtype=o.dtype)).sum() for o in out)
    connected = torch.is_tensor(loss) and loss.requires_grad  # ids have no gradient on either side
    grads = iter(torch.autograd.grad(loss, wanted, allow_unused=True) if wanted and connected else [None] * len(wanted))
    results = [next(grads) if t.requires_grad else None for t in tensors] + list(grads)
    return [o.detach().numpy() for o in out], [None if g is None else g.numpy() for g in results], trained


NOISY = [pytest.param(r, id=r.api) for r in all_layers() if any(w in r.api for w in NOISE) and r.keras != 2]
CHANGED = [c for c in CASES if any(w in c.values[0].api for w in CHAINS) and not c.values[1].declines]
IMAGES = [c for c in CASES if any(w in c.values[0].api for w in RANDOM[2:]) and not c.values[1].declines]


@pytest.mark.parametrize(("rule", "sample"), IMAGES)
@pytest.mark.parametrize("start", [0.0, 0.37])
def test_images_are_changed_alike_by_the_same_draws(
    rule: LayerRule, sample: Sample, start: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both sides draw the same numbers, one stream in order: what they make of them is equal."""
    import tensorflow as tf
    import torch
    from keras.src.backend.tensorflow import random as draws

    def numbers(count: int) -> Any:
        first = len(drawn)
        drawn.extend(range(count))
        return (start + 0.618 * np.arange(first, first + count)) % 1.0

    def uniform(shape: Any, minval: float = 0.0, maxval: float = 1.0, dtype: Any = None, seed: Any = None) -> Any:
        found = numbers(int(np.prod(shape, dtype=int))).reshape(tuple(int(n) for n in shape)).astype("float32")
        return tf.constant(found) * (maxval - minval) + minval

    def integers(shape: Any, minval: int, maxval: int, dtype: Any = "int32", seed: Any = None) -> Any:
        return tf.cast(tf.floor(uniform(shape, minval, maxval)), dtype)

    def normal(shape: Any, mean: float = 0.0, stddev: float = 1.0, dtype: Any = None, seed: Any = None) -> Any:
        return tf.fill(shape, uniform((), 0.0, 1.0))

    def beta(shape: Any, alpha: Any, beta: Any, dtype: Any = None, seed: Any = None) -> Any:
        return uniform(shape)

    def shuffle(x: Any, axis: int = 0, seed: Any = None) -> Any:
        return tf.gather(x, np.argsort(numbers(len(x))), axis=axis)

    def rand(*shape: Any, **_: Any) -> Any:
        sizes = shape[0] if shape and isinstance(shape[0], tuple) else shape
        return torch.tensor(numbers(int(np.prod(sizes, dtype=int))).reshape(sizes).astype("float32"))

    def randint(low: int, high: int, size: tuple[int, ...], **_: Any) -> Any:
        return (low + rand(*size) * (high - low)).floor().long()

    drawn: list[int] = []
    array = make(arrays_of(sample)[0], 0)
    for drawing in (uniform, normal, beta, shuffle):
        monkeypatch.setattr(draws, drawing.__name__, drawing)
    monkeypatch.setattr(draws, "randint", integers)
    expected = keras_layer(rule, sample, False)(array, training=True).numpy()
    count, drawn = len(drawn), []
    monkeypatch.setattr(torch, "rand", rand)
    monkeypatch.setattr(torch, "randint", randint)
    monkeypatch.setattr(torch, "randn_like", lambda x: torch.full_like(x, float(rand())))
    monkeypatch.setattr(torch, "randperm", lambda n, **_: rand(n).argsort())
    monkeypatch.setattr(torch.distributions.Beta, "sample", lambda self, shape=(): rand(*shape))
    code = code_of(rule, sample)
    assert isinstance(code, LayerCode)
    _, scope = module_of(code, False, True)
    scope["x"] = torch.tensor(array).movedim(-1, 1)
    found = eval(call_text(code, sample), scope).movedim(1, -1).numpy()
    assert len(drawn) == count > 0
    assert expected.shape != array.shape or np.abs(expected - array).max() > 0.1
    np.testing.assert_allclose(found, expected, atol=2e-4)


@pytest.mark.parametrize(("rule", "sample"), CHANGED)
@pytest.mark.parametrize("start", range(12))
def test_the_same_changes_of_images_are_chosen_and_made(
    rule: LayerRule, sample: Sample, start: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each start chooses another change; each draws the same numbers, however many others have drawn."""
    import random

    import tensorflow as tf
    import torch
    from keras.src.backend.tensorflow import random as draws

    def numbers(shape: Any) -> Any:
        sizes = tuple(int(n) for n in shape)
        return ((0.37 + 0.618 * np.arange(np.prod(sizes, dtype=int))) % 1.0).reshape(sizes).astype("float32")

    def uniform(shape: Any, minval: float = 0.0, maxval: float = 1.0, **_: Any) -> Any:
        return tf.constant(numbers(shape)) * (maxval - minval) + minval

    def choices(low: int, high: int, size: Any) -> Any:
        return np.full(size, start % (high - low) + low)

    def integers(shape: Any, minval: int, maxval: int, dtype: Any = "int32", seed: Any = None) -> Any:
        return tf.constant(choices(minval, maxval, shape), dtype)

    def dirichlet(self: Any) -> Any:
        found = numbers(self.concentration.shape)
        return torch.tensor(found / found.sum())

    monkeypatch.setattr(draws, "uniform", uniform)
    monkeypatch.setattr(draws, "randint", integers)
    for name in ("beta", "gamma"):
        monkeypatch.setattr(draws, name, lambda shape, alpha, beta=0.0, **_: uniform(shape))
    monkeypatch.setattr(random, "choice", lambda names: names[start % len(names)])
    array = make(arrays_of(sample)[0], 0)
    expected = keras_layer(rule, sample, False)(array, training=True).numpy()
    code = code_of(rule, sample)
    assert isinstance(code, LayerCode)
    monkeypatch.setattr(torch, "rand", lambda *s, **_: torch.tensor(numbers(s[0] if isinstance(s[0], tuple) else s)))
    monkeypatch.setattr(torch, "randint", lambda low, high, size, **_: torch.tensor(choices(low, high, size)))
    monkeypatch.setattr(torch.distributions.Beta, "sample", lambda self, shape=(): torch.tensor(numbers(shape)))
    monkeypatch.setattr(torch.distributions.Dirichlet, "sample", dirichlet)
    _, scope = module_of(code, False, True)
    scope["x"] = torch.tensor(array).movedim(-1, 1)
    found = eval(call_text(code, sample), scope).movedim(1, -1).numpy()
    np.testing.assert_allclose(found, expected, atol=2e-4)


@pytest.mark.parametrize("rule", NOISY)
def test_noise_agrees_in_distribution(rule: LayerRule) -> None:
    """Mean and spread over many draws on ones, and over whole channels where these are drawn together."""
    import torch

    same_draws()
    sample = next(s for s in rule.samples if not s.declines)
    array = arrays_of(sample)[0]
    ones = np.ones((64_000, *array.shape[1:]), "float32")
    code = code_of(rule, sample)
    assert isinstance(code, LayerCode)
    expected = keras_layer(rule, sample, False)(ones, training=True).numpy()
    _, scope = module_of(code, False, True)
    x = torch.tensor(ones)
    scope["x"] = x.movedim(-1, 1) if code.layout == "nchw" else x
    found = eval(call_text(code, sample), scope)
    found = (found.movedim(1, -1) if code.layout == "nchw" else found).numpy()
    for measure in (lambda a: a.mean(), lambda a: a.std(), lambda a: a.mean(axis=tuple(range(1, a.ndim - 1))).std()):
        assert measure(found) == pytest.approx(measure(expected), abs=0.03)
