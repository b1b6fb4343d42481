from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from migrator.errors import MigratorError, UsageError
from migrator.source import check_place, default_out, read, write
from migrator.source.place import MANIFEST_PATH, manifest
from tests.source.tree import contents, plant

TF = "import tensorflow as tf\n"


def test_everything_else_is_copied_byte_for_byte(tmp_path: Path) -> None:
    files = {"m.py": TF, "mixed.py": b"a = 1\r\nb = 2\n", "data.bin": bytes(range(256)), "bad.py": b"\xff"}
    src = plant(tmp_path / "src", files)
    before = contents(src)
    written = write(read(src), tmp_path / "out", {"m.py": "import torch\n"}, {"migration/report.json": "{}"})
    after = contents(written.out)
    assert after.pop("m.py") == b"import torch\n"
    assert after.pop("migration/report.json") == b"{}"
    assert after.pop(MANIFEST_PATH)
    assert after == {name: data for name, data in before.items() if name != "m.py"}
    assert contents(src) == before


@pytest.mark.parametrize(
    ("original", "expected"),
    [
        (b"\xef\xbb\xbfimport tensorflow\r\nx = 1\r\n", b"\xef\xbb\xbfimport torch\r\nx = 1\r\n"),
        (
            "# coding: latin-1\nimport tensorflow\ns = 'é'\n".encode("latin-1"),
            "# coding: latin-1\nimport torch\ns = 'é'\n".encode("latin-1"),
        ),
    ],
)
def test_encoding_and_line_ends_are_kept(tmp_path: Path, original: bytes, expected: bytes) -> None:
    repo = read(plant(tmp_path / "src", {"m.py": original}))
    text = repo.files[0].text
    assert text is not None
    write(repo, tmp_path / "out", {"m.py": text.replace("tensorflow", "torch")})
    assert (tmp_path / "out/m.py").read_bytes() == expected


def test_an_unchanged_text_is_the_original_bytes(tmp_path: Path) -> None:
    repo = read(plant(tmp_path / "src", {"m.py": b"import tensorflow\r\nx = 1\n"}))
    write(repo, tmp_path / "out", {"m.py": repo.files[0].text or ""})
    assert (tmp_path / "out/m.py").read_bytes() == b"import tensorflow\r\nx = 1\n"


def test_modes_and_links_survive(tmp_path: Path) -> None:
    src = plant(tmp_path / "src", {"run.py": TF, "sub/x.py": ""})
    (src / "run.py").chmod(0o755)
    (src / "alias.py").symlink_to("run.py")
    write(read(src), tmp_path / "out", {"run.py": "import torch\n"})
    assert (tmp_path / "out/run.py").stat().st_mode & 0o777 == 0o755
    assert (tmp_path / "out/alias.py").readlink() == Path("run.py")


def test_an_earlier_output_is_replaced_and_an_edited_one_kept(tmp_path: Path) -> None:
    repo = read(plant(tmp_path / "src", {"m.py": TF}))
    out = tmp_path / "out"
    assert write(repo, out, {"m.py": "a = 1\n"}).kept is None
    assert write(repo, out, {"m.py": "a = 2\n"}).kept is None
    (out / "m.py").write_text("mine\n")
    with pytest.raises(UsageError, match="--fresh"):
        check_place(tmp_path / "src", out)
    assert check_place(tmp_path / "src", out, fresh=True) == out
    kept = write(repo, out, {"m.py": "a = 3\n"}).kept
    assert kept is not None
    assert (kept / "m.py").read_text() == "mine\n"
    assert (out / "m.py").read_text() == "a = 3\n"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["out", "out.edited-1", "src"]


def test_places_where_writing_could_harm_are_refused(tmp_path: Path) -> None:
    src = plant(tmp_path / "a/src", {"m.py": TF})
    plant(tmp_path / "foreign", {"thesis.tex": "x"})
    (tmp_path / "file").write_text("x")
    for out, words in [
        (src, "the source itself"),
        (src / "out", "inside the source"),
        (tmp_path / "a", "inside the output"),
        (tmp_path / "foreign", "was not written by migrator"),
        (tmp_path / "file", "not a folder"),
    ]:
        with pytest.raises(UsageError, match=words):
            check_place(src, out)
    with pytest.raises(UsageError, match="was not written by migrator"):
        write(read(src), tmp_path / "foreign", {})
    assert contents(tmp_path / "foreign") == {"thesis.tex": b"x"}


def test_good_places(tmp_path: Path) -> None:
    src = plant(tmp_path / "src", {"m.py": TF})
    (tmp_path / "empty").mkdir()
    assert check_place(src, tmp_path / "new/deep") == tmp_path / "new/deep"
    assert check_place(src, tmp_path / "empty") == tmp_path / "empty"
    assert check_place(src / "m.py", src / "m_torch") == src / "m_torch"
    assert default_out(src) == tmp_path / "src_torch"
    assert default_out(src / "m.py") == src / "m_torch"


def test_a_link_does_not_hide_where_the_output_is(tmp_path: Path) -> None:
    src = plant(tmp_path / "src", {"m.py": TF})
    (tmp_path / "link").symlink_to(src)
    with pytest.raises(UsageError, match="inside the source"):
        check_place(src, tmp_path / "link/out")


def test_the_output_of_a_run_is_no_source_for_writing(tmp_path: Path) -> None:
    write(read(plant(tmp_path / "src", {"m.py": TF})), tmp_path / "out", {})
    with pytest.raises(UsageError, match="output of migrator"):
        write(read(tmp_path / "out"), tmp_path / "again", {})


@pytest.mark.parametrize("data", ["", "[]", '{"tool": "other", "files": {}}', "{"])
def test_a_foreign_manifest_is_not_ours(tmp_path: Path, data: str) -> None:
    assert manifest(plant(tmp_path, {MANIFEST_PATH: data})) is None


def test_an_unwritable_place_is_one_line(tmp_path: Path) -> None:
    repo = read(plant(tmp_path / "src", {"m.py": TF}))
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="nothing was changed"):
        write(repo, tmp_path / "file/out", {})


def test_a_full_disk_loses_nothing(tmp_path: Path) -> None:
    """A tmpfs of 1 MB that the copy does not fit on; needs the right to mount."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(disk)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("needs the right to mount a tmpfs")
    try:
        repo = read(plant(tmp_path / "src", {"m.py": TF}))
        write(repo, disk / "out", {"m.py": "a = 1\n"})
        (disk / "out/m.py").write_text("mine\n")
        big = read(plant(tmp_path / "src", {"m.py": TF, "data.bin": bytes(2 * 2**20)}))
        with pytest.raises(MigratorError, match="disk is full") as caught:
            write(big, disk / "out", {})
        assert caught.value.exit_code == 3
        assert (disk / "out/m.py").read_text() == "mine\n"
        assert [p.name for p in disk.iterdir()] == ["out"]
    finally:
        subprocess.run(["umount", str(disk)], check=True)
        shutil.rmtree(disk, ignore_errors=True)


def test_a_file_that_cannot_be_read_any_more_is_one_line(tmp_path: Path) -> None:
    src = plant(tmp_path / "src", {"m.py": TF, "b.txt": "x"})
    repo = read(src)
    (src / "b.txt").unlink()
    with pytest.raises(UsageError, match="nothing was changed"):
        write(repo, tmp_path / "out", {})
    assert not (tmp_path / "out").exists()
