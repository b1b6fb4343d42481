"""`tf.nest`: nested dicts, lists and tuples."""
# mypy: disable-error-code="no-untyped-def, no-untyped-call, misc, operator, name-defined"

from __future__ import annotations

from typing import TYPE_CHECKING

from migrator.model import Helper
from migrator.rules.engine.declining import Decline
from migrator.rules.engine.kinds import Ignored
from migrator.rules.engine.registry import rule, same
from migrator.rules.engine.samples import block, declines, f32, no_grad, src

if TYPE_CHECKING:
    from torch.utils._pytree import tree_map

flatten_nest = Helper(
    "flatten_nest",
    '''def flatten_nest(nest):
    """The leaves of nested dicts, lists and tuples; dicts in the order of their sorted keys."""
    if isinstance(nest, dict):
        return [leaf for key in sorted(nest) for leaf in flatten_nest(nest[key])]
    if isinstance(nest, (list, tuple)) and not isinstance(nest, torch.Size):
        return [leaf for item in nest for leaf in flatten_nest(item)]
    return [nest]
''',
    ("import torch",),
)

pack_nest = Helper(
    "pack_nest",
    '''def pack_nest(nest, leaves):
    """A nest of the same structure with other leaves; dicts take them in the order of their sorted keys."""
    rest = list(leaves)

    def pack(part):
        if isinstance(part, dict):
            packed = {key: pack(part[key]) for key in sorted(part)}
            return type(part)((key, packed[key]) for key in part)
        if isinstance(part, tuple) and hasattr(part, "_fields"):
            return type(part)(*map(pack, part))
        if isinstance(part, (list, tuple)) and not isinstance(part, torch.Size):
            return type(part)(map(pack, part))
        if not rest:
            raise ValueError("there are fewer leaves than the structure has")
        return rest.pop(0)

    result = pack(nest)
    if rest:
        raise ValueError("there are more leaves than the structure has")
    return result
''',
    ("import torch",),
)

_ADD = src("lambda x, y: x * 2.0 + y")


@rule(
    "tf.nest.map_structure",
    samples=[
        no_grad(block("return tf.nest.map_structure(lambda x: x * 2.0, {'b': [a, c], 'a': (a,)})", a=f32(2), c=f32(3))),
        no_grad(
            block(
                "return tf.nest.map_structure(lambda x, y: x - y, {'b': a, 'a': c}, {'a': c, 'b': a})",
                a=f32(2),
                c=f32(2),
            )
        ),
        no_grad(block("return tf.nest.map_structure(tf.square, [a, (a, [])])", a=f32(2))),
        no_grad(block("return tf.nest.map_structure(lambda x: x is None, [None, 1, (None,)])")),
        declines(_ADD, [1], (2,), check_types=False),
    ],
    gaps=["leaves of dicts are visited in the order of insertion, not of sorted keys"],
)
def map_structure(func, *structure, check_types=True, expand_composites: Ignored = False):
    if not check_types:
        raise Decline("structures of different types")
    return tree_map(func, *structure)


@rule(
    "tf.nest.flatten",
    samples=[
        no_grad(
            block("return tf.nest.flatten({'b': [a, c], 'a': (a, {'y': c, 'x': a}), 'c': []})", a=f32(2), c=f32(3))
        ),
        no_grad(
            block("return [tf.nest.flatten(None), tf.nest.flatten('ab'), tf.nest.flatten([]), tf.nest.flatten(3)]")
        ),
    ],
)
def flatten(structure, expand_composites=False):
    if expand_composites:
        raise Decline("composite tensors are taken apart")
    return flatten_nest(structure)


@rule(
    "tf.nest.pack_sequence_as",
    samples=[
        no_grad(
            block(
                "return tf.nest.pack_sequence_as({'b': [0, 0], 'a': (0, {'y': 0, 'x': 0})}, [a, c, a, a, c])",
                a=f32(2),
                c=f32(3),
            )
        ),
        no_grad(block("return tf.nest.pack_sequence_as(0, [a])", a=f32(2))),
        block("try:\n    tf.nest.pack_sequence_as([1, 2], [1])\nexcept ValueError:\n    return 1"),
        block("try:\n    tf.nest.pack_sequence_as([1, 2], [1, 2, 3])\nexcept ValueError:\n    return 1"),
    ],
)
def pack_sequence_as(structure, flat_sequence, expand_composites=False):
    if expand_composites:
        raise Decline("composite tensors are taken apart")
    return pack_nest(structure, flat_sequence)


same(
    "tf.nest.is_nested",
    "isinstance(seq, (dict, list, tuple))",
    "seq",
    samples=[no_grad(block("return [tf.nest.is_nested(x) for x in ({}, [], (1, 2), 'ab', 3, None)]"))],
)
