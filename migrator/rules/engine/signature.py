"""Signatures as TF has them, and how a call binds to them."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import libcst as cst

from migrator.rules.engine.declining import Decline

REQUIRED = object()


@dataclass(frozen=True)
class Parameter:
    """One parameter; `default` is a Python value or `REQUIRED`. `must`: "Tensor" when annotated so."""

    name: str
    default: object = REQUIRED
    must: str = ""
    keyword_only: bool = False
    variadic: bool = False


@dataclass(frozen=True)
class Signature:
    """TF's parameters in order; `facts` are the keyword-only ones that ask the analysis."""

    parameters: tuple[Parameter, ...]
    facts: tuple[str, ...] = ()

    @classmethod
    def of_text(cls, text: str) -> Signature:
        """Parses `x, axis=None, name=None`."""
        function = ast.parse(f"def f({text}): pass").body[0]
        assert isinstance(function, ast.FunctionDef)
        return cls.of_ast(function.args)

    @classmethod
    def of_ast(cls, args: ast.arguments) -> Signature:
        """Reads the parameters off a `def`; keyword-only ones without default are facts."""
        missing = len(args.args) - len(args.defaults)
        defaults = [REQUIRED] * missing + [ast.literal_eval(d) for d in args.defaults]
        plain = [Parameter(a.arg, d, _annotation(a)) for a, d in zip(args.args, defaults, strict=True)]
        if args.vararg is not None:
            plain.append(Parameter(args.vararg.arg, (), _annotation(args.vararg), variadic=True))
        facts = []
        for a, d in zip(args.kwonlyargs, args.kw_defaults, strict=True):
            if d is None:
                facts.append(a.arg)
            else:
                plain.append(Parameter(a.arg, ast.literal_eval(d), _annotation(a), keyword_only=True))
        return cls(tuple(plain), tuple(facts))

    @classmethod
    def of_callable(cls, signature: inspect.Signature, skip: Sequence[str] = ()) -> Signature:
        """Reads the parameters off a Python signature."""
        found = []
        for p in signature.parameters.values():
            if p.name in skip:
                continue
            default = REQUIRED if p.default is p.empty else p.default
            found.append(Parameter(p.name, default, keyword_only=p.kind is p.KEYWORD_ONLY))
        return cls(tuple(found))

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(p.name for p in self.parameters)

    def bind(self, args: Sequence[cst.Arg]) -> dict[str, cst.Arg]:
        """The given arguments by parameter name. Raises `Decline` when they do not fit for certain."""
        positional = [p.name for p in self.parameters if not p.keyword_only and not p.variadic]
        bound: dict[str, cst.Arg] = {}
        args = self._gathered(args, len(positional))
        for index, arg in enumerate(args):
            if arg.star:
                raise Decline("* or ** arguments")
            if arg.keyword is None and index >= len(positional):
                raise Decline("more positional arguments than TensorFlow's signature has")
            name = positional[index] if arg.keyword is None else arg.keyword.value
            if name not in self.names:
                raise Decline(f"unknown argument `{name}`")
            if name in bound:
                raise Decline(f"argument `{name}` given twice")
            bound[name] = arg
        return bound

    def _gathered(self, args: Sequence[cst.Arg], fixed: int) -> list[cst.Arg]:
        """The arguments with those that `*name` takes made into one tuple."""
        rest = next((p.name for p in self.parameters if p.variadic), None)
        plain = [a for a in args if a.keyword is None]
        if rest is None or len(plain) <= fixed:
            return list(args)
        if any(a.star for a in plain):
            raise Decline("* or ** arguments")
        packed = cst.Tuple([cst.Element(a.value) for a in plain[fixed:]])
        return [*plain[:fixed], cst.Arg(packed, keyword=cst.Name(rest)), *(a for a in args if a.keyword is not None)]

    def check_complete(self, bound: Mapping[str, object]) -> None:
        """Raises `Decline` when a required argument is missing."""
        for p in self.parameters:
            if p.default is REQUIRED and p.name not in bound:
                raise Decline(f"argument `{p.name}` is missing")


def _annotation(arg: ast.arg) -> str:
    if arg.annotation is None:
        return ""
    return str(arg.annotation.value) if isinstance(arg.annotation, ast.Constant) else ast.unparse(arg.annotation)
