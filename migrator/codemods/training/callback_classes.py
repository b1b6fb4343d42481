"""Classes that derive from Keras's callbacks, schedules, losses and objects for weights: plain classes in PyTorch."""

from __future__ import annotations

import libcst as cst
import libcst.matchers as m

from migrator.codemods.context import Context
from migrator.codemods.nodes import find
from migrator.codemods.training.place import statements
from migrator.values import Api, Literal, RepoClass, RepoInstance, Value

CALLBACK = "tf.keras.callbacks.Callback"
SCHEDULE = "tf.keras.optimizers.schedules.LearningRateSchedule"
LOSS = "tf.keras.losses.Loss"
METRIC = "tf.keras.metrics.Metric"
SEQUENCE = "tf.keras.utils.Sequence"
ON_WEIGHTS = (
    "tf.keras.regularizers.Regularizer",
    "tf.keras.constraints.Constraint",
    "tf.keras.initializers.Initializer",
)
_BASES = (CALLBACK, SCHEDULE, LOSS, METRIC, SEQUENCE, *ON_WEIGHTS)
_INIT = m.Call(func=m.Attribute(value=m.Call(func=m.Name("super")), attr=m.Name("__init__")))
_OF_BASE = m.Attribute(value=m.Call(func=m.Name("super")))
_REDUCED = {"SUM": ".sum()", "NONE": "", "AUTO": ".mean()", "SUM_OVER_BATCH_SIZE": ".mean()"}


def base_of(value: Value, ctx: Context) -> str:
    """The class of Keras that an object or class of the repository derives from, where it is the only one."""
    name = value.qualname if isinstance(value, RepoInstance | RepoClass) else ""
    facts = ctx.facts.cls(name) if name else None
    return facts.bases[0] if facts is not None and len(facts.bases) == 1 and facts.bases[0] in _BASES else ""


def is_own(value: Value, ctx: Context) -> bool:
    """Whether a value is a callback of a class of the repository."""
    return isinstance(value, RepoInstance) and base_of(value, ctx) == CALLBACK


def keras_base(node: cst.CSTNode, ctx: Context) -> str:
    """Which of Keras's plain bases a class of the file derives from, also through another class; "" for none."""
    if not isinstance(node, cst.ClassDef) or len(node.bases) != 1:
        return ""
    value = ctx.value(node.bases[0].value)
    return value.name if isinstance(value, Api) and value.name in _BASES else base_of(value, ctx)


def _own_attribute(name: str) -> m.Attribute:
    return m.Attribute(value=m.Name("self"), attr=m.Name(name))


_PARAMETER = m.SubscriptElement(slice=m.Index(value=m.SimpleString(value=m.MatchRegex("""["'](epochs|steps)["']"""))))


def reads_params(value: RepoInstance, ctx: Context) -> bool:
    """Whether a callback's class, one of this file, reads the number of epochs or steps that Keras tells it."""
    name = value.qualname.rpartition(":")[2]
    classes = [s for s in ctx.tree.body if isinstance(s, cst.ClassDef) and s.name.value == name]
    return any(find(c, _own_attribute("params")) for c in classes)


def is_callback_class(node: cst.CSTNode, ctx: Context) -> bool:
    """Whether a class of the file derives from Keras's Callback."""
    return keras_base(node, ctx) == CALLBACK


def derives_directly(node: cst.CSTNode, ctx: Context) -> bool:
    """Whether the base itself is Keras's, which goes, and not a class of the repository."""
    return bool(keras_base(node, ctx)) and isinstance(node, cst.ClassDef) and _is_api(node, ctx)


def _is_api(node: cst.ClassDef, ctx: Context) -> bool:
    return isinstance(ctx.value(node.bases[0].value), Api)


def without_base(node: cst.ClassDef, ctx: Context) -> cst.ClassDef:
    """The head of such a class without Keras's base."""
    kept = [base for base in node.bases if not isinstance(ctx.value(base.value), Api)]
    if not kept and keras_base(node, ctx) == SEQUENCE:
        return node.with_changes(bases=[cst.Arg(cst.Name("Dataset"))])
    paren = cst.MaybeSentinel.DEFAULT
    return node.with_changes(bases=kept, lpar=paren, rpar=paren) if not kept else node.with_changes(bases=kept)


def is_base_init(line: cst.SimpleStatementLine) -> bool:
    """`super().__init__(…)`, of which nothing is left."""
    return len(line.body) == 1 and m.matches(line.body[0], m.Expr(value=_INIT))


def problem(node: cst.ClassDef, ctx: Context) -> str:
    """Why such a class cannot be a plain one; "" when it can."""
    if is_callback_class(node, ctx):
        reads = [name for name in ("params", "validation_data") if find(node, _own_attribute(name))]
        known = find(node, m.Subscript(value=_own_attribute("params"), slice=[_PARAMETER]))
        if "validation_data" in reads or len(find(node, _own_attribute("params"))) > len(known):
            return f"a callback that reads Keras's `{reads[-1]}`"
    for used in (part for s in node.body.body if not is_unread_config(s, ctx) for part in find(s, _OF_BASE)):
        if isinstance(used, cst.Attribute) and used.attr.value != "__init__" and derives_directly(node, ctx):
            return f"`{used.attr.value}` of Keras's base class"
    if not derives_directly(node, ctx):
        return ""
    if keras_base(node, ctx) == SEQUENCE:
        return _sequence_problem(node)
    for call in find(node, _INIT):
        assert isinstance(call, cst.Call)
        for arg in call.args:
            if arg.star == "**" and keras_base(node, ctx) == LOSS:  # whether something is lost, its makers say
                continue
            if arg.keyword is None or arg.keyword.value not in ("name", "reduction") or arg.star:
                return "what the base class is given has no rule"
    return "" if _reduction(node, ctx) is not None else "a loss with a reduction that has no rule"


def _sequence_problem(node: cst.ClassDef) -> str:
    """Why a sequence of batches cannot be a dataset of them; how many workers read it says nothing of the batches."""
    methods = {s.name.value for s in node.body.body if isinstance(s, cst.FunctionDef)}
    if not {"__len__", "__getitem__"} <= methods:
        return "a sequence of batches without `__len__` or `__getitem__`"
    given = [arg for call in find(node, _INIT) if isinstance(call, cst.Call) for arg in call.args]
    known = ("workers", "use_multiprocessing", "max_queue_size")
    if any(arg.star != "**" and (arg.keyword is None or arg.keyword.value not in known) for arg in given):
        return "what the base class is given has no rule"
    return ""


def _reduction(node: cst.ClassDef, ctx: Context) -> str | None:
    """How a loss class reduces its values, as the method that follows them; None when it is not known."""
    for call in find(node, _INIT):
        assert isinstance(call, cst.Call)
        given = [arg.value for arg in call.args if arg.keyword is not None and arg.keyword.value == "reduction"]
        if given:
            value = ctx.value(given[0])
            word = value.value if isinstance(value, Literal) else ""
            word = value.name.rpartition(".")[2] if isinstance(value, Api) else word
            return _REDUCED.get(str(word).upper())
    return ".mean()"


def with_call(node: cst.ClassDef, suite: cst.BaseSuite, ctx: Context) -> cst.BaseSuite:
    """The body of a class, a loss class with the `__call__` that Keras's base had: float labels, and one number."""
    if keras_base(node, ctx) in ON_WEIGHTS and derives_directly(node, ctx):
        return suite.with_changes(body=[s for s in suite.body if not is_unread_config(s, ctx)])
    if derives_directly(node, ctx):  # what it says of the base class goes with the base class
        suite = suite.with_changes(body=[s for s in suite.body if not (is_unread_config(s, ctx) and find(s, _OF_BASE))])
    at = [i for i, s in enumerate(suite.body) if isinstance(s, cst.FunctionDef) and s.name.value == "call"]
    reduced = _reduction(node, ctx)
    if not at or keras_base(node, ctx) != LOSS or not derives_directly(node, ctx) or reduced is None:
        return suite
    text = f"def __call__(self, y_true, y_pred):\n    return self.call(y_true.to(y_pred.dtype), y_pred){reduced}"
    made = [s.with_changes(leading_lines=[cst.EmptyLine(indent=False)]) for s in statements(text)]
    return suite.with_changes(body=[*suite.body[: at[0]], *made, *suite.body[at[0] :]])


def is_unread_config(node: cst.CSTNode, ctx: Context) -> bool:
    """Whether a method only tells Keras how an object was made, and nothing of the repository asks for it."""
    if not isinstance(node, cst.FunctionDef) or node.name.value not in ("get_config", "from_config"):
        return False
    trees = (ctx.tree, *(other.tree for other in ctx.siblings.values()))
    of_base = m.Call(func=m.Name("super"))
    asked = m.Call(func=m.Attribute(value=m.DoesNotMatch(of_base), attr=m.Name(node.name.value)))
    return not any(find(tree, asked) for tree in trees)


def step_parameter(node: cst.FunctionDef, around: cst.CSTNode | None, ctx: Context) -> str:
    """The step that a schedule's `__call__` takes, which may be a plain number; "" for any other function."""
    names = [p.name.value for p in node.params.params]
    is_call = node.name.value == "__call__" and len(names) == 2
    return names[1] if is_call and around is not None and keras_base(around, ctx) == SCHEDULE else ""
