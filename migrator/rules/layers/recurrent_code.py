"""The code of a recurrent layer from what its arguments ask for.

Keras has one bias where torch has two: the second is zero and frozen, or the effective learning
rate of the bias would double.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from migrator.model import CallForm, Helper, LayerCode
from migrator.rules.activations import FUNCTION, NAMED
from migrator.rules.constraints import Bounded, constraint
from migrator.rules.engine.declining import Decline
from migrator.rules.initializers import is_identity
from migrator.rules.layers import recurrent_helpers as helpers
from migrator.rules.layers.call import LayerArg, LayerCall
from migrator.rules.layers.call import activation as activation_of
from migrator.rules.layers.recurrent_directions import two_layers
from migrator.rules.layers.recurrent_dropped import BY_KIND
from migrator.rules.layers.recurrent_stateful import stateful
from migrator.rules.layers.weights import value_of, weight
from migrator.rules.regularizers import penalty
from migrator.values import Literal

Args = Mapping[str, LayerArg]

_INITS = {"LSTM": helpers.INIT_LSTM, "GRU": helpers.INIT_GRU, "RNN": helpers.INIT_RNN}
_ACTIVATED = {"LSTM": helpers.ACTIVATED_LSTM, "GRU": helpers.ACTIVATED_GRU, "RNN": helpers.ACTIVATED_RNN}
_DEFAULTS = {"kernel": "glorot_uniform", "recurrent": "orthogonal", "bias": "zeros"}


@dataclass(frozen=True)
class Recurrent:
    """What a recurrent layer is: `kind` LSTM, GRU or RNN, and its arguments by Keras's names."""

    kind: str
    args: Args
    call: LayerCall

    def flag(self, name: str, default: bool = False) -> bool:
        """A flag that must be known."""
        return bool(self.args[name].known) if name in self.args else default

    def rate(self, name: str) -> str:
        """A dropout rate as source; empty where it is zero or the cell has none."""
        arg = self.args[name]
        return "" if arg.is_known and not arg.known else arg.text

    @property
    def bias(self) -> bool:
        return self.flag("use_bias")

    @property
    def reset_after(self) -> bool:
        return self.flag("reset_after", True)

    def function(self, name: str) -> tuple[str, str]:
        """(Keras's name, torch function) of an activation."""
        if name not in self.args:
            return "sigmoid", "torch.sigmoid"
        template, known = activation_of(self.args[name], self.call)
        if known in (NAMED, FUNCTION):
            raise Decline("the activation is not known when rewriting")
        if template is None:
            return "linear", "nn.Identity()"
        bare = re.fullmatch(r"([\w.]+)\(\{x\}\)", template)
        return known or "", bare.group(1) if bare else f"lambda t: {template.replace('{x}', 't')}"

    @property
    def fused(self) -> bool:
        """Whether torch's own layer computes it."""
        activations = ("tanh", "relu") if self.kind == "RNN" else ("tanh",)
        plain = self.function("activation")[0] in activations and self.function("recurrent_activation")[0] == "sigmoid"
        return plain and self.reset_after and not self.drops_state

    @property
    def drops_each_step(self) -> bool:
        """Whether each step drops other features: so the layers of Keras 2 do that may run on cuDNN."""
        layer = self.kind != "RNN" and "unroll" in self.args  # cells have no such option
        return self.call.keras == 2 and layer and self.fused and self.bias and not self.flag("unroll")

    @property
    def drops_state(self) -> bool:
        """Whether parts of the state are dropped at every step; Keras then drops each gate's input apart too."""
        return "recurrent_dropout" in self.args and bool(self.rate("recurrent_dropout"))

    def checked(self) -> Recurrent:
        """The layer itself. Raises `Decline` for what neither torch nor a helper computes."""
        if self.flag("zero_output_for_mask"):
            raise Decline("`zero_output_for_mask` is True")
        if self.kind == "LSTM" and self.flag("unit_forget_bias") and self.args["bias_initializer"].known != "zeros":
            raise Decline("`bias_initializer` together with `unit_forget_bias`")
        return self

    # --- texts ---

    def module(self, both: bool = False, cell: bool = False) -> str:
        """The constructor call."""
        sizes = f"{self.call.features}, {self.args['units'].text}"
        if not self.fused:
            if both or cell:
                raise Decline("activations or options that torch's layer does not have")
            return f"{self.loops[-1].name}({sizes}{self._rates()}{self._options()})"
        relu = ', nonlinearity="relu"' if self.kind == "RNN" and self.function("activation")[0] == "relu" else ""
        bias = "" if self.bias else ", bias=False"
        if cell:
            return f"nn.{self.kind}Cell({sizes}{bias}{relu})"
        return f"nn.{self.kind}({sizes}{bias}{relu}, batch_first=True{', bidirectional=True' if both else ''})"

    @property
    def loops(self) -> tuple[Helper, ...]:
        """What a layer needs that torch's own does not compute; its module comes last."""
        if self.fused:
            return ()
        return BY_KIND[self.kind] if self.drops_state else (_ACTIVATED[self.kind],)

    def _rates(self) -> str:
        if not self.drops_state:
            return ""
        rates = {name: self.rate(name) for name in self.inside}
        return "".join(f", {name}={rate}" for name, rate in rates.items() if rate)

    @property
    def inside(self) -> tuple[str, ...]:
        """The rates of dropout that the module of loops takes."""
        return ("recurrent_dropout",) if self.kind == "RNN" else ("dropout", "recurrent_dropout")

    def _options(self) -> str:
        options = {"activation": self.function("activation"), "gate": self.function("recurrent_activation")}
        texts = [f"{n}={t}" for n, (name, t) in options.items() if name != ("tanh" if n == "activation" else "sigmoid")]
        texts += [] if self.bias else ["bias=False"]
        texts += [] if self.reset_after else ["reset_after=False"]
        return "".join(f", {t}" for t in texts)

    def params(self, prefix: str = "", suffix: str = "_l0") -> tuple[tuple[str, str, str], ...]:
        """The weight map of one direction."""
        order = " blocks(1,0,2)" if self.kind == "GRU" else ""
        found = [
            (f"{prefix}kernel", f"weight_ih{suffix}", f"T{order}"),
            (f"{prefix}recurrent_kernel", f"weight_hh{suffix}", f"T{order}"),
        ]
        if self.bias and self.kind == "GRU" and self.reset_after:
            found.append((f"{prefix}bias", f"bias_ih{suffix}", f"row(0){order}"))
            found.append((f"{prefix}bias", f"bias_hh{suffix}", f"row(1){order}"))
        elif self.bias:
            found.append((f"{prefix}bias", f"bias_ih{suffix}", order.strip()))
        return tuple(found)

    def init(self, suffixes: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[Helper, ...]]:
        """Statements of `reset_parameters`, and their helpers: Keras's usual values, then what was asked for."""
        needed: list[Helper] = [_INITS[self.kind]]
        lines = [f"{_INITS[self.kind].name}({{self}})"]
        for part, name in (("kernel", "weight_ih"), ("recurrent", "weight_hh"), ("bias", "bias_ih")):
            arg = self.args[f"{part}_initializer"]
            if value_of(arg) == Literal(_DEFAULTS[part]) or (part == "bias" and not self.bias):
                continue
            if self.kind == "GRU" and is_identity(value_of(arg)):
                raise Decline("an identity as the initial value of a weight that torch keeps in another order")
            both = part == "bias" and self.kind == "GRU" and self.reset_after
            for target in [f"{n}{s}" for s in suffixes for n in ((name, "bias_hh") if both else (name,))]:
                asked = weight("", target, "", arg)
                lines += asked.init
                needed += asked.helpers
        if self.kind == "LSTM" and self.bias and not self.flag("unit_forget_bias"):
            zero = value_of(self.args["bias_initializer"]) == Literal("zeros")
            lines += [f"nn.init.zeros_({{self}}.bias_ih{suffix})" for suffix in suffixes if zero]
        return tuple(_together(lines)), tuple(dict.fromkeys(needed))

    def penalties(self, suffixes: tuple[str, ...]) -> tuple[str, ...]:
        """The terms of its regularisers."""
        terms: list[str] = []
        for part, name in (("kernel", "weight_ih"), ("recurrent", "weight_hh"), ("bias", "bias_ih")):
            value = value_of(self.args[f"{part}_regularizer"])
            if value != Literal(None) and part == "bias" and self.kind == "GRU" and self.reset_after:
                raise Decline("a regularizer on the two biases of a GRU")
            for suffix in suffixes:
                terms += penalty(value, f"{{self}}.{name}{suffix}")
        return tuple(terms)

    def constraints(self, suffixes: tuple[str, ...]) -> tuple[str, ...]:
        """The statements of its constraints."""
        lines: list[str] = []
        for part, name in (("kernel", "weight_ih"), ("recurrent", "weight_hh"), ("bias", "bias_ih")):
            value = value_of(self.args[f"{part}_constraint"])
            if value == Literal(None) or (part == "bias" and not self.bias):
                continue
            rows = part == "bias" and self.kind == "GRU" and self.reset_after  # one weight of two rows in Keras
            how = "row" if rows else "" if part == "bias" else "T"
            for target in [f"{n}{s}" for s in suffixes for n in ((name, "bias_hh") if rows else (name,))]:
                lines += constraint(value, Bounded.of(f"{{self}}.{target}", how, 1))
        return tuple(lines)


_FILLS = re.compile(r"(nn\.init\.\w+)\((\{self\}\.\w+)(, .+)\)")


def _together(lines: list[str]) -> list[str]:
    """The statements, weights that are filled with the same numbers in one loop."""
    groups: dict[str, list[re.Match[str]]] = {}
    out: list[str] = []
    for line in lines:
        found = _FILLS.fullmatch(line)
        if found is None:
            out.append(line)
        else:
            groups.setdefault(f"{found[1]}(weight{found[3]})", []).append(found)
    for statement, group in groups.items():
        weights = ", ".join(found[2] for found in group)
        out.append(f"for weight in ({weights}):\n    {statement}" if len(group) > 1 else group[0][0])
    return out


def layer_code(spec: Recurrent, merge: str | None = "concat", both: bool = False) -> LayerCode:
    """The code of a recurrent layer, or of both directions merged as `merge` says."""
    result, shaping = _result(spec, merge, both)
    if both and (spec.rate("dropout") or not spec.fused):
        return two_layers(spec, result, shaping)
    suffixes = ("_l0", "_l0_reverse") if both else ("_l0",)
    params = spec.params("forward/") + spec.params("backward/", "_l0_reverse") if both else spec.params()
    source, dropping = _source(spec, both)
    state = "tuple(s[None] for s in {v})" if spec.kind == "LSTM" else "{one}[None]"
    more = ", {given_initial_state}" if not both else ", zeros=True" if spec.flag("return_sequences") else ""
    given = () if both else (("initial_state", state),)
    form = CallForm(
        ("sequence", "initial_state", "mask", "training"),
        result.replace("{run}", f"masked_rnn({{self}}, {source}, {{given_mask}}{more})"),
        (*given, ("mask", "{v}")),
        (helpers.MASKED_RNN,),
    )
    stated = CallForm(
        form.params,
        result.replace("{run}", f"{{self}}({source}, {{given_initial_state}})"),
        given,
    )
    init, initialising = spec.init(suffixes)
    code = LayerCode(
        module=spec.module(both),
        forward=result.replace("{run}", f"{{self}}({source})"),
        stem=spec.kind.lower(),
        layout="last",
        init=init,
        penalty=spec.penalties(suffixes),
        constraint=spec.constraints(suffixes),
        params=params,
        helpers=(*initialising, *spec.loops, *dropping, *shaping),
        form=None if both else stated,
        masked=form if spec.fused and not spec.flag("go_backwards") else None,
    )
    return stateful(code) if spec.flag("stateful") else code


def _source(spec: Recurrent, both: bool) -> tuple[str, tuple[Helper, ...]]:
    """The sequence that goes in."""
    source = "{x}.flip(1)" if spec.flag("go_backwards") else "{x}"
    if both and spec.flag("go_backwards"):
        raise Decline("`go_backwards` in both directions")
    rate = spec.rate("dropout")
    if not rate or (spec.drops_state and "dropout" in spec.inside):
        return source, ()
    if spec.drops_each_step:
        return source.replace("{x}", f"F.dropout({{x}}, {rate}, {{self}}.training)"), ()
    return f"drop_features({source}, {rate}, {{self}}.training)", (helpers.DROP_FEATURES,)


_MERGES = {
    "concat": "",
    "sum": ".unflatten(-1, (2, -1)).sum(dim=-2)",
    "mul": ".unflatten(-1, (2, -1)).prod(dim=-2)",
    "ave": ".unflatten(-1, (2, -1)).mean(dim=-2)",
    None: ".chunk(2, dim=-1)",
}


def _result(spec: Recurrent, merge: str | None, both: bool) -> tuple[str, tuple[Helper, ...]]:
    """What Keras returns, over `{run}`, torch's outputs and states."""
    sequences, states = spec.flag("return_sequences"), spec.flag("return_state")
    if both and merge not in _MERGES:
        raise Decline(f"merge_mode {merge!r}")
    if states:
        if both and merge != "concat":
            raise Decline("states of both directions whose outputs are not concatenated")
        helper = helpers.with_states(spec.kind, both, sequences)
        return f"{helper.name}({{run}})", (*((helpers.BOTH_ENDS,) if both and not sequences else ()), helper)
    if both:
        ends = "{run}[0]" if sequences else "both_ends({run}[0])"
        return f"{ends}{_MERGES[merge]}", () if sequences else (helpers.BOTH_ENDS,)
    return "{run}[0]" + ("" if sequences else "[:, -1]"), ()
