"""The import block of a migrated file."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence

import libcst as cst
import pytest

from migrator.codemods.imports import bound_by, merged, rewrite_imports

TORCH = ("import torch", "from torch import nn")


def rewrite(source: str, added: Sequence[str] = TORCH, renames: Mapping[str, Sequence[str]] | None = None) -> str:
    tree = cst.parse_module(textwrap.dedent(source))
    return rewrite_imports(
        tree.body, tree.code_for_node, lambda name, dotted: not dotted.startswith("tensorflow"), renames or {}, added
    )


def test_torch_stands_where_tensorflow_stood() -> None:
    assert rewrite("import numpy as np\nimport tensorflow as tf\n\nfrom .a import b\n") == (
        "import numpy as np\nimport torch\nfrom torch import nn\n\nfrom .a import b\n"
    )


def test_blank_line_before_the_removed_block_stays() -> None:
    assert rewrite("import os\n\nimport tensorflow as tf\nfrom tensorflow import keras\nfrom .a import b\n") == (
        "import os\n\nimport torch\nfrom torch import nn\nfrom .a import b\n"
    )


def test_comments_survive() -> None:
    text = rewrite("import a\n# framework\nimport tensorflow as tf  # gone\n# ours\nfrom .a import b  # kept\n")
    assert "# framework\n" in text
    assert "# ours\nfrom .a import b  # kept\n" in text


def test_part_of_a_statement_goes() -> None:
    assert rewrite("import os, tensorflow as tf\n", added=()) == "import os\n"
    assert rewrite("from x import (\n    a,\n    b,\n)\n", added=()) == "from x import (\n    a,\n    b,\n)\n"


def test_renamed_names_are_imported_instead() -> None:
    assert rewrite("from .blocks import conv_bn, other\n", (), {"conv_bn": ("ConvBN",)}) == (
        "from .blocks import ConvBN, other\n"
    )


def test_nothing_to_do() -> None:
    source = "import os\n\n# c\nfrom a import b\n"
    assert rewrite(source, added=()) == source


@pytest.mark.parametrize(
    ("statement", "names"),
    [
        ("import torch", ("torch",)),
        ("import torch.nn.functional as F", ("F",)),
        ("from torch.utils.data import DataLoader, TensorDataset", ("DataLoader", "TensorDataset")),
        ("import a.b", ("a",)),
    ],
)
def test_bound_by(statement: str, names: tuple[str, ...]) -> None:
    assert bound_by(statement) == names


def test_merged_is_sorted_and_without_repeats() -> None:
    assert merged(["from t import b", "import z", "from t import a, b", "import a", "import z"]) == (
        "import a",
        "import z",
        "from t import a, b",
    )
