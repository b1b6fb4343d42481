"""`tf.io.gfile` and `tf.gfile`: files and folders through `os`, `glob` and `open`."""
# mypy: disable-error-code="no-untyped-def, no-untyped-call, misc, operator"

from __future__ import annotations

import glob
import os
import shutil

from migrator.model import Helper
from migrator.rules.engine.declining import Decline
from migrator.rules.engine.registry import rule, same
from migrator.rules.engine.samples import Sample, block, no_grad

_ERRORS = ["raises OSError where TensorFlow raises its own errors"]
_TREE = """
os.makedirs('a/b')
for name in ('a/x.txt', 'a/y.txt', 'a/b/z.txt'):
    with open(name, 'w') as file:
        file.write(name)
"""


def _in_tree(text: str) -> Sample:
    """Statements over a small tree of files; 0 where they raise."""
    tried = "\n".join(f"    {line}" for line in text.splitlines())
    return no_grad(block(f"{_TREE}\ntry:\n{tried}\nexcept Exception:\n    return 0\nreturn 1"))


def _both(new: str, old: str, torch: str, parameters: tuple[str, str], *texts: str) -> None:
    """One function under its names in `tf.io.gfile` and `tf.gfile`; `{f}` in the samples is the name."""
    for api, parameter in ((f"tf.io.gfile.{new}", parameters[0]), (f"tf.compat.v1.gfile.{old}", parameters[1])):
        same(api, torch.format(parameter), parameter, samples=_samples(api, texts), gaps=_ERRORS)


def _samples(api: str, texts: tuple[str, ...]) -> list[Sample]:
    return [_in_tree(text.replace("{f}", api)) for text in texts]


_ASKED = "return [{f}(p) for p in ('a', 'a/x.txt', 'a/none', 'none/x')]"
_MADE = ("{f}('c')", "{f}('a')", "{f}('c/d')", "{f}('a/x.txt')")
_both("exists", "Exists", "os.path.exists({})", ("path", "filename"), _ASKED)
_both("isdir", "IsDirectory", "os.path.isdir({})", ("path", "dirname"), _ASKED)
_both("makedirs", "MakeDirs", "os.makedirs({}, exist_ok=True)", ("path", "dirname"), *_MADE)
_both("mkdir", "MkDir", "Path({}).mkdir(exist_ok=True)", ("path", "dirname"), *_MADE[:3])
_both("remove", "Remove", "os.remove({})", ("path", "filename"), "{f}('a/x.txt')", "{f}('a/none')", "{f}('a')")
_both("rmtree", "DeleteRecursively", "shutil.rmtree({})", ("path", "dirname"), "{f}('a/b')", "{f}('a')", "{f}('none')")
_both(
    "listdir",
    "ListDirectory",
    "os.listdir({})",
    ("path", "dirname"),
    "return sorted(name.rstrip('/') for name in {f}('a'))",
    "return {f}('none')",
)

glob_files = Helper(
    "glob_files",
    '''def glob_files(pattern):
    """The paths that match a pattern, or each of a list of patterns, in sorted order."""
    patterns = [pattern] if isinstance(pattern, (str, os.PathLike)) else pattern
    return [path for each in patterns for path in sorted(glob.glob(os.fspath(each)))]
''',
    ("import glob", "import os"),
)
new_path = Helper(
    "new_path",
    '''def new_path(path):
    """The path, which must not exist yet."""
    if os.path.exists(path):
        raise FileExistsError(path)
    return path
''',
    ("import os",),
)
_HIDDEN = ["`*` does not match names that begin with a dot"]


def _globs(api: str, parameter: str) -> None:
    texts = (
        f"return {api}('a/*.txt')",
        f"return {api}(['a/y*', 'a/x*', 'none*'])",
        f"pattern = os.path.join('a', '[xz].t?t')\nreturn {api}({parameter}=pattern)",
    )
    samples = [_in_tree(text) for text in texts]
    if parameter == "pattern":

        @rule(api, samples=samples, gaps=_HIDDEN)
        def find(pattern, *, kind):
            if kind == "string":
                return sorted(glob.glob(pattern))
            if kind == "sequence":
                return [path for each in pattern for path in sorted(glob.glob(each))]
            return glob_files(pattern)

    else:

        @rule(api, samples=samples, gaps=_HIDDEN)
        def find_old(filename, *, kind):
            if kind == "string":
                return sorted(glob.glob(filename))
            if kind == "sequence":
                return [path for each in filename for path in sorted(glob.glob(each))]
            return glob_files(filename)


_globs("tf.io.gfile.glob", "pattern")
_globs("tf.compat.v1.gfile.Glob", "filename")

_COPIES = (
    "{f}('a/x.txt', 'a/new.txt')",
    "{f}('a/x.txt', 'a/y.txt')",
    "{f}('a/x.txt', 'a/y.txt', overwrite=True)",
    "{f}('a/none', 'a/new.txt', True)",
    "{f}('a/x.txt', 'none/new.txt')",
)


@rule("tf.io.gfile.copy", samples=_samples("tf.io.gfile.copy", _COPIES), gaps=_ERRORS)
def copy(src, dst, overwrite=False):
    return shutil.copyfile(src, dst if overwrite else new_path(dst))


@rule("tf.compat.v1.gfile.Copy", samples=_samples("tf.compat.v1.gfile.Copy", _COPIES), gaps=_ERRORS)
def old_copy(oldpath, newpath, overwrite=False):
    return shutil.copyfile(oldpath, newpath if overwrite else new_path(newpath))


@rule("tf.io.gfile.rename", samples=_samples("tf.io.gfile.rename", _COPIES), gaps=_ERRORS)
def rename(src, dst, overwrite=False):
    return os.replace(src, dst if overwrite else new_path(dst))


@rule("tf.compat.v1.gfile.Rename", samples=_samples("tf.compat.v1.gfile.Rename", _COPIES), gaps=_ERRORS)
def old_rename(oldname, newname, overwrite=False):
    return os.replace(oldname, newname if overwrite else new_path(newname))


_FILES = (
    "with {f}('new.txt', 'w') as file:\n    file.write('one\\ntwo\\n')",
    "with {f}('a/x.txt', 'a') as file:\n    file.write('more')",
    "with {f}('a/x.txt') as file:\n    return file.read()",
    "with {f}('a/x.txt', mode='rb') as file:\n    return file.read()",
    "with {f}('lines.txt', 'w') as file:\n    file.write('one\\ntwo')\nwith {f}('lines.txt', 'r') as file:\n"
    "    return [line.strip() for line in file]",
    "return {f}('none.txt').read()",
    "return {f}('a/b/z.txt').readlines()",
)


def no_address(name: object) -> None:
    """Declines `gs://…` and `file://…`, which only TensorFlow's file systems know."""
    if isinstance(name, str) and "://" in name:
        raise Decline("a path with a scheme")


def _files(api: str) -> None:
    @rule(api, samples=_samples(api, _FILES), gaps=[*_ERRORS, "`read` of a text file gives `\\n` for `\\r\\n`"])
    def file(name, mode="r"):
        no_address(name)
        return open(name) if mode == "r" else open(name, mode)


_files("tf.io.gfile.GFile")
_files("tf.compat.v1.gfile.FastGFile")

_WALKS = ("return sorted((top, sorted(files)) for top, _, files in {f}('a'))", "return list({f}('none'))")


@rule("tf.io.gfile.walk", samples=_samples("tf.io.gfile.walk", _WALKS))
def walk(top, topdown=True, onerror=None):
    if onerror is not None:
        raise Decline("`onerror` is given")
    return os.walk(top, topdown=topdown)


same(
    "tf.compat.v1.gfile.Walk",
    "os.walk(top, topdown=in_order)",
    "top, in_order=True",
    samples=_samples("tf.compat.v1.gfile.Walk", _WALKS),
)
same(
    "tf.io.gfile.join",
    "os.path.join(path, *paths)",
    "path, *paths",
    samples=_samples("tf.io.gfile.join", ("return {f}('a', 'b', 'c.txt')",)),
)
