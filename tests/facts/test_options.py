"""What `argparse` says of the options that it gives."""

from __future__ import annotations

import textwrap

from migrator.facts import analyse
from migrator.values import Scalar, Sym
from tests.facts.programs import check, render


def test_options_have_the_type_that_they_can_only_have() -> None:
    check("""
        import argparse

        parser = argparse.ArgumentParser(description="train")
        group = parser.add_argument_group("model")
        group.add_argument("--units", "-u", type=int, default=3)
        parser.add_argument("--learning-rate", type=float, default=1e-3)
        parser.add_argument("-n", type=int, default="4")
        parser.add_argument("--name", default="a", help="a name")
        parser.add_argument("--needed", type=int, required=True)
        parser.add_argument("path")
        parser.add_argument("--fast", action="store_true")
        parser.add_argument("--rate", dest="speed", type=float, default=0.5)
        args = parser.parse_args()
        a = args.units  # int args.units
        b = args.learning_rate  # float args.learning_rate
        c = args.n  # int args.n
        d = args.name  # str args.name
        e = args.needed  # int args.needed
        f = args.path  # str args.path
        g = args.fast  # bool args.fast
        h = args.speed  # float args.speed
        """)


def test_what_may_be_none_or_of_another_type_is_open() -> None:
    check("""
        import argparse

        parser = argparse.ArgumentParser()
        parser.add_argument("--units", type=int)
        parser.add_argument("--alpha", type=float, default=1)
        parser.add_argument("--sizes", type=int, nargs="+", default=[1])
        parser.add_argument("--kind", type=eval, default=3)
        parser.add_argument("--changed", type=int, default=3)
        parser.add_argument("--set", type=int, default=3)
        parser.set_defaults(set=None)
        args, rest = parser.parse_known_args()
        args.changed = None
        a = args.units  # unknown args.units
        b = args.alpha  # unknown args.alpha
        c = args.sizes  # unknown args.sizes
        d = args.kind  # unknown args.kind
        e = args.changed  # unknown args.changed
        f = args.set  # unknown args.set
        g = args.missing  # unknown args.missing
        """)


MAIN = """
    from options import read


    def train(args):
        units = args.units
        return units


    if __name__ == "__main__":
        train(read())
"""

OPTIONS = """
    import argparse


    def read():
        parser = argparse.ArgumentParser()
        parser.add_argument("--units", type=int, default=3)
        return parser.parse_args()
"""


def test_options_that_another_file_reads_and_a_function_is_given() -> None:
    facts = analyse({"main": textwrap.dedent(MAIN), "options": textwrap.dedent(OPTIONS)})
    function = facts.function("main:train")
    assert function is not None
    assert function.returns == Scalar("int", Sym("args.units"))


def test_files_that_disagree_say_nothing() -> None:
    other = OPTIONS.replace("type=int, default=3", 'default="a"')
    sources = {"main": MAIN, "options": OPTIONS, "other": other}
    facts = analyse({name: textwrap.dedent(text) for name, text in sources.items()})
    function = facts.function("main:train")
    assert function is not None
    assert render(function.returns) == "unknown args.units"


def test_options_that_are_changed_by_name_say_nothing() -> None:
    for line in ("setattr(args, 'units', None)", "vars(args).update({})", "args.__dict__.update({})", "d = vars(args)"):
        facts = analyse(
            {"main": textwrap.dedent(MAIN) + f"\n\ndef other(args):\n    {line}\n", "options": textwrap.dedent(OPTIONS)}
        )
        function = facts.function("main:train")
        assert function is not None
        assert render(function.returns) == "unknown args.units"
    kept = (
        textwrap.dedent(MAIN)
        + "\n\nclass A:\n    def __init__(self, units):\n        self.units = units\n    print(vars(args))\n"
    )
    function = analyse({"main": kept, "options": textwrap.dedent(OPTIONS)}).function("main:train")
    assert function is not None
    assert function.returns == Scalar("int", Sym("args.units"))
