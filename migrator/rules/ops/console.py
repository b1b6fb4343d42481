"""`tf.keras.utils` for people who watch: progress bars, pictures of models, text with tensors in it."""
# mypy: disable-error-code="no-untyped-def, no-untyped-call, misc, operator"

from __future__ import annotations

from migrator.model import Helper
from migrator.rules.engine.declining import Decline
from migrator.rules.engine.kinds import Ignored
from migrator.rules.engine.registry import rule
from migrator.rules.engine.samples import Sample, block, no_grad

Progbar = Helper(
    "Progbar",
    '''class Progbar:
    """A line that says how far a loop is, and the means of the values that it is given."""

    def __init__(self, target, verbose=1, stateful_metrics=()):
        self.target = target
        self.verbose = verbose
        self.stateful_metrics = set(stateful_metrics or ())
        self.seen_so_far = 0
        self.sums = {}

    def update(self, current, values=None, finalize=None):
        for name, value in values or ():
            total, weight = self.sums.get(name, (0.0, 0))
            steps = max(current - self.seen_so_far, 1)
            kept = name in self.stateful_metrics
            self.sums[name] = (float(value), 1) if kept else (total + float(value) * steps, weight + steps)
        self.seen_so_far = current
        means = "".join(f" - {name}: {total / weight:.4f}" for name, (total, weight) in self.sums.items())
        done = current >= self.target if finalize is None and self.target else bool(finalize)
        if self.verbose:
            print(f"\\r{current}/{self.target or 'Unknown'}{means}", end="\\n" if done else "", flush=True)

    def add(self, n, values=None):
        self.update(self.seen_so_far + n, values)
''',
)


def _bars(text: str) -> Sample:
    return no_grad(block(f"bar = tf.keras.utils.Progbar({text}\nreturn bar.target, sorted(bar.stateful_metrics)"))


_BARS = [
    _bars("5, verbose=0)\nbar.add(2, values=[('loss', 0.5)])\nbar.add(1)"),
    _bars("None, stateful_metrics=['accuracy'], verbose=0)\nbar.update(3, [('accuracy', 0.25)])"),
    _bars("target=2, verbose=0)\nbar.update(1)\nbar.update(2, values=[('loss', tf.constant(1.5))], finalize=True)"),
]


@rule("tf.keras.utils.Progbar", samples=_BARS, gaps=["the bar looks different"])
def progbar(
    target,
    width: Ignored = 20,
    verbose=1,
    interval: Ignored = 0.05,
    stateful_metrics=None,
    stateless_metrics=None,
    unit_name: Ignored = "step",
):
    if stateless_metrics is not None:
        raise Decline("metrics that are named as means")
    return Progbar(target, verbose=verbose, stateful_metrics=stateful_metrics)


@rule(
    "tf.keras.utils.plot_model",
    samples=(),
    gaps=["torch draws no pictures of modules: their tree is printed, and no file is written"],
)
def plot(
    model,
    to_file: Ignored = "model.png",
    show_shapes: Ignored = False,
    show_dtype: Ignored = False,
    show_layer_names: Ignored = False,
    rankdir: Ignored = "TB",
    expand_nested: Ignored = False,
    dpi: Ignored = 200,
    show_layer_activations: Ignored = False,
    show_trainable: Ignored = False,
    splines: Ignored = "ortho",
    *,
    layer_range: Ignored = None,
):
    return print(model)


format_text = Helper(
    "format_text",
    '''def format_text(template, values, placeholder="{}"):
    """The template with a value in place of each placeholder, as bytes."""
    values = values if isinstance(values, (tuple, list)) else (values,)
    parts = template.split(placeholder)
    if len(parts) != len(values) + 1:
        raise ValueError(f"{len(values)} values for {len(parts) - 1} placeholders")
    shown = [shown_value(value) for value in values]
    return "".join(part + value for part, value in zip(parts, [*shown, ""])).encode()


def shown_value(value):
    """A number or text as TensorFlow shows it; text in quotes."""
    if isinstance(value, (str, bytes)):
        return f\'"{value.decode() if isinstance(value, bytes) else value}"\'
    array = np.asarray(value)
    if array.ndim > 1 or array.size > 6:
        raise ValueError("only numbers and short vectors are shown")
    shown = [f"{number:.9g}" if array.dtype.kind == "f" else str(int(number)) for number in array.reshape(-1)]
    return shown[0] if array.ndim == 0 else f"[{\' \'.join(shown)}]"
''',
    ("import numpy as np",),
)


def _formatted(*texts: str) -> list[Sample]:
    return [no_grad(block(f"return tf.strings.format({text})")) for text in texts]


@rule(
    "tf.strings.format",
    samples=[
        *_formatted("'x={} y={}', (tf.constant(1), tf.constant([1.5, 2.0]))", "'{}', tf.constant('a')"),
        *_formatted("'step: {}, loss: {}', (3, 0.25)", "'%s!', [tf.constant(-7, tf.int64)], placeholder='%s'"),
        *_formatted("'{}', tf.constant([1, 2, 3])", "'{}', (tf.constant(2.0),)"),
    ],
    gaps=["only numbers and vectors of up to six are shown; others raise ValueError"],
)
def formatted(template, inputs, placeholder="{}", summarize: Ignored = 3, name=None):
    return format_text(template, inputs, placeholder=placeholder)
