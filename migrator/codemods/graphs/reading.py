"""Reads the statements of a program that build its graph; what it does not understand raises `NotUnderstood`."""

from __future__ import annotations

import ast
import copy
import re

from migrator.codemods.graphs import bidirectional, cells, copies, rates, savers, shapes, summaries, tables
from migrator.codemods.graphs.functions import Functions
from migrator.codemods.graphs.graph import Computed, Graph, Piece, Placeholder, runs
from migrator.codemods.graphs.lists import Lists
from migrator.codemods.graphs.loops import read_loop
from migrator.codemods.graphs.pieces import MODULE, InputShape, Pieces, Variables
from migrator.codemods.graphs.program import NotUnderstood, Program, key_of, keys_read
from migrator.codemods.graphs.sharing import NEW
from migrator.codemods.graphs.tables import bound, text
from migrator.codemods.graphs.tensor_lists import appends_to, is_empty
from migrator.codemods.graphs.training import Training
from migrator.codemods.graphs.variable_names import UNSEEN, part

_TAKEN = """output outputs input inputs predict fit evaluate weights layers metrics losses train eval call forward name
summary compile variables parameters half float double type to cpu cuda build dtype state modules children apply
optimizer trainable stateful compute_loss supports_masking model"""
TAKEN = frozenset(_TAKEN.split())
"""Names that a module has already."""


class Reader:
    """Reads statements in order; `graph` is what they say so far."""

    def __init__(self, program: Program, repeated: frozenset[str], functions: Functions | None = None) -> None:
        self.program, self.graph, self.module = program, Graph(), MODULE
        self.repeated = repeated  # keys that are bound more than once
        self.functions, self.input = functions, ""  # `input`: the tensor whose shape `build` is told
        self.scopes: list[str] = []
        self.opened: list[str] = []  # names of all scopes that are open
        self.path: list[str] = []  # names of the scopes of variables, with "" for others
        self.again = ""  # what these scopes ask of variables, as `sharing` says it; "": new ones
        self.methods: frozenset[str] = frozenset()  # of the class around
        self.turns = 0  # loops around the statement that is read
        self.lists: frozenset[str] = frozenset()  # lists that tensors are put into
        self.calls: dict[tuple[str, str], tuple[str, str]] = {}  # function and scope → arguments, attribute
        self.training = Training(program, self.graph, self.scopes)
        self.training.enter = self._named_tensor
        self._attributes: set[str] = set()
        self.pending: tuple[str, ...] = ()  # comments of statements that have no place in the module

    # --- one statement

    def read(self, statement: ast.stmt, comments: tuple[str, ...]) -> bool:
        """Whether the statement builds the graph, and so goes; False: it is the program's own."""
        before = len(self.graph.pieces), len(self.graph.computed)
        read = self._read(self._rewired(statement), (*self.pending, *comments))
        if read:
            placed = (len(self.graph.pieces), len(self.graph.computed)) != before
            self.pending = () if placed else (*self.pending, *comments)
        return read

    def _read(self, statement: ast.stmt, comments: tuple[str, ...]) -> bool:
        if isinstance(statement, ast.Expr):
            return (
                self._nothing(statement.value)
                or self._summary([], statement.value)
                or self._appended(statement, comments)
            )
        if isinstance(statement, ast.Assign):
            return self._assigned(statement, comments)
        if isinstance(statement, ast.AugAssign) and self._of_graph(statement):
            self.compute(statement, [key_of(statement.target)], comments)
            return True
        if isinstance(statement, ast.For) and self._of_graph(statement):
            read_loop(statement, self, comments, MODULE)
            return True
        return False

    def _rewired(self, statement: ast.stmt) -> ast.stmt:
        """A statement without names of what has none in the module."""
        return cells.rewired(shapes.written_out(statement, self), self)

    def named(self, *names: str) -> str:
        """A name in the scopes that are open."""
        return "/".join(name for name in (*self.path, *names) if name)

    def returned(self, statement: ast.Return, comments: tuple[str, ...]) -> None:
        """The end of a function that builds part of a graph."""
        self.compute(self._rewired(statement), [], comments)

    def _nothing(self, value: ast.expr) -> bool:
        return isinstance(value, ast.Constant | ast.Call) and self.program.api(value) in tables.NOTHING

    def _appended(self, statement: ast.Expr, comments: tuple[str, ...]) -> bool:
        """Whether a statement puts a tensor into a list."""
        key = appends_to(statement)
        if key not in self.lists or key not in self.graph.versions:
            return False
        self.compute(statement, [key], comments)
        return True

    def trains(self, statement: ast.stmt) -> bool:
        """Whether a statement is of what trains, logs, saves or counts a graph that is made elsewhere."""
        if isinstance(statement, ast.Expr):
            return self._summary([], statement.value)
        if not isinstance(statement, ast.Assign):
            return False
        keys, value = [key_of(t) for t in statement.targets], statement.value
        if self.training.gradients(statement) or (all(keys) and self._summary(keys, value)):
            return True
        api = self.program.api(value)
        if not isinstance(value, ast.Call) or not all(keys) or api in {*tables.PLACEHOLDERS, "tf.Graph"}:
            return False
        if api in tables.VARIABLES and not self.training.is_counter(value, api):
            return False
        return self._object(keys, value, ())

    def _summary(self, keys: list[str], value: ast.expr) -> bool:
        api = self.program.api(value)
        if not isinstance(value, ast.Call) or not summaries.is_summary(api):
            return False
        summaries.read_summary(keys, value, self.program, self.opened, self.graph, self._named_tensor)
        return True

    def _assigned(self, statement: ast.Assign, comments: tuple[str, ...]) -> bool:
        targets = [key_of(t) for t in statement.targets]
        value = statement.value
        if summaries.note_writer(statement, self.program, self.graph):
            return False
        if self.training.gradients(statement) or (all(targets) and self._summary(targets, value)):
            return True
        if all(targets) and copies.read_copy(targets, value, self.program, self.training):
            return True
        if all(targets) and self._object(targets, value, comments):
            return True
        if shapes.named_sizes(statement, self) or self._of_cells(statement, comments):
            return True
        if not self._of_graph(value) and not (targets[0] in self.lists and is_empty(value)):
            return False
        named = [key_of(t) for target in statement.targets for t in _flat(target)]
        if not all(named):
            raise NotUnderstood(f"a tensor kept in `{text(statement.targets[0])}`")
        self.compute(statement, named, comments)
        return True

    def _of_cells(self, statement: ast.Assign, comments: tuple[str, ...]) -> bool:
        """Whether a statement prepares what a cell goes through, applies it, or only names what it gave."""
        return (
            cells.unstacked(statement, self)
            or cells.read_applied(statement, self, comments)
            or bidirectional.read_both(statement, self, comments)
            or text(statement.value) in {*self.graph.concatenated.values()} & {text(t) for t in statement.targets}
        )

    def _of_graph(self, node: ast.AST) -> bool:
        """Whether an expression computes in the graph: it reads something of it, or makes something."""
        if set(keys_read(node)) & self.graph.tensors:
            return not self._asks_session(node)
        return any(self._makes_tensor(n) for n in ast.walk(node) if isinstance(n, ast.Call))

    def _asks_session(self, node: ast.AST) -> bool:
        return any(runs(n, self.graph) for n in ast.walk(node))

    def _makes_tensor(self, call: ast.Call) -> bool:
        api = self.program.api(call)
        if self.functions is not None and key_of(call.func) in self.functions.nodes:
            return True
        return api.startswith("tf.") and not api.startswith(
            ("tf.app", "tf.flags", "tf.gfile", "tf.io", "tf.set_random")
        )

    # --- objects

    def _object(self, keys: list[str], value: ast.expr, comments: tuple[str, ...]) -> bool:
        """A placeholder, variable, optimizer, step, session … under some names."""
        if not isinstance(value, ast.Call):
            return False
        api, graph = self.program.api(value), self.graph
        if api in tables.PLACEHOLDERS:
            self._placeholder(keys, api, value)
        elif api in tables.VARIABLES and self.training.is_counter(value, api):
            graph.global_steps.update(keys)
        elif api in tables.VARIABLES:
            attribute = self.variable(keys[-1], api, value, comments)
            graph.other -= set(keys)
            graph.variables.update(dict.fromkeys(keys, attribute))
        elif api in tables.SESSIONS:
            graph.sessions.update(keys)
        elif api in tables.INITS:
            graph.inits.update(keys)
        elif api in tables.GLOBAL_STEPS:
            graph.global_steps.update(keys)
        elif api == "tf.Graph":
            graph.other.update(keys)
        elif (cell := cells.cell_of(value, self.program)) is not None:
            graph.cells.update(dict.fromkeys(keys, cell))
        elif cells.zero_state(value, self):
            graph.zero_states.update(keys)
        elif (found := rates.assigned(value, self.program, graph)) is not None:
            graph.updates_of_rates.update(dict.fromkeys(keys, found))
        elif api == savers.API:
            graph.savers[keys[0]] = savers.read_saver(value, graph, self.program)
        elif api == "tf.get_collection" and [self.program.api(a) for a in value.args] == [tables.UPDATES]:
            graph.updates.update(keys)
        else:
            return self.training.read(keys, value)
        return True

    def _placeholder(self, keys: list[str], api: str, call: ast.Call) -> None:
        args = bound(call, tables.PLACEHOLDERS[api])
        if args is None:
            raise NotUnderstood("arguments of a placeholder that are not known")
        shape = args.get("shape")
        scalar = shape is None or text(shape) in ("[]", "()", "None")
        default = text(args["input"]) if "input" in args else ""
        dtype = self._dtype(args["dtype"]) if "dtype" in args else f"{self.program.tf}.float32"
        if default and not isinstance(args["input"], ast.Constant):
            raise NotUnderstood("a placeholder whose default is no constant")
        name = keys[0].removeprefix("self.")
        unknown = shape is None or text(shape) == "None"
        made = Placeholder(name, dtype, scalar, default, None if scalar else shape, unknown)
        self.graph.placeholders.update(dict.fromkeys(keys, made))

    def _dtype(self, node: ast.expr) -> str:
        """The source of a dtype: names in quotes and Python's own types are TensorFlow's."""
        name = node.value if isinstance(node, ast.Constant) else text(node)
        known = {"float": "float32", "int": "int32"}
        plain = isinstance(node, ast.Constant) or name in known
        return f"{self.program.tf}.{known.get(str(name), name)}" if plain else text(node)

    def variable(self, key: str, api: str, call: ast.Call, comments: tuple[str, ...] = ()) -> str:
        """Enter a variable; its attribute."""
        args = bound(call, tables.VARIABLES[api])
        if args is None or args.keys() - {"name", "shape", "dtype", "initializer", "initial_value", "trainable"}:
            raise NotUnderstood("arguments of a variable that are not known")
        if "dtype" in args and not text(args["dtype"]).endswith("float32"):
            raise NotUnderstood("a variable that is not float32")
        trainable = text(args["trainable"]) if "trainable" in args else "True"
        start, shape = self._start(args)
        shape, build = self._sized(shape)
        wish = key.removeprefix("self.") or ("" if "name" in args else "weight")
        attribute = self.attribute(wish, args.get("name"))
        more = "" if trainable == "True" else f", trainable={trainable}"
        given = f"name={attribute!r}, shape={shape}, initializer={start}{more}"
        made = f"{MODULE}.{attribute} = {MODULE}.add_weight({given})"
        name = self.named(self.part_of(args.get("name"))) if api == "tf.get_variable" else UNSEEN
        names = () if trainable == "False" else (name,)
        self.makes_new(api == "tf.get_variable")
        self.graph.pieces.append(Piece(attribute, ast.parse(made).body[0], comments, build, names=names))
        return attribute

    def part_of(self, node: ast.expr | None) -> str:
        """The part of a variable's name that an expression gives, as `variable_names` has it."""
        return part(node, self.functions.outer if self.functions is not None else ())

    def makes_new(self, shareable: bool = True) -> None:
        """Note that variables are made here; raises `NotUnderstood` where they may be others' instead."""
        if shareable and self.again not in ("", NEW):
            raise NotUnderstood("a scope that is used as a value, or shares variables")

    def _sized(self, shape: str) -> tuple[str, bool]:
        """The source of a shape in which `build` reads the input's own; whether it does."""
        if not set(keys_read(ast.parse(shape))) & self.graph.tensors:
            return shape, False
        if self.graph.versions.get(self.input) != 0:
            raise NotUnderstood("a variable whose shape is that of a computed tensor")
        node = InputShape(self.input).visit(ast.parse(shape, mode="eval"))
        if set(keys_read(node)) & self.graph.tensors:
            raise NotUnderstood("a variable whose shape is that of a computed tensor")
        return text(node), True

    def _start(self, args: dict[str, ast.expr]) -> tuple[str, str]:
        """(Keras initialiser, source of the shape)."""
        tf = self.program.tf
        value = args.get("initial_value") or args.get("initializer")
        if value is None or text(value) == "None":
            if "shape" not in args:
                raise NotUnderstood("a variable without a shape")
            return "'glorot_uniform'", text(args["shape"])
        api = self.program.api(value)
        if "shape" in args:
            found = tables.initializer(api, value, tf)
            made = None if found is None else (found, text(args["shape"]))
        else:
            made = tables.initial(api, value, tf) if isinstance(value, ast.Call) else tables.number(value, tf)
        if made is None:
            raise NotUnderstood(f"a variable that starts as `{text(value)}`")
        return made

    def attribute(self, wish: str, name: ast.expr | None = None) -> str:
        """A free name for a piece: what the program calls it."""
        if isinstance(name, ast.Constant) and isinstance(name.value, str) and not wish:
            wish = name.value
        wish = re.sub(r"\W", "_", wish) or "layer"
        wish = f"{wish}_" if wish in TAKEN else wish
        found, number = wish, 2
        while found in self._attributes:
            found, number = f"{wish}{number}", number + 1
        self._attributes.add(found)
        return found

    # --- tensors

    def _named_tensor(self, wish: str, node: ast.expr) -> str:
        """Enter a tensor that has no name in the program; its name."""
        if self.training.enter is None or not self._of_graph(node):
            raise NotUnderstood(f"`{text(node)}`, which the graph does not compute")
        key = self.training.free(wish)
        statement = ast.Assign([ast.Name(key, ast.Store())], node)
        self.compute(ast.fix_missing_locations(statement), [key], ())
        return key

    def _with_variables(self, statement: ast.stmt) -> ast.stmt:
        held = {key: name for key, name in self.graph.variables.items() if key in self.repeated or self.turns}
        if not held:
            return statement
        found = Variables(held).visit(copy.deepcopy(statement))
        assert isinstance(found, ast.stmt)
        return found

    def compute(self, statement: ast.stmt, keys: list[str], comments: tuple[str, ...]) -> None:
        """Enter a statement that computes what is under some names from then on."""
        wish = "" if not keys or keys[0] in self.repeated else keys[0].removeprefix("self.")
        graph, found = self.graph, Pieces(self, wish)
        statement = self._with_variables(statement)
        if graph.tests or "variables" in text(statement):
            statement = Lists(self.training, self.functions, MODULE).visit(ast.parse(text(statement)).body[0])
        uses = frozenset(graph.version(k) for k in keys_read(statement) if k in graph.versions)
        read = set(keys_read(_value(statement)))
        if read & (graph.keys - graph.tensors):
            raise NotUnderstood(f"`{text(statement)}`, which computes with more than tensors")
        changed = found.visit(ast.parse(text(statement)).body[0])
        for key in keys:
            if key in graph.placeholders or key in graph.variables:
                raise NotUnderstood(f"`{key}` is computed anew")
            graph.versions[key] = graph.versions.get(key, -1) + 1
        made = tuple(dict.fromkeys(graph.version(k) for k in keys))
        graph.computed.append(Computed(changed, made, uses, comments, bool(found.count), found.random))


def _value(statement: ast.stmt) -> ast.AST:
    return statement.value if isinstance(statement, ast.Assign) else statement


def _flat(target: ast.expr) -> list[ast.expr]:
    return [e for t in target.elts for e in _flat(t)] if isinstance(target, ast.Tuple | ast.List) else [target]
