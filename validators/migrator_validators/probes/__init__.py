"""Probes: small programs that run inside the sandbox, next to the code under test.

Protocol. A probe is a module of this package with one function::

    def run(request, arrays):   # -> (result, arrays)

`request` and `result` are JSON values, both `arrays` are `{name: numpy.ndarray}` (never object
arrays). Outside, `Workers.run(side, probe, request, arrays, tree=..., timeout=...)` ships them and
gives back a `Reply`. Modules `tf_*` run on the side "tf", `torch_*` on the side "torch".

What holds inside:
- The folder of this package is mounted read-only and imported as the package `migrator_probes`:
  use relative imports (`from . import wire`). Only the standard library, numpy and the
  side's framework may be imported; grammar of Python 3.7 (no walrus, no match, no `X | Y` at run time).
- One forked child a request: patch frameworks and modules freely, nothing leaks. The framework is
  already imported, no op has run before.
- The working directory and `sys.path[0]` are the folder `/tmp/tree`, with the files of `tree`; it is
  writable, private and gone afterwards.
- On the torch side `tensorflow`, `keras` and `tf_keras` raise ImportError.
- What the program under test does wrong is raised as `wire.ProgramError` (`wire.guard(fn, *args)`
  wraps a call, `wire.resolve(ref)` imports); any other exception of a probe counts as a mistake of
  ours (infra-error), unless some of its frames lie in the tree.
- stdout and stderr are captured, with a cap, into `Reply.output`.

Values travel as trees (`wire.Program.value(tree)`, `wire.encode(value, sink)`); the harness makes
them from `cases.Arg` with `inputs.Inputs`. Randomness is injected by `tf_injection.install()` and
`torch_injection.install()` when the request says `"inject": true`, before the program is imported;
`start_step()` of either restarts the ordinals of the draws; `torch_injection.remove_gaps(names)`
removes documented gaps.
"""
