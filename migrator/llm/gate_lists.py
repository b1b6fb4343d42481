"""What a candidate may and may not touch, as word lists."""

from __future__ import annotations


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


FRAMEWORKS = _words("tensorflow keras tf_keras tensorflow_addons tensorflow_probability tensorflow_hub tf_slim tflearn")

OPEN_ROOTS = frozenset({"torch", "numpy"})
"""Libraries that a candidate may import and use, but for the parts below."""

PLAIN_MODULES = _words("""
    __future__ abc array bisect cmath collections contextlib copy dataclasses datetime decimal enum fractions
    functools heapq itertools json math numbers operator random re statistics string textwrap time typing
    typing_extensions unicodedata warnings
""")
"""Of the standard library what computes: no processes, no files, no network, not the interpreter itself."""

CLOSED_PARTS = _words("""
    torch.hub torch.utils.cpp_extension torch.utils.model_zoo torch.multiprocessing torch.package torch.distributed
    torch.classes torch.ops torch.testing torch.serialization torch.storage torch.export torch.onnx torch.library
    torch.monitor torch.futures torch.utils.bundled_inputs torch.utils.collect_env torch.compiler torch.profiler
    torch.utils.data.datapipes torch.from_file torch.jit torch.fx torch.compile torch.overrides torch.utils.benchmark
    torch.autograd.graph torch.UntypedStorage torch.TypedStorage torch.utils.dlpack torch.cuda.memory
    typing.get_type_hints typing.ForwardRef dataclasses.make_dataclass operator.attrgetter operator.methodcaller
    enum.global_enum random.SystemRandom
    numpy.load numpy.save numpy.savez numpy.savez_compressed numpy.savetxt numpy.loadtxt numpy.genfromtxt
    numpy.fromfile numpy.memmap numpy.DataSource numpy.ctypeslib numpy.f2py numpy.distutils numpy.testing numpy.lib
    numpy.core numpy.compat numpy.fromregex numpy.show_config
""")
SUMMARIES = "torch.utils.tensorboard"
"""Writes event files: for units whose original writes summaries."""

FILE_PARTS = frozenset({"torch.load", "torch.save"})
"""For units whose original saves or loads weights itself."""

SAVES = _words("""
    save load save_weights load_weights load_model save_model restore read write Checkpoint Saver ModelCheckpoint
    CheckpointManager BackupAndRestore
""")

HARMLESS_PARTS = _words("array copy math numbers random select trace typing warnings")
"""Modules of the standard library whose names are also functions or parts of torch and numpy."""

CLOSED_NAMES = _words("""
    exec eval compile __import__ open globals locals vars setattr delattr breakpoint exit quit
    __builtins__ __loader__ __spec__ __file__
""")

CLOSED_ATTRIBUTES = _words("""
    cpp_extension load_inline model_zoo load_state_dict_from_url DataSource memmap tofile dump ctypeslib f2py
    system popen environ getenv putenv fork execv spawnv attrgetter methodcaller
    gi_frame cr_frame ag_frame tb_frame f_globals f_locals f_builtins f_back func_globals mro add_safe_globals
    register_module_forward_hook from_file untyped_storage share_memory
    register_module_forward_pre_hook register_module_full_backward_hook
""")
"""Attributes that no rewrite needs, whatever they are asked of."""

PLAIN_DUNDERS = _words("""
    __init__ __call__ __len__ __getitem__ __setitem__ __iter__ __next__ __contains__ __repr__ __str__ __eq__
    __hash__ __enter__ __exit__ __name__ __main__ __doc__ __all__ __version__ __class__ __add__ __mul__ __sub__
    __bool__ __float__ __int__ __post_init__ __matmul__ __neg__ __truediv__ __radd__ __rmul__ __lt__ __gt__
""")
