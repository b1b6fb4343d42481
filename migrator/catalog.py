"""Everything that the tool knows how to write, by canonical TensorFlow name: rules and codemods together."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from migrator.codemods.data import chains
from migrator.codemods.training import callbacks, calls, checkpoints, loading
from migrator.facts import names
from migrator.rules import constraints, initializers, regularizers
from migrator.rules.book import MERGES
from migrator.rules.explain import rules_table
from migrator.rules.objects import losses, metrics, optimizers, schedules

_ONE = "goes; the program runs on one device, of which there is one replica"
STRUCTURE = {
    "tf.keras.Sequential": "one nn.Module with named layers",
    "tf.keras.Model": "an nn.Module, functional graphs and subclasses alike",
    "tf.keras.Input": "goes; sizes become arguments or literals",
    "tf.keras.layers.Lambda": "its function, applied in forward",
    "tf.keras.layers.InputLayer": "goes; its shape says the size of what follows",
    "tf.keras.layers.StackedRNNCells": "a StackedRNN of the layers that run the cells",
    "tf.keras.regularizers.Regularizer": "a plain class, called with the weight as Keras has it",
    "tf.keras.constraints.Constraint": "a plain class, called with the weight after every step",
    "tf.keras.initializers.Initializer": "a plain class, called with the shape that the weight has in Keras",
    "tf.keras.layers.Layer": "an nn.Module; build and add_weight become parameters",
    "tf.keras.layers.AbstractRNNCell": "an nn.Module; build and add_weight become parameters",
    "tf.GradientTape": "loss.backward(), or torch.autograd.grad where several gradients share a graph",
    "tf.data.AUTOTUNE": "goes",
    "tf.data.Dataset": "Iterable, in annotations",
    "tf.data.Options": "goes, with what is set on it",
    "tf.distribute.MirroredStrategy": _ONE,
    "tf.distribute.OneDeviceStrategy": _ONE,
    "tf.distribute.get_strategy": _ONE,
    "tf.Module": "an nn.Module; variables become parameters and buffers",
    "tf.Module.with_name_scope": "goes; the method stays as it is",
    "tf.function": "goes; the function stays as it is",
    "tf.autograph.experimental.do_not_convert": "goes; the function stays as it is",
    "tf.keras.callbacks.Callback": "a plain class, whose methods the training loop calls",
    "tf.keras.metrics.Metric": "a plain class, whose states are tensors",
    "tf.keras.losses.Loss": "a plain class, called with labels and predictions",
    "tf.keras.optimizers.schedules.LearningRateSchedule": "a plain class, called with the step",
    "tf.keras.optimizers.Optimizer": "a subclass of torch.optim.Optimizer, whose step has the update of one parameter",
    "tf.keras.optimizers.legacy.Optimizer": "a subclass of torch.optim.Optimizer, its slots in `state`",
    "tf.keras.optimizers.LossScaleOptimizer": "its inner optimizer, where nothing is in half precision",
    "tf.keras.losses.Reduction": "the word that its constant stands for",
    "tf.keras.utils.Sequence": "a torch Dataset of batches",
    "tf.keras.utils.register_keras_serializable": "goes; the class stays as it is",
}
"""What the structural codemods write, in words; `tests/codemods` runs them."""


_STEPS = "a step in plain code: backward, clipping, optimizer.step()"
_MODULE = "a layer of the module that a graph becomes"
GRAPHS = {
    "tf.Graph": "goes; what it holds becomes a module",
    "tf.compat.v1.Session": "goes; each run becomes calls of the module, and a step where it trains",
    "tf.compat.v1.InteractiveSession": "goes; each run becomes calls of the module, and a step where it trains",
    "tf.compat.v1.placeholder": "an argument of the module's methods",
    "tf.compat.v1.placeholder_with_default": "an argument of the module's methods",
    "tf.compat.v1.get_variable": "an nn.Parameter of the module that a graph becomes",
    "tf.compat.v1.variable_scope": "goes; a function that makes variables in it becomes a module",
    "tf.compat.v1.global_variables_initializer": "goes; the module's constructor gives the first values",
    "tf.compat.v1.trainable_variables": "the module's parameters",
    "tf.compat.v1.disable_v2_behavior": "goes with the graphs of the file",
    "tf.compat.v1.disable_eager_execution": "goes with the graphs of the file",
    "tf.compat.v1.train.get_or_create_global_step": "goes; a scheduler counts the steps",
    "tf.compat.v1.train.exponential_decay": "a function of the step in LambdaLR",
    **{f"tf.compat.v1.train.{name}": _STEPS
       for name in ("GradientDescentOptimizer", "MomentumOptimizer", "AdamOptimizer", "RMSPropOptimizer",
                    "AdagradOptimizer", "AdadeltaOptimizer")},
    **{f"tf.compat.v1.layers.{name}": _MODULE
       for name in ("dense", "conv1d", "conv2d", "conv3d", "conv2d_transpose", "max_pooling1d", "max_pooling2d",
                    "max_pooling3d", "average_pooling1d", "average_pooling2d", "average_pooling3d", "flatten",
                    "dropout", "batch_normalization")},
    **{f"tf.compat.v1.nn.rnn_cell.{name}": "nn.LSTM, with its two weights from the one of the cell"
       for name in ("BasicLSTMCell", "LSTMCell")},
    "tf.compat.v1.nn.rnn_cell.BasicRNNCell": "nn.RNN, with its two weights from the one of the cell",
    **{f"tf.compat.v1.nn.{name}": "a call of the recurrent layer that its cell becomes"
       for name in ("dynamic_rnn", "static_rnn", "bidirectional_dynamic_rnn")},
    "tf.compat.v1.GraphKeys.UPDATE_OPS": "goes; moving averages are updated in training mode",
}  # fmt: skip
"""What becomes of graphs and sessions of TensorFlow 1, in words; `tests/codemods/test_graphs.py` runs them."""


RECEIVERS = {"Shape": "tf.TensorShape", "String": "tf.string", "Tensor": "tf.Tensor", "Variable": "tf.Variable"}
"""The rules name a method by the kind of its receiver."""


@dataclass(frozen=True)
class Entry:
    """One API. `kind`: rule (one name to its torch spelling) or codemod (structure around it).

    `torch`: the spelling or what becomes of it. `declines`: reasons why a use may be left alone.
    `tested`: uses of it are executed beside TensorFlow by the test suite.
    """

    api: str
    aliases: tuple[str, ...]
    kind: str
    tested: bool
    gaps: tuple[str, ...] = ()
    keras: int | None = None
    signature: str = ""
    torch: tuple[str, ...] = ()
    declines: tuple[str, ...] = ()


def catalog() -> tuple[Entry, ...]:
    """All entries, sorted by name."""
    return tuple(
        sorted((*_rules(), *_objects(), *_arguments(), *_codemods()), key=lambda entry: (entry.api, entry.keras or 0))
    )


def find(api: str) -> tuple[Entry, ...]:
    """The entries of an API under any spelling (`keras.layers.Dense`, `tf.math.reduce_sum`)."""
    canonical = names.canonical(api) or api
    return tuple(entry for entry in catalog() if entry.api == canonical)


def known() -> frozenset[str]:
    """The canonical names of which some use can be rewritten: rules that only decline do not count."""
    return frozenset(entry.api for entry in catalog() if entry.torch)


def _rules() -> Iterator[Entry]:
    """One entry for an API as one Keras means it: rules of a layer inside of models and by itself say it together."""
    found: dict[tuple[str, int | None], Entry] = {}
    for entry in _each_rule():
        key = (entry.api, entry.keras)
        found[key] = entry if key not in found else _together(found[key], entry)
    yield from found.values()


def _together(one: Entry, other: Entry) -> Entry:
    gaps, torch, declines = (
        tuple(dict.fromkeys(first + second))
        for first, second in ((one.gaps, other.gaps), (one.torch, other.torch), (one.declines, other.declines))
    )
    return replace(one, tested=one.tested or other.tested, gaps=gaps, torch=torch, declines=declines)


def _each_rule() -> Iterator[Entry]:
    for rule in rules_table():
        head, _, rest = rule.api.partition(".")
        if head == "Number":
            continue  # sizes that are tensors in TensorFlow; the members are `tf.Tensor`'s
        api = f"{RECEIVERS[head]}.{rest}" if head in RECEIVERS else rule.api
        yield Entry(
            api=api,
            aliases=names.aliases(api),
            kind="rule",
            tested=rule.tested,
            gaps=rule.gaps,
            keras=rule.keras,
            signature=rule.signature,
            torch=rule.torch,
            declines=rule.declines,
        )


def _objects() -> Iterator[Entry]:
    rules: list[losses.LossRule | metrics.MetricRule | optimizers.OptimizerRule] = []
    rules += [*losses.RULES, *metrics.RULES, *optimizers.RULES]
    called = {rule.api for rule in rules_table()}  # made by hand too: the rule speaks for both
    records = {rule.api: rule for rule in rules if "." in rule.api and rule.api not in called}
    for api, rule in records.items():
        shown = ", ".join(name if default is None else f"{name}={default!r}" for name, default in rule.parameters)
        torch = ("written into the training code that uses it",)
        yield Entry(api, names.aliases(api), "rule", True, signature=f"({shown})", torch=torch)


def _arguments() -> Iterator[Entry]:
    """What layers and optimizers are given; the layer's or the loop's code says it in full."""
    for api in schedules.APIS:
        yield Entry(api, names.aliases(api), "rule", True, torch=("a function of the step in LambdaLR",))
    called = {rule.api for rule in rules_table()}
    given = {
        **dict.fromkeys(initializers.APIS, "a line of reset_parameters"),
        **dict.fromkeys(regularizers.APIS, "a term of regularization_loss"),
    }
    for api, becomes in given.items():
        if api not in called:  # else made by hand too: the rule speaks for both
            yield Entry(api, names.aliases(api), "rule", False, torch=(becomes,))
    for api in constraints.APIS:
        yield Entry(api, names.aliases(api), "rule", True, torch=("a line of constrain_weights, after every step",))


def _codemods() -> Iterator[Entry]:
    found = dict(STRUCTURE) | GRAPHS
    found |= {f"tf.keras.Model.{method}": "written into a readable loop or statement" for method in calls.METHODS}
    found |= {**checkpoints.APIS, loading.LOAD: "the model made again, and its state_dict"}
    found |= {f"tf.keras.callbacks.{name}": "lines in the training loop" for name in callbacks.KNOWN}
    found["tf.keras.callbacks.CallbackList"] = "the list of callbacks that it is made of"
    found |= {f"tf.data.Dataset.{method}": "part of a Dataset and its DataLoader" for method in chains.METHODS}
    found |= dict.fromkeys(MERGES, "the merging layer's expression in forward")
    found[chains.SOURCE] = "a TensorDataset"
    found |= dict.fromkeys(chains.SOURCES, "the dataset that a DataLoader reads")
    found |= dict.fromkeys(chains.APPLIED, "the steps that it stands for")
    for api, becomes in found.items():
        yield Entry(api, names.aliases(api), "codemod", True, torch=(becomes,))
