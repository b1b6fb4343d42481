"""Optimizers, gradients, rates and the steps that are made of them."""

from __future__ import annotations

import ast
import itertools
import re
from collections.abc import Callable, Sequence
from dataclasses import replace

from migrator.codemods.graphs import rates, tables
from migrator.codemods.graphs.graph import Gradients, Graph, Optimizer, Step, local
from migrator.codemods.graphs.program import NotUnderstood, Program, key_of, keys_read
from migrator.codemods.graphs.tables import bound, text
from migrator.codemods.graphs.variable_names import name_test, starts

_VARIABLES = "tf.trainable_variables"
_COLLECTION = "tf.GraphKeys.TRAINABLE_VARIABLES"
_DECAY = ("learning_rate", "global_step", "decay_steps", "decay_rate", "staircase", "name")


class Training:
    """Reads what trains; `scopes` says whether moving averages are updated before."""

    def __init__(self, program: Program, graph: Graph, scopes: Sequence[str]) -> None:
        self.program, self.graph, self.scopes = program, graph, scopes
        self.made = 0
        self.enter: Callable[[str, ast.expr], str] | None = None  # gives a tensor a name

    def read(self, keys: list[str], call: ast.Call) -> bool:
        """An optimizer, a rate, a list of variables or a step under some names; False for anything else."""
        api, graph = self.program.api(call), self.graph
        if api in tables.OPTIMIZERS:
            graph.optimizers.update(dict.fromkeys(keys, self._optimizer(keys[0], api, call)))
        elif api == "tf.train.exponential_decay":
            graph.rates.update(dict.fromkeys(keys, self._decay(call)))
        elif (found := self._listed(call)) is not None:
            graph.trained.update(dict.fromkeys(keys, found))
            if not found:
                graph.tests.update(dict.fromkeys(keys, everything))
        else:
            return self._step(keys, call)
        return True

    def is_counter(self, call: ast.Call, api: str) -> bool:
        """Whether a variable counts the steps: a whole number that is not trained."""
        args = bound(call, tables.VARIABLES[api]) or {}
        start = args.get("initial_value")
        counts = isinstance(start, ast.Constant) and start.value == 0 and type(start.value) is int
        return counts and "trainable" in args and text(args["trainable"]) == "False"

    # --- optimizers

    def _optimizer(self, key: str, api: str, call: ast.Call) -> Optimizer:
        keras, params, renamed = tables.OPTIMIZERS[api]
        args = bound(call, params)
        if args is None or args.keys() - set(params) or "centered" in args:
            raise NotUnderstood("arguments of an optimizer that are not known")
        rate = key_of(args["learning_rate"]) if "learning_rate" in args else ""
        given = dict(tables.OPTIMIZER_DEFAULTS.get(api, {}))
        given |= {n: text(v) for n, v in args.items() if n not in ("use_locking", "name")}
        held = rate in self.graph.variables or rate in self.graph.held
        known = held or rate in self.graph.rates or rate in self.graph.placeholders
        others = [a for n, a in args.items() if n != "learning_rate" or not known]
        if any(set(keys_read(a)) & self.graph.keys for a in others):
            raise NotUnderstood("a learning rate that the graph computes")
        if rate in self.graph.rates:
            given["learning_rate"] = self.graph.rates[rate]
        self.made += 1
        if held:
            given["learning_rate"] = rates.hold(rate, self.made, self.graph)
        fed = rate if rate in self.graph.placeholders else ""
        if fed:
            given["learning_rate"] = self.graph.placeholders[fed].default or "0.0"
        listed = ", ".join(f"{renamed.get(n, n)}={v}" for n, v in given.items())
        source = f"{self.program.tf}.keras.optimizers.{keras}({listed})"
        return Optimizer(key, source, api, rate in self.graph.rates, fed, self.made)

    def _decay(self, call: ast.Call) -> str:
        args = bound(call, _DECAY)
        if args is None or key_of(args.get("global_step", call)) not in self.graph.global_steps:
            raise NotUnderstood("a rate that falls with something else than the steps")
        if any(set(keys_read(a)) & self.graph.keys for n, a in args.items() if n != "global_step"):
            raise NotUnderstood("a learning rate that the graph computes")
        renamed = {"learning_rate": "initial_learning_rate"}
        given = {renamed.get(n, n): text(v) for n, v in args.items() if n not in ("global_step", "name")}
        listed = ", ".join(f"{name}={value}" for name, value in given.items())
        return f"{self.program.tf}.keras.optimizers.schedules.ExponentialDecay({listed})"

    def _named(self, owner: ast.expr) -> Optimizer | None:
        if isinstance(owner, ast.Call) and self.program.api(owner) in tables.OPTIMIZERS:
            return self._optimizer("", self.program.api(owner), owner)
        return self.graph.optimizers.get(key_of(owner))

    # --- steps

    def _step(self, keys: list[str], call: ast.Call) -> bool:
        name = call.func.attr if isinstance(call.func, ast.Attribute) else ""
        found = self._named(call.func.value) if isinstance(call.func, ast.Attribute) else None
        if found is None or name not in ("minimize", "apply_gradients"):
            return False
        args = bound(call, ("loss" if name == "minimize" else "pairs", "global_step", "var_list"))
        known = (
            {"loss", "global_step", "var_list"} if name == "minimize" else {"pairs", "grads_and_vars", "global_step"}
        )
        if args is None or args.keys() - known - {"name"}:
            raise NotUnderstood("a step with arguments that are not known")
        counted = "global_step" in args and key_of(args["global_step"]) in self.graph.global_steps
        if found.scheduled and not counted:
            raise NotUnderstood("a rate that falls with steps that nothing counts")
        if name == "minimize":
            gradients = Gradients(self._loss(args.get("loss")), "", self.variables(args.get("var_list")))
        else:
            gradients = self._applied(args.get("pairs", args.get("grads_and_vars")))
        step = Step(gradients.loss, found, gradients.clip, "updates" in self.scopes, gradients.variables, counted)
        others = [s for s in self.graph.steps.values() if s.optimizer.number == found.number]
        if any(s.variables != step.variables for s in others) and "Adam" in found.api:
            raise NotUnderstood("an optimizer that counts its steps for several sets of variables at once")
        self.graph.steps.update(dict.fromkeys(keys, step))
        return True

    def _loss(self, node: ast.expr | None) -> tuple[str, int]:
        key = "" if node is None else key_of(node)
        if node is not None and not key and self.enter is not None:
            key = self.enter("loss", node)
        if key not in self.graph.versions:
            raise NotUnderstood("a loss that has no name")
        return self.graph.version(key)

    def free(self, wish: str) -> str:
        """A name that nothing in the file has."""
        nodes = list(ast.walk(self.program.tree))
        taken = {n.attr for n in nodes if isinstance(n, ast.Attribute)} | {local(key) for key in self.graph.keys}
        taken |= {n.id for n in nodes if isinstance(n, ast.Name)} | {n.arg for n in nodes if isinstance(n, ast.arg)}
        taken |= {n.name for n in nodes if isinstance(n, ast.FunctionDef | ast.ClassDef)}
        others = {"loss": ["objective"]}.get(wish, [])
        numbered = (f"{wish}_{number}" for number in itertools.count(2))
        return next(name for name in itertools.chain([wish], others, numbered) if name not in taken)

    def _applied(self, pairs: ast.expr | None) -> Gradients:
        """The gradients that are applied: pairs under a name, or a list and the variables in `zip`."""
        if pairs is not None and key_of(pairs) in self.graph.pairs:
            return self.graph.pairs[key_of(pairs)]
        if isinstance(pairs, ast.Call) and text(pairs.func) in ("zip", "list") and pairs.args:
            if text(pairs.func) == "list" and len(pairs.args) == 1:
                return self._applied(pairs.args[0])
            found = self.graph.gradients.get(key_of(pairs.args[0]))
            if found is not None and len(pairs.args) == 2 and self.variables(pairs.args[1]) == found.variables:
                return found
        raise NotUnderstood("gradients whose way is not seen")

    # --- lists of variables

    def variables(self, node: ast.expr | None) -> tuple[str, ...]:
        """The variables that an expression lists, by attribute; none: all that there are."""
        if node is None:
            return self._all()
        key = key_of(node)
        if key in self.graph.trained:
            return self.graph.trained[key]
        if key in self.graph.tests:
            raise NotUnderstood("a step for a list of variables whose names are not seen")
        found = self._listed(node)
        if found is None:
            raise NotUnderstood("a step for some of the variables, which are not seen")
        return found

    def _all(self) -> tuple[str, ...]:
        count = sum(bool(piece.names) for piece in self.graph.pieces)
        if self.graph.counted not in (-1, count):
            raise NotUnderstood("variables that are made after a list of all")
        self.graph.counted = count
        return ()

    def _listed(self, node: ast.expr) -> tuple[str, ...] | None:
        """The variables of a list of all that train, or of those whose names are as a test says; None for others."""
        if isinstance(node, ast.ListComp):
            return self._chosen(node)
        if not isinstance(node, ast.Call):
            return None
        api, scope = self.program.api(node), None
        if api == _VARIABLES:
            scope = (bound(node, ("scope",)) or {}).get("scope")
        elif api == "tf.get_collection" and node.args and self._is_collection(node):
            scope = (bound(node, ("key", "scope")) or {}).get("scope")
        else:
            return None
        everything = self._all()
        if scope is None and len(node.args) + len(node.keywords) == (api != _VARIABLES):
            return everything
        if not isinstance(scope, ast.Constant) or not re.fullmatch(r"[\w/]+", str(scope.value)):
            raise NotUnderstood("a list of variables in a scope that is not seen")
        return self._those(lambda name: starts(name, str(scope.value)))

    def _is_collection(self, node: ast.Call) -> bool:
        """Whether a collection is that of the variables that train; in a scope all may be no more than these."""
        api = self.program.api(node.args[0])
        scoped = len(node.args) + len(node.keywords) == 2 and not self.graph.normalised
        return api == _COLLECTION or (api == "tf.GraphKeys.GLOBAL_VARIABLES" and scoped)

    def _chosen(self, node: ast.ListComp) -> tuple[str, ...] | None:
        """`[v for v in variables if "d_" in v.name]`."""
        over = node.generators[0]
        every = key_of(over.iter) in self.graph.trained or self._is_list(over.iter)
        if not every or len(node.generators) > 1 or text(node.elt) != text(over.target) or len(over.ifs) != 1:
            return None
        if self.variables(over.iter):
            raise NotUnderstood("a list of variables that is chosen of another")
        return self._those(name_test(over.ifs[0], text(over.target)))

    def _selected(self, key: str, value: ast.ListComp) -> bool:
        """Whether a list comprehension lists variables by their names; it may be of more than a step can take."""
        if not key:
            return False
        over = value.generators[0]
        try:
            found = self._chosen(value)
        except NotUnderstood:
            if not self._is_all(over.iter):
                raise
            self.graph.tests[key] = name_test(over.ifs[0], text(over.target))
            return True
        if found is not None:
            self.graph.trained[key] = found
            self.graph.tests[key] = name_test(over.ifs[0], text(over.target))
        return found is not None

    def _is_all(self, node: ast.expr) -> bool:
        """Whether an expression lists all variables that train."""
        return self.tested(node) is everything

    def tested(self, node: ast.expr) -> Callable[[str], bool | None] | None:
        """What is in a list of variables, by their names; None for anything else."""
        if isinstance(node, ast.Call) and self._is_list(node):
            return everything if self._listed(node) == () else None
        return self.graph.tests.get(key_of(node))

    def _is_list(self, node: ast.expr) -> bool:
        return isinstance(node, ast.Call) and self.program.api(node) in (_VARIABLES, "tf.get_collection")

    def _those(self, test: Callable[[str], bool | None]) -> tuple[str, ...]:
        """Attributes of the layers and variables whose names pass a test, all of each."""
        found = []
        for piece in self.graph.pieces:
            verdicts = {test(name) for name in piece.names}
            if len(verdicts) > 1 or None in verdicts or (verdicts == {True} and piece.each):
                raise NotUnderstood("a list of variables whose names are not seen")
            if verdicts == {True}:
                found.append(piece.attribute)
        if not found:
            raise NotUnderstood("a list of variables that none is in")
        return tuple(found)

    # --- gradients

    def gradients(self, statement: ast.Assign) -> bool:
        """Whether a statement takes gradients or changes them."""
        target, value = statement.targets[0], statement.value
        if isinstance(value, ast.ListComp):
            return self._selected(key_of(target), value) or self._mapped(target, value)
        if not isinstance(value, ast.Call):
            return False
        api, graph = self.program.api(value), self.graph
        if api == "tf.gradients":
            args = bound(value, ("ys", "xs")) or {}
            if set(args) != {"ys", "xs"} or not key_of(target):
                raise NotUnderstood("gradients with arguments that are not known")
            graph.gradients[key_of(target)] = Gradients(self._loss(args["ys"]), "", self.variables(args["xs"]))
            return True
        if api == "tf.clip_by_global_norm":
            return self._clipped(target, value)
        if isinstance(value.func, ast.Attribute) and value.func.attr == "compute_gradients":
            args = bound(value, ("loss", "var_list")) or {}
            if self._named(value.func.value) is None or args.keys() - {"loss", "var_list"} or not key_of(target):
                raise NotUnderstood("gradients with arguments that are not known")
            variables = self.variables(args.get("var_list"))
            graph.pairs[key_of(target)] = Gradients(self._loss(args.get("loss")), "", variables)
            return True
        return False

    def _clipped(self, target: ast.expr, call: ast.Call) -> bool:
        args = bound(call, ("t_list", "clip_norm")) or {}
        listed = args.get("t_list")
        inner = listed if isinstance(listed, ast.Call) and self.program.api(listed) == "tf.gradients" else None
        if inner is not None:
            key = "gradients of a clip"
            self.gradients(ast.Assign([ast.Name(key, ast.Store())], inner))
        else:
            key = "" if listed is None else key_of(listed)
        found = self.graph.gradients.get(key)
        if found is None or set(args) != {"t_list", "clip_norm"} or not isinstance(target, ast.Tuple):
            raise NotUnderstood("a clip of something else than all gradients")
        if set(keys_read(args["clip_norm"])) & self.graph.keys:
            raise NotUnderstood("a clip that the graph computes")
        clip = f"{{g}}, _ = {self.program.tf}.clip_by_global_norm({{g}}, {text(args['clip_norm'])})"
        self.graph.gradients[key_of(target.elts[0])] = replace(found, clip=_and(found.clip, clip))
        return True

    def _mapped(self, target: ast.expr, value: ast.ListComp) -> bool:
        """`[(clip(g), v) for g, v in pairs]`, with or without those that are None."""
        over = value.generators[0]
        found = self.graph.pairs.get(key_of(over.iter))
        if found is None:
            return False
        names = over.target.elts if isinstance(over.target, ast.Tuple) else []
        pair = value.elt.elts if isinstance(value.elt, ast.Tuple) else []
        if len(value.generators) > 1 or len(names) != 2 or len(pair) != 2 or text(pair[1]) != text(names[1]):
            raise NotUnderstood("gradients that are changed in a way that is not known")
        if any(text(test) != f"{text(names[0])} is not None" for test in over.ifs):
            raise NotUnderstood("gradients of which some are left out")
        if text(names[1]) in keys_read(pair[0]) or (set(keys_read(pair[0])) - {text(names[0])}) & self.graph.keys:
            raise NotUnderstood("a clip that the graph computes")
        clip = f"{{g}} = [{text(pair[0])} for {text(names[0])} in {{g}}]"
        self.graph.pairs[key_of(target)] = replace(found, clip=_and(found.clip, clip))
        return True


def everything(name: str) -> bool | None:
    """The test that all variables pass."""
    return True


def _and(first: str, second: str) -> str:
    return f"{first}\n{second}" if first else second
