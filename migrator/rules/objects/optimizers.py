"""Optimizers of Keras in torch, every default that differs written out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TypeVar

from migrator.model import Decline, OptimizerCode
from migrator.rules.objects import averages, optimizers_exact, schedules
from migrator.rules.objects.arguments import Arguments, Refused, number_text, refusal
from migrator.rules.objects.optimizer_code import (
    ADAFACTOR,
    CENTERED,
    FTRL,
    LAMB,
    LION,
    RMSPROP,
    RMSPROP_1,
    SCHEDULE_FREE,
    WEIGHT_DECAY,
)
from migrator.values import Instance, Literal, Value

_CLIP = ("clipnorm", "clipvalue", "global_clipnorm")
_SHARED: tuple[tuple[str, object], ...] = (
    ("clipnorm", None),
    ("clipvalue", None),
    ("global_clipnorm", None),
    ("use_ema", False),
    ("ema_momentum", 0.99),
    ("ema_overwrite_frequency", None),
    ("loss_scale_factor", None),
    ("gradient_accumulation_steps", None),
    ("name", None),
)
_INERT = ("name",)
Make = Callable[[Arguments, str], OptimizerCode]
T = TypeVar("T")


@dataclass(frozen=True)
class OptimizerRule:
    api: str
    parameters: tuple[tuple[str, object], ...]
    names: tuple[str, ...]
    make: Make
    more: tuple[str, ...] = ()  # words that Keras has not, for graphs of TensorFlow 1 alone


def _params(lr: float, *own: tuple[str, object], decay: object = None) -> tuple[tuple[str, object], ...]:
    return (("learning_rate", lr), *own, ("weight_decay", decay), *_SHARED)


_BETAS: tuple[tuple[str, object], ...] = (("beta_1", 0.9), ("beta_2", 0.999), ("epsilon", 1e-7))
_AMSGRAD: tuple[str, object] = ("amsgrad", False)


def adam(args: Arguments, lr: str) -> OptimizerCode:
    args.only("learning_rate", "beta_1", "beta_2", "epsilon", "amsgrad", "weight_decay", *_CLIP, *_INERT)
    extra = _betas(args) + _eps(args) + _amsgrad(args)
    if args.given("weight_decay"):  # decoupled, as torch has it in AdamW only
        return _code(f"AdamW({{params}}, lr={lr}{extra}, weight_decay={args.texts['weight_decay']})", "adam-epsilon")
    return _code(f"Adam({{params}}, lr={lr}{extra})", "adam-epsilon")


def adamw(args: Arguments, lr: str) -> OptimizerCode:
    args.only("learning_rate", "weight_decay", "beta_1", "beta_2", "epsilon", "amsgrad", *_CLIP, *_INERT)
    decay = args.text("weight_decay", "0.004")
    extra = _betas(args) + _eps(args) + _amsgrad(args)
    return _code(f"AdamW({{params}}, lr={lr}{extra}, weight_decay={decay})", "adam-epsilon")


_OUTSIDE = "rate_outside_velocity"  # of TensorFlow 1, as in torch


def sgd(args: Arguments, lr: str) -> OptimizerCode:
    args.only("learning_rate", "momentum", "nesterov", "weight_decay", _OUTSIDE, *_CLIP, *_INERT)
    extra, momentum = "", args.text("momentum", "0.0")
    if not (args.is_literal("momentum", 0.0) or args.is_literal("momentum", 0) or "momentum" not in args.texts):
        nesterov = args.text("nesterov", "False")
        extra = f", momentum={momentum}" + ("" if nesterov == "False" else f", nesterov={nesterov}")
    # Keras's velocity contains the learning rate: they part only when the rate changes
    apart = extra and _OUTSIDE not in args.texts
    return _code(f"SGD({{params}}, lr={lr}{extra})", "sgd-velocity" if apart else "")


def rmsprop(args: Arguments, lr: str) -> OptimizerCode:
    start = "initial_accumulator_value"  # ones, in TensorFlow 1
    args.only("learning_rate", "rho", "momentum", "epsilon", "centered", start, "weight_decay", *_CLIP, *_INERT)
    if start in args.texts and "centered" in args.texts:
        raise Refused("a centered RMSProp of TensorFlow 1")
    helper = CENTERED if args.flag("centered") else RMSPROP_1 if start in args.texts else RMSPROP
    texts = "".join(f", {torch}={args.texts[keras]}" for keras, torch in _RMSPROP_NAMES if keras in args.texts)
    return OptimizerCode(f"{helper.name}({{params}}, lr={lr}{texts})", imports=("import torch",), helpers=(helper,))


_RMSPROP_NAMES = (("rho", "rho"), ("momentum", "momentum"), ("epsilon", "eps"))


_FTRL_NAMES = (
    ("learning_rate_power", "power"),
    ("initial_accumulator_value", "initial"),
    ("l1_regularization_strength", "l1"),
    ("l2_regularization_strength", "l2"),
    ("l2_shrinkage_regularization_strength", "shrinkage"),
    ("beta", "beta"),
)


def ftrl(args: Arguments, lr: str) -> OptimizerCode:
    args.only("learning_rate", *(keras for keras, _ in _FTRL_NAMES), "weight_decay", *_CLIP, *_INERT)
    texts = "".join(f", {torch}={args.texts[keras]}" for keras, torch in _FTRL_NAMES if keras in args.texts)
    return OptimizerCode(f"Ftrl({{params}}, lr={lr}{texts})", imports=("import torch",), helpers=(FTRL,))


def lion(args: Arguments, lr: str) -> OptimizerCode:
    args.only("learning_rate", "beta_1", "beta_2", "weight_decay", *_CLIP, *_INERT)
    given = "beta_1" in args.texts or "beta_2" in args.texts
    betas = f", betas=({args.text('beta_1', '0.9')}, {args.text('beta_2', '0.99')})" if given else ""
    return OptimizerCode(f"Lion({{params}}, lr={lr}{betas})", imports=("import torch",), helpers=(LION,))


def lamb(args: Arguments, lr: str) -> OptimizerCode:
    args.only("learning_rate", "beta_1", "beta_2", "epsilon", "weight_decay", *_CLIP, *_INERT)
    eps = _eps(args) if "epsilon" in args.texts else ""
    return OptimizerCode(f"Lamb({{params}}, lr={lr}{_betas(args)}{eps})", imports=("import torch",), helpers=(LAMB,))


def adafactor(args: Arguments, lr: str) -> OptimizerCode:
    names = ("beta_2_decay", "epsilon_1", "epsilon_2", "clip_threshold", "relative_step")
    args.only("learning_rate", *names, "weight_decay", *_CLIP, *_INERT)
    texts = "".join(f", {t}={args.texts[k]}" for k, t in _ADAFACTOR_NAMES if k in args.texts)
    if "epsilon_1" in args.texts or "epsilon_2" in args.texts:
        texts += f", eps=({args.text('epsilon_1', '1e-30')}, {args.text('epsilon_2', '1e-3')})"
    if lr == "1.0" and "relative_step" not in args.texts:
        texts += ", relative_step=False"  # a schedule is never cut by the step
    return OptimizerCode(f"Adafactor({{params}}, lr={lr}{texts})", imports=("import torch",), helpers=(ADAFACTOR,))


def schedule_free(args: Arguments, lr: str) -> OptimizerCode:
    # the point begins where the weights do, before they first decay
    args.only("learning_rate", "beta_1", "beta_2", "epsilon", "warmup_steps", *_CLIP, *_INERT)
    texts = _eps(args) if "epsilon" in args.texts else ""
    texts += f", warmup={args.texts['warmup_steps']}" if "warmup_steps" in args.texts else ""
    call = f"ScheduleFreeAdamW({{params}}, lr={lr}{_betas(args)}{texts})"
    return OptimizerCode(call, imports=("import torch",), helpers=(SCHEDULE_FREE,))


_ADAFACTOR_NAMES = (
    ("beta_2_decay", "decay"),
    ("clip_threshold", "threshold"),
    ("relative_step", "relative_step"),
)


def adagrad(args: Arguments, lr: str) -> OptimizerCode:
    args.only("learning_rate", "initial_accumulator_value", "epsilon", "weight_decay", *_CLIP, *_INERT)
    start = args.text("initial_accumulator_value", "0.1")
    return _code(f"Adagrad({{params}}, lr={lr}, initial_accumulator_value={start}{_eps(args)})")


def adadelta(args: Arguments, lr: str) -> OptimizerCode:
    args.only("learning_rate", "rho", "epsilon", "weight_decay", *_CLIP, *_INERT)
    return _code(f"Adadelta({{params}}, lr={lr}, rho={args.text('rho', '0.95')}{_eps(args)})")


def adamax(args: Arguments, lr: str) -> OptimizerCode:
    args.only("learning_rate", "beta_1", "beta_2", "epsilon", "weight_decay", *_CLIP, *_INERT)
    return _code(f"Adamax({{params}}, lr={lr}{_betas(args)}{_eps(args)})")


def nadam(args: Arguments, lr: str) -> OptimizerCode:
    args.only("learning_rate", "beta_1", "beta_2", "epsilon", "weight_decay", *_CLIP, *_INERT)
    return _code(f"NAdam({{params}}, lr={lr}{_betas(args)}{_eps(args)}, momentum_decay=1.0)")


def _betas(args: Arguments) -> str:
    if "beta_1" not in args.texts and "beta_2" not in args.texts:
        return ""
    return f", betas=({args.text('beta_1', '0.9')}, {args.text('beta_2', '0.999')})"


def _eps(args: Arguments) -> str:
    return f", eps={args.text('epsilon', '1e-7')}"


def _amsgrad(args: Arguments) -> str:
    return ", amsgrad=True" if args.flag("amsgrad") else ""


def _code(call: str, gap: str = "") -> OptimizerCode:
    return OptimizerCode(f"torch.optim.{call}", imports=("import torch",), gaps=(gap,) if gap else ())


def _rule(name: str, parameters: tuple[tuple[str, object], ...], make: Make) -> OptimizerRule:
    return OptimizerRule(f"tf.keras.optimizers.{name}", parameters, (name, name.lower()), make)


_SGD = _params(0.01, ("momentum", 0.0), ("nesterov", False))
_RMS = _params(0.001, ("rho", 0.9), ("momentum", 0.0), ("epsilon", 1e-7), ("centered", False))
_FTRL: tuple[tuple[str, object], ...] = (
    ("learning_rate_power", -0.5),
    ("initial_accumulator_value", 0.1),
    ("l1_regularization_strength", 0.0),
    ("l2_regularization_strength", 0.0),
    ("l2_shrinkage_regularization_strength", 0.0),
    ("beta", 0.0),
)
_FREE: tuple[tuple[str, object], ...] = (
    ("beta_1", 0.9),
    ("beta_2", 0.999),
    ("epsilon", 1e-8),
    ("warmup_steps", 0),
)
_ADAFACTOR: tuple[tuple[str, object], ...] = (
    ("beta_2_decay", -0.8),
    ("epsilon_1", 1e-30),
    ("epsilon_2", 1e-3),
    ("clip_threshold", 1.0),
    ("relative_step", True),
)
RULES = (
    _rule("Adam", _params(0.001, *_BETAS, _AMSGRAD), adam),
    _rule("AdamW", (("learning_rate", 0.001), ("weight_decay", 0.004), *_BETAS, _AMSGRAD, *_SHARED), adamw),
    replace(_rule("SGD", _SGD, sgd), more=(_OUTSIDE,)),
    replace(_rule("RMSprop", _RMS, rmsprop), more=("initial_accumulator_value",)),
    _rule("Adagrad", _params(0.001, ("initial_accumulator_value", 0.1), ("epsilon", 1e-7)), adagrad),
    _rule("Adadelta", _params(0.001, ("rho", 0.95), ("epsilon", 1e-7)), adadelta),
    _rule("Adamax", _params(0.001, *_BETAS), adamax),
    _rule("Nadam", _params(0.001, *_BETAS), nadam),
    _rule("Lion", _params(0.001, ("beta_1", 0.9), ("beta_2", 0.99)), lion),
    _rule("Lamb", _params(0.001, *_BETAS), lamb),
    _rule("ScheduleFreeAdamW", _params(0.0025, *_FREE), schedule_free),
    _rule("Ftrl", _params(0.001, *_FTRL), ftrl),
    _rule("Adafactor", _params(0.001, *_ADAFACTOR), adafactor),
)
_BY_NAME = {name: rule for rule in RULES for name in (rule.api, *rule.names)}


def find(name: str) -> OptimizerRule | None:
    """The record of a canonical API name (also of its `legacy` spelling) or of a Keras string."""
    return _BY_NAME.get(name) or _BY_NAME.get(name.replace(".legacy.", "."))


def optimizer(
    name: str, texts: Mapping[str, str], values: Mapping[str, Value], exact: bool = False
) -> OptimizerCode | Decline:
    """The torch spelling of an optimizer; the learning rate may be a schedule's instance.

    `exact`: a class of our own where torch's differs from Keras's in a documented way.
    """
    rule = find(name)
    if rule is None:
        return Decline(f"no rule for the optimizer {name}", api=name)
    texts, values = _renamed(texts), _renamed(values)
    decay = texts.get("decay")
    args = Arguments({key: text for key, text in texts.items() if key != "decay"}, values)
    try:
        schedule = _schedule(values.get("learning_rate"))
        rate = args.text("learning_rate", number_text(_default_rate(rule)))
        if decay is not None and values.get("decay") not in (Literal(0), Literal(0.0), Literal(None)):
            schedule = _decaying(rate, decay, schedule)
        lr = "1.0" if schedule else rate
        code = rule.make(averages.others(args), lr)
        code = optimizers_exact.exact(code) if exact else code
        code = averages.averaged(args, _decayed(args, code))
        return replace(code, clip=_clip(args), schedule=schedule)
    except Refused as error:
        return refusal(error, rule.api)


def _renamed(given: Mapping[str, T]) -> dict[str, T]:
    """`lr` is how older code names the learning rate."""
    return {"learning_rate" if name == "lr" else name: item for name, item in given.items()}


def _default_rate(rule: OptimizerRule) -> float:
    value = dict(rule.parameters)["learning_rate"]
    assert isinstance(value, float)
    return value


def _schedule(value: Value | None) -> str | None:
    if not isinstance(value, Instance):
        return None
    return schedules.schedule_of(value)


def _decaying(rate: str, decay: str, schedule: str | None) -> str:
    """The `decay` of older optimizers: the rate falls with every step."""
    if schedule is not None:
        raise Refused("`decay` together with a schedule")
    return f"lambda step: {rate} / (1 + {decay} * step)"


def _decayed(args: Arguments, code: OptimizerCode) -> OptimizerCode:
    """Decoupled weight decay, which torch has in AdamW only."""
    if not args.given("weight_decay") or "weight_decay=" in code.call:  # the optimizer does it itself
        return code
    call = f"with_weight_decay({code.call}, {args.texts['weight_decay']})"
    return replace(code, call=call, helpers=(*code.helpers, WEIGHT_DECAY))


def _clip(args: Arguments) -> tuple[str, ...]:
    given = [name for name in _CLIP if args.given(name)]
    if len(given) > 1:
        raise Refused("more than one kind of clipping")
    if not given:
        return ()
    limit = args.texts[given[0]]
    if given[0] == "global_clipnorm":
        return (f"torch.nn.utils.clip_grad_norm_({{params}}, max_norm={limit})",)
    if given[0] == "clipvalue":
        return (f"torch.nn.utils.clip_grad_value_({{params}}, clip_value={limit})",)
    return (
        "for p in {params}:  # each tensor is clipped on its own",
        f"    torch.nn.utils.clip_grad_norm_(p, max_norm={limit})",
    )
