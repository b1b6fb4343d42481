"""What an example prints or shows gets a name, so that its value can be compared instead of its text."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from migrator.evals.docs.blocks import Statement


@dataclass(frozen=True)
class Shown:
    """A statement whose shown values have names; `names` are all that it binds to something computed."""

    text: str
    names: frozenset[str] = frozenset()


def show(statement: Statement, index: int) -> Shown:
    """The statement with `shown_<index>` for what it shows: an expression, or the arguments of `print`."""
    tree = ast.parse(statement.text)
    name = f"shown_{index}"
    if len(tree.body) == 1 and isinstance(tree.body[0], ast.Expr):
        return _expression(statement, tree.body[0].value, name)
    text = statement.text
    printed = list(_prints(tree.body))
    if printed:
        text = f"{name} = []\n{_replaced(text, printed, name)}"
    names = computed(tree) | ({name} if printed else set())
    return Shown(text, frozenset(names))


def _expression(statement: Statement, node: ast.expr, name: str) -> Shown:
    if isinstance(node, ast.Call) and _is_print(node):
        values = printed_values(node, statement.text)
        return Shown(f"{name} = ({', '.join(values)},)", frozenset({name})) if values else Shown(statement.text)
    if not statement.shown or _is_literal(node):
        return Shown(statement.text)
    return Shown(f"{name} = {statement.text.strip().rstrip(';')}", frozenset({name}))


def _is_print(node: ast.Call) -> bool:
    return isinstance(node.func, ast.Name) and node.func.id == "print"


def printed_values(call: ast.Call, source: str) -> list[str]:
    """The source of the values that a `print` shows, those inside of formatted text taken out of it."""
    found: list[str] = []
    for arg in call.args:
        for node in formatted(arg):
            text = ast.get_source_segment(source, node)
            if text is not None and not _is_literal(node):
                found.append(text)
    return found


def formatted(node: ast.expr) -> Iterator[ast.expr]:
    """The values in an f-string, a `%` or a `format` of literal text; of anything else the expression itself."""
    if isinstance(node, ast.JoinedStr):
        for part in node.values:
            if isinstance(part, ast.FormattedValue):
                yield part.value
    elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mod) and _is_text(node.left):
        yield from node.right.elts if isinstance(node.right, ast.Tuple) else [node.right]
    elif (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "format"
        and _is_text(node.func.value)
    ):
        yield from node.args
        yield from (keyword.value for keyword in node.keywords)
    elif isinstance(node, ast.Starred):
        yield ast.copy_location(ast.Call(ast.Name("list", ast.Load()), [node.value], []), node.value)
    else:
        yield node


def _is_text(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def _is_literal(node: ast.expr) -> bool:
    try:
        ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError):
        return False
    return True


def _prints(body: Sequence[ast.stmt]) -> Iterator[ast.Expr]:
    """Statements that print, in blocks but not in functions: those print when called, or when traced."""
    for statement in body:
        if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call) and _is_print(statement.value):
            yield statement
        elif not isinstance(statement, ast.FunctionDef | ast.ClassDef | ast.AsyncFunctionDef):
            for field in ("body", "orelse", "finalbody"):
                yield from _prints(getattr(statement, field, ()))


def _replaced(text: str, printed: Sequence[ast.Expr], name: str) -> str:
    """The text with every `print(a, b)` as `name.append((a, b))`."""
    lines = text.splitlines()
    for statement in sorted(printed, key=lambda s: -s.lineno):
        assert isinstance(statement.value, ast.Call)
        assert statement.end_lineno is not None
        values = printed_values(statement.value, text)
        call = f"{name}.append(({', '.join(values)},))" if values else "pass"
        first, last = statement.lineno - 1, statement.end_lineno - 1
        before = lines[first].encode()[: statement.col_offset].decode()
        after = lines[last].encode()[statement.end_col_offset :].decode()
        lines[first : last + 1] = (before + call + after).splitlines()
    return "\n".join(lines)


def computed(tree: ast.Module) -> set[str]:
    """Names that the statements bind at the top level to anything but a literal."""
    found: set[str] = set()
    for statement in tree.body:
        if isinstance(statement, ast.FunctionDef | ast.ClassDef | ast.AsyncFunctionDef | ast.Import | ast.ImportFrom):
            continue
        if isinstance(statement, ast.Assign) and _is_literal(statement.value):
            continue
        found |= {n.id for n in ast.walk(statement) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    return found
