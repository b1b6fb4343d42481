"""EinsumDense: a linear layer where the equation says no more, else a small module."""
# mypy: disable-error-code="no-untyped-def, no-untyped-call"

from __future__ import annotations

import ast
import re
from collections.abc import Sequence
from dataclasses import dataclass

from migrator.model import Helper, LayerCode
from migrator.rules.engine.declining import Decline
from migrator.rules.engine.registry import layer
from migrator.rules.engine.samples import S, declines, f32
from migrator.rules.initializers import goes_by_fans, no_orthogonal
from migrator.rules.layers.call import LayerArg, LayerCall
from migrator.rules.layers.call import activation as activation_of
from migrator.rules.layers.dense import no_extras
from migrator.rules.layers.weights import Weights, is_named_late, is_own, value_of, weight

EINSUM = Helper(
    "EinsumDense",
    '''class EinsumDense(nn.Module):
    """An einsum of the input and a kernel, with a bias along some axes of the result."""

    def __init__(self, equation, kernel_shape, bias_shape=None):
        super().__init__()
        self.equation = equation
        self.kernel = nn.Parameter(torch.empty(kernel_shape))
        self.bias = None if bias_shape is None else nn.Parameter(torch.zeros(bias_shape))

    def forward(self, x):
        x = torch.einsum(self.equation, x, self.kernel)
        return x if self.bias is None else x + self.bias
''',
    ("import torch", "from torch import nn"),
)


@dataclass(frozen=True)
class Equation:
    """The axes of input, kernel and result; `dots`: where axes without a letter stand ("", "left", "right")."""

    input: str
    kernel: str
    output: str
    dots: str

    @classmethod
    def of(cls, text: str) -> Equation:
        """Keras's three forms. Raises `Decline`."""
        found = re.fullmatch(r"(\.\.\.)?([A-Za-z]+)(\.\.\.)?,([A-Za-z]+)->(\.\.\.)?([A-Za-z]+)(\.\.\.)?", text)
        if found is None or (found[1], found[3]) != (found[5], found[7]) or (found[1] and found[3]):
            raise Decline("an equation that is not of Keras's forms")
        return cls(found[2], found[4], found[6], "left" if found[1] else "right" if found[3] else "")

    @property
    def is_linear(self) -> bool:
        """Whether it maps the last axis alone: "abc,cd->abd"."""
        before, last = self.input[:-1], self.input[-1]
        kernel = len(self.kernel) == 2 and self.kernel[0] == last and self.kernel[1] not in self.input
        return kernel and self.dots != "right" and self.output == before + self.kernel[1]

    def sizes(self, output_shape: LayerArg, call: LayerCall) -> dict[str, str]:
        """The size of each axis of the kernel and of the result as source text, as far as it is known."""
        written = _written(output_shape)
        named = self.output if self.dots == "left" else self.output[1:]  # the batch is not written
        if len(named) != len(written) and self.dots != "left":
            raise Decline("an output shape that does not fit the equation")
        found = {axis: text for axis, text in zip(named[-len(written) :], written, strict=False) if text != "None"}
        start = call.rank - len(self.input) if self.dots == "left" else 0
        for at, axis in enumerate(self.input):
            if axis not in found and call.shape[start + at] is not None:
                found[axis] = call.size(start + at)
        return found


def _written(output_shape: LayerArg) -> list[str]:
    if output_shape.is_known and isinstance(output_shape.known, int):
        return [output_shape.text]
    tree = ast.parse(output_shape.text, mode="eval").body
    if isinstance(tree, ast.Tuple | ast.List):
        return [ast.unparse(e) for e in tree.elts]
    if output_shape.is_known:
        return [str(n) for n in output_shape.known]
    raise Decline("an output shape that is not known")


def _shape(axes: Sequence[str], sizes: dict[str, str]) -> str:
    if any(axis not in sizes for axis in axes):
        raise Decline("input size unknown")
    return f"({', '.join(sizes[a] for a in axes)}{',' if len(axes) == 1 else ''})"


def _bias_shape(equation: Equation, bias_axes: str, sizes: dict[str, str], call: LayerCall) -> str:
    """Ones along the axes that share a bias; those in front of the first axis that has one do without."""
    if not set(bias_axes) <= set(equation.output):
        raise Decline("a bias along an axis that the result does not have")
    axes = equation.output[min(map(equation.output.index, bias_axes)) :]
    ones = call.rank - len(equation.input) if equation.dots == "right" else 0
    texts = [_shape(axis, sizes)[1:-2] if axis in bias_axes else "1" for axis in axes] + ["1"] * ones
    return f"({', '.join(texts)}{',' if len(texts) == 1 else ''})"


def _fans(equation: Equation, keras: int) -> str:
    """The view of the kernel on which torch counts fans as Keras does. Raises `Decline` where there is none."""
    rank = len(equation.kernel)
    if rank == 2 or keras == 2:  # as of a convolution
        return ".T" if rank == 2 else f".permute({', '.join(map(str, range(rank - 1, -1, -1)))})"
    inside = [axis not in equation.output for axis in equation.kernel]
    ins = sum(inside)
    if inside != sorted(inside, reverse=True) and inside != sorted(inside):
        raise Decline("a kernel whose axes of input and output alternate")
    first = ins if inside[0] else rank - ins
    last = rank - first
    merged = (f".flatten(0, {first - 1})" if first > 1 else "") + (".flatten(1)" if last > 1 else "")
    return merged + (".T" if inside[0] else "")


_SAMPLES = [
    S(f32(2, 3), "ab,bc->ac", 4, bias_axes="c"),
    S(f32(2, 5, 3), "abc,cd->abd", (None, 4), activation="relu", bias_axes="d"),
    S(f32(2, 5, 3), "...x,xy->...y", output_shape=4),
    S(f32(2, 5, 3), "abc,cde->abde", (None, 2, 4), bias_axes="de", kernel_initializer="he_normal"),
    S(f32(2, 5, 2, 4), "abcd,cde->abe", (None, 3), bias_axes="e", kernel_regularizer="l2"),
    S(f32(2, 5, 3), "abc,bd->adc", (7, None), bias_axes="d"),
    S(f32(2, 5, 3), "abc,cd->abd", (5, 4), bias_axes="b"),
    S(f32(2, 5, 3, 4), "ab...,bc->ac...", 6, bias_axes="c"),
    S(f32(2, 5, 3), "abc,bcd->abd", (5, 4), bias_axes="bd", kernel_initializer="random_normal"),
    declines(f32(2, 5, 3), "abc,bcd->abd", (5, 4), bias_axes="d"),
    declines(f32(2, 3), "ab,bc->ac", 4, lora_rank=2),
    declines(f32(2, 3), "ab,bc", 4),
]


@layer("tf.keras.layers.EinsumDense", samples=_SAMPLES)
def einsum_dense(
    equation,
    output_shape,
    activation=None,
    bias_axes=None,
    kernel_initializer="glorot_uniform",
    bias_initializer="zeros",
    kernel_regularizer=None,
    bias_regularizer=None,
    kernel_constraint=None,
    bias_constraint=None,
    lora_rank=None,
    lora_alpha=None,
    gptq_unpacked_column_size=None,
    quantization_config=None,
    *,
    call: LayerCall,
) -> LayerCode:
    """`nn.Linear` where the last axis alone is mapped, else a small module around `torch.einsum`."""
    no_extras(lora_rank, gptq_unpacked_column_size, quantization_config)
    axes = Equation.of(equation.known)
    sizes = axes.sizes(output_shape, call)
    kernel = (kernel_initializer, kernel_regularizer, kernel_constraint)
    bias = (bias_initializer, bias_regularizer, bias_constraint)
    biased = bias_axes.known is not None
    linear = axes.is_linear and (not biased or bias_axes.known == axes.output[-1])
    if linear:
        weights = weight("kernel", "weight", "T", *kernel)
        options = "" if biased else ", bias=False"
        module = f"nn.Linear({', '.join(_shape(axis, sizes)[1:-2] for axis in axes.kernel)}{options})"
    else:
        weights = weight("kernel", "kernel", "", *kernel, view=_view(axes, kernel_initializer, call))
        options = f", {_bias_shape(axes, bias_axes.known, sizes, call)}" if biased else ""
        module = f'EinsumDense("{equation.known}", {_shape(axes.kernel, sizes)}{options})'
    if biased:
        weights += weight("bias", "bias", "", *bias)
    template, name = activation_of(activation, call)
    return _code(module, "fc" if linear else "einsum", weights, (template, name))


def _view(axes: Equation, initial: LayerArg, call: LayerCall) -> str:
    """What an initialiser that goes by fans fills; the others fill the kernel as it is."""
    flat = len(axes.kernel) == 2
    if is_named_late(initial) or is_own(initial):
        if not flat:
            raise Decline("an initializer of the run, for a kernel of more than two axes")
        return ""
    if not flat:
        no_orthogonal(value_of(initial))
    return _fans(axes, call.keras) if goes_by_fans(value_of(initial)) else ""


def _code(module: str, stem: str, weights: Weights, activation: tuple[str | None, str | None]) -> LayerCode:
    helpers = weights.helpers if module.startswith("nn.") else (EINSUM, *weights.helpers)
    return LayerCode(
        module=module,
        forward="{self}({x})",
        stem=stem,
        layout="last",
        activation=activation[0],
        activation_name=activation[1],
        init=weights.init,
        penalty=weights.penalty,
        constraint=weights.constraint,
        params=weights.params,
        helpers=helpers,
    )
