from __future__ import annotations

import ast

from migrator.source.modules import Names, name_modules
from migrator.source.scan import imports


def names(package: str = "", /, **sources: str) -> Names:
    """Names of the files given as `a__b=text` for `a/b.py`."""
    return name_modules(
        {
            path.replace("__", "/").replace("/init/", "/__init__") + ".py": imports(ast.parse(text))
            for path, text in sources.items()
        },
        package,
    )


def test_root_scripts_and_a_folder_of_modules() -> None:
    found = names(
        train="from models.resnet import ResNet\nimport config",
        config="",
        models__resnet="from models import blocks",
        models__blocks="",
    )
    assert found.modules == {
        "train.py": "train",
        "config.py": "config",
        "models/resnet.py": "models.resnet",
        "models/blocks.py": "models.blocks",
    }
    assert found.edges["train.py"] == {"models/resnet.py", "config.py"}
    assert found.edges["models/resnet.py"] == {"models/blocks.py"}


def test_src_layout_drops_src() -> None:
    found = name_modules(
        {
            "src/pkg/__init__.py": (),
            "src/pkg/net.py": (),
            "tests/test_net.py": imports(ast.parse("from pkg.net import Net")),
        }
    )
    assert found.modules["src/pkg/net.py"] == "pkg.net"
    assert found.modules["src/pkg/__init__.py"] == "pkg"
    assert found.edges["tests/test_net.py"] == {"src/pkg/net.py"}


def test_scripts_that_import_their_siblings_make_their_folder_a_root() -> None:
    found = names(code__train="from layers import Block\nfrom layers import Other", code__layers="", code__extra="")
    assert found.modules == {"code/train.py": "train", "code/layers.py": "layers", "code/extra.py": "extra"}


def test_a_package_is_imported_from_above_itself() -> None:
    found = name_modules(
        {
            "pkg/__init__.py": (),
            "pkg/a.py": imports(ast.parse("from . import b\nfrom .sub.c import C\nimport pkg.b")),
            "pkg/b.py": (),
            "pkg/sub/c.py": (),
        }
    )
    assert found.modules == {
        "pkg/__init__.py": "pkg",
        "pkg/a.py": "pkg.a",
        "pkg/b.py": "pkg.b",
        "pkg/sub/c.py": "pkg.sub.c",
    }
    assert found.edges["pkg/a.py"] == {"pkg/b.py", "pkg/sub/c.py"}


def test_the_root_folder_may_be_the_package_itself() -> None:
    found = name_modules(
        {"__init__.py": (), "net.py": imports(ast.parse("from mypkg.layers import L")), "layers.py": ()}, "mypkg"
    )
    assert found.modules == {"__init__.py": "mypkg", "net.py": "mypkg.net", "layers.py": "mypkg.layers"}
    assert found.edges["net.py"] == {"layers.py"}


def test_an_init_file_at_the_root_of_scripts_means_nothing() -> None:
    found = name_modules({"__init__.py": (), "train.py": imports(ast.parse("import net")), "net.py": ()}, "repo")
    assert found.modules == {"__init__.py": "__init__", "train.py": "train", "net.py": "net"}
    assert found.package == ""


def test_two_projects_with_the_same_module_are_not_confused() -> None:
    found = names(one__main="import utils", one__utils="", two__main="import utils", two__utils="")
    assert len(set(found.modules.values())) == 4
    assert found.ambiguous == {"two/main.py": "utils"}
    assert found.edges["two/main.py"] == {"two/utils.py"}


def test_a_root_module_does_not_stand_in_for_a_sibling() -> None:
    found = names(utils="", main="import utils", sub__main="import utils", sub__utils="")
    assert found.modules["utils.py"] == "utils"
    assert found.ambiguous == {"sub/main.py": "utils"}


def test_a_file_that_two_ways_of_import_reach_has_one_name() -> None:
    found = names(
        a="from models import layers", b="from models.layers import x", models__net="import layers", models__layers=""
    )
    assert found.modules["models/layers.py"] == "models.layers"


def test_other_libraries_are_nobody() -> None:
    found = names(train="import numpy\nfrom os import path\nimport unknown.thing")
    assert found.edges["train.py"] == frozenset()


def test_names_that_cannot_be_imported_are_cut_at_the_folder() -> None:
    found = name_modules({"v1.0/train.py": imports(ast.parse("import net")), "v1.0/net.py": ()})
    assert found.modules == {"v1.0/train.py": "train", "v1.0/net.py": "net"}


def test_a_relative_import_above_the_root_is_nobody() -> None:
    assert names(train="from ...x import y").edges["train.py"] == frozenset()
