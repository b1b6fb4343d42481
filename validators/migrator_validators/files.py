"""The static rungs of one migrated file: parses, names, and the public interface against its original."""

from __future__ import annotations

import ast
from collections.abc import Iterable

from migrator.model import InterfaceChange, Outcome, Rung, Verdict
from migrator_validators import names
from migrator_validators.cases import Call
from migrator_validators.signatures import signature_problem
from migrator_validators.workers import Workers


def check_text(path: str, text: str, workers: Workers | None = None, tf_remains: bool = False) -> tuple[Verdict, ...]:
    """Verdicts "parses" and "names" on a migrated file.

    `tf_remains`: units of the original remain in the file, so its TensorFlow names are expected. Without
    `workers` the torch names are not looked up.
    """
    error = names.syntax_error(text)
    if error is not None:
        return (Verdict(Rung.PARSES, Outcome.FAIL, f"{path}: {error}"),)
    parses = Verdict(Rung.PARSES, Outcome.PASS, "")
    tree = ast.parse(text)
    if tf_remains:
        return parses, Verdict(Rung.NAMES, Outcome.NOT_APPLICABLE, "units of the original remain in this file")
    return parses, _names(path, tree, workers)


def _names(path: str, tree: ast.AST, workers: Workers | None) -> Verdict:
    left = names.frameworks_left(tree)
    if left:
        listed = ", ".join(f"{f.name} (line {f.line})" for f in left[:5])
        return Verdict(Rung.NAMES, Outcome.FAIL, f"{path} still names {listed}", measured=(("left", float(len(left))),))
    used = names.torch_names(tree)
    if workers is None:
        return Verdict(Rung.NAMES, Outcome.PASS, "", unchecked=("whether the torch names exist",))
    reply = workers.run("torch", "torch_names", {"names": [f.name for f in used]})
    if reply.status != "ok":
        return Verdict(Rung.NAMES, Outcome.INFRA, reply.reason)
    missing = [f for f in used if f.name in reply.result["missing"]]
    if missing:
        listed = ", ".join(f"{f.name} (line {f.line})" for f in missing[:5])
        return Verdict(Rung.NAMES, Outcome.FAIL, f"torch has no {listed}", measured=(("missing", float(len(missing))),))
    return Verdict(Rung.NAMES, Outcome.PASS, f"{len(used)} torch names exist", measured=(("names", float(len(used))),))


def check_public(source: str, target: str, module: str, changes: Iterable[InterfaceChange] = ()) -> Verdict:
    """Rung "spec" of a file: every public name of the original is still there, and every public function
    takes what it took, but for declared changes."""
    changes = tuple(changes)
    excused = {c.qualname.rsplit(":", 1)[-1] for c in changes if c.qualname.split(":")[0] == module}
    have = set(names.public_names(target)) | _imported(target)
    gone = [name for name in names.public_names(source) if name not in have and name not in excused]
    if gone:
        return Verdict(
            Rung.SPEC, Outcome.FAIL, f"public names are gone: {', '.join(gone)}", measured=(("gone", float(len(gone))),)
        )
    for name, parameters in _functions(target).items():
        before = _functions(source).get(name)
        call = Call(source=f"{module}:{name}")
        problem = (
            signature_problem({"parameters": before}, {"parameters": parameters}, call, changes) if before else None
        )
        if problem and not name.startswith("_"):
            return Verdict(Rung.SPEC, Outcome.FAIL, f"{name}: {problem}")
    return Verdict(Rung.SPEC, Outcome.PASS, "every public name is there")


def _functions(text: str) -> dict[str, list[list[str]]]:
    """[name, kind, default] of the parameters of every top-level function."""
    found = (n for n in ast.parse(text).body if isinstance(n, ast.FunctionDef))
    return {node.name: _parameters(node.args) for node in found}


def _parameters(args: ast.arguments) -> list[list[str]]:
    plain = [*args.posonlyargs, *args.args]
    defaults = [""] * (len(plain) - len(args.defaults)) + [ast.unparse(d) for d in args.defaults]
    out = [[a.arg, "POSITIONAL_OR_KEYWORD", d] for a, d in zip(plain, defaults, strict=True)]
    out += [[args.vararg.arg, "VAR_POSITIONAL", ""]] if args.vararg else []
    for a, d in zip(args.kwonlyargs, args.kw_defaults, strict=True):
        out.append([a.arg, "KEYWORD_ONLY", "" if d is None else ast.unparse(d)])
    return out + ([[args.kwarg.arg, "VAR_KEYWORD", ""]] if args.kwarg else [])


def _imported(text: str) -> set[str]:
    aliases = (a for node in ast.parse(text).body if isinstance(node, ast.Import | ast.ImportFrom) for a in node.names)
    return {(alias.asname or alias.name).split(".")[0] for alias in aliases}
