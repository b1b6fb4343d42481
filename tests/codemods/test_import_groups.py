"""New imports stand in the groups that imports are sorted into."""

from __future__ import annotations

import pytest

from migrator.codemods.import_groups import block, in_groups, with_groups

ADDED = [
    "import glob",
    "import torch",
    "from pathlib import Path",
    "from pkg.keras_networks import VGG16",
    "from torch import nn",
]


def test_groups() -> None:
    standard, others, own = in_groups(ADDED, ("keras_networks",))
    assert standard == ["import glob", "from pathlib import Path"]
    assert others == ["import torch", "from torch import nn"]
    assert block(standard, others, own) == (
        "import glob\nfrom pathlib import Path\n\nimport torch\nfrom torch import nn\n\n"
        "from pkg.keras_networks import VGG16\n"
    )


MATH, PATH, OWN = "import math\n", "from pathlib import Path\n", "import torch\n"
FUTURE, TRY = "from __future__ import annotations\n", "try:\n    import json\nexcept ImportError:\n    json = None\n"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (f"import os\nimport sys\n\n{OWN}", f"{MATH}import os\nimport sys\n{PATH}\n{OWN}"),
        (OWN, f"{MATH}{PATH}\n{OWN}"),
        (f"# ours\n{OWN}", f"{MATH}{PATH}\n# ours\n{OWN}"),
        (f"{FUTURE}\n{OWN}", f"{FUTURE}\n{MATH}{PATH}\n{OWN}"),
        (f"{OWN}import sys\n", f"{OWN}{MATH}import sys\n{PATH}"),
        (f"import json\n# why\nimport zlib\n{OWN}", f"import json\n{MATH}{PATH}# why\nimport zlib\n{OWN}"),
        ("import json  # kept\nfrom re import sub\n", f"import json  # kept\n{MATH}{PATH}from re import sub\n"),
        (TRY, f"{MATH}{PATH}\n{TRY}"),
        ("", MATH + PATH),
    ],
)
def test_standard_library(before: str, after: str) -> None:
    assert with_groups(before, ["import math", "from pathlib import Path"], []) == after


def test_own_modules_come_last() -> None:
    own = ["from keras_networks import VGG16"]
    assert with_groups("import torch\n", [], own) == "import torch\n\nfrom keras_networks import VGG16\n"
    assert with_groups("from .a import b\n", [], own) == "from .a import b\nfrom keras_networks import VGG16\n"
    assert with_groups("", [], own) == "from keras_networks import VGG16\n"
