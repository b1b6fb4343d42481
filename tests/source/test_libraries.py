"""What a repository imports and does not have itself."""

from __future__ import annotations

from pathlib import Path

from migrator import source
from migrator.source.libraries import foreign_libraries


def test_libraries_and_modules_that_a_build_makes(tmp_path: Path) -> None:
    files = {
        "pkg/__init__.py": "from .built import fast\n",
        "pkg/deep/__init__.py": "",
        "pkg/deep/a.py": "import cv2\nfrom ..built import fast\nfrom . import b\nfrom .made import x\n",
        "pkg/deep/b.py": "import os.path\nimport pkg.deep\nfrom pkg.deep.a import y\nfrom sklearn.svm import SVC\n",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    found = foreign_libraries(source.read(tmp_path, (), ()))
    assert found == {"cv2", "os", "sklearn", "pkg.built", "pkg.deep.made"}
