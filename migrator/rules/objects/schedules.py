"""Learning-rate schedules of Keras as plain expressions of the step, for LambdaLR over a rate of 1.0."""

from __future__ import annotations

from collections.abc import Callable

from migrator.rules.objects.arguments import Refused, number_text
from migrator.values import Instance, Literal, Scalar, Sequence, Value

_PREFIX = "tf.keras.optimizers.schedules."


def schedule_of(value: Instance) -> str:
    """`lambda step: rate` for a schedule's instance; raises `Refused` where a constant is not known."""
    make = _RULES.get(value.api.removeprefix(_PREFIX))
    if not value.api.startswith(_PREFIX) or make is None:
        raise Refused(f"no rule for the learning rate {value.api}")
    return make(dict(value.args))


def exponential(args: dict[str, Value]) -> str:
    _only(args, "initial_learning_rate", "decay_steps", "decay_rate", "staircase", "name")
    start, steps, rate = (_text(args, n) for n in ("initial_learning_rate", "decay_steps", "decay_rate"))
    divide = "//" if _flag(args, "staircase") else "/"
    return f"lambda step: {start} * {rate} ** (step {divide} {steps})"


def inverse_time(args: dict[str, Value]) -> str:
    _only(args, "initial_learning_rate", "decay_steps", "decay_rate", "staircase", "name")
    start, steps, rate = (_text(args, n) for n in ("initial_learning_rate", "decay_steps", "decay_rate"))
    divide = "//" if _flag(args, "staircase") else "/"
    return f"lambda step: {start} / (1 + {rate} * (step {divide} {steps}))"


def polynomial(args: dict[str, Value]) -> str:
    _only(args, "initial_learning_rate", "decay_steps", "end_learning_rate", "power", "cycle", "name")
    start, steps = _text(args, "initial_learning_rate"), _text(args, "decay_steps")
    end, power = _text(args, "end_learning_rate", "0.0001"), _text(args, "power", "1.0")
    done = f"min(step, {steps}) / {steps}"
    if _flag(args, "cycle"):  # each round is longer by the first one's steps
        done = f"step / ({steps} * max(1, math.ceil(step / {steps})))"
    shape = f"(1 - {done})" + ("" if power in ("1.0", "1") else f" ** {power}")
    return f"lambda step: ({start} - {end}) * {shape} + {end}"


def cosine(args: dict[str, Value]) -> str:
    _only(args, "initial_learning_rate", "decay_steps", "alpha", "name", "warmup_target", "warmup_steps")
    start, steps = _text(args, "initial_learning_rate"), _text(args, "decay_steps")
    alpha = _text(args, "alpha", "0.0")
    warm = args.get("warmup_target", Literal(None)) != Literal(None)
    first = _text(args, "warmup_steps", "0") if warm else "0"
    step = f"min(step - {first}, {steps})" if warm else f"min(step, {steps})"
    wave = f"0.5 * (1 + math.cos(math.pi * {step} / {steps}))"
    shape = wave if alpha in ("0.0", "0") else f"((1 - {alpha}) * {wave} + {alpha})"
    if not warm:
        return f"lambda step: {start} * {shape}"
    target = _text(args, "warmup_target")
    rise = f"{start} + ({target} - {start}) * step / {first}"
    return f"lambda step: {rise} if step < {first} else {target} * {shape}"


def restarts(args: dict[str, Value]) -> str:
    """Cosines one behind the other, each longer by `t_mul` and lower by `m_mul`."""
    _only(args, "initial_learning_rate", "first_decay_steps", "t_mul", "m_mul", "alpha", "name")
    start, first = _text(args, "initial_learning_rate"), _text(args, "first_decay_steps")
    longer, lower, alpha = _text(args, "t_mul", "2.0"), _text(args, "m_mul", "1.0"), _text(args, "alpha", "0.0")
    done = f"step / {first}"
    if longer in ("1", "1.0"):
        number, part = f"({done} // 1)", f"({done} % 1)"
    else:  # of a geometric series of lengths
        number = f"((math.log(1 - {done} * (1 - {longer}), {longer}) + 1e-9) // 1)"
        part = f"(({done} - (1 - {longer} ** {number}) / (1 - {longer})) / {longer} ** {number})"
    wave = f"0.5 * {lower} ** {number} * (1 + math.cos(math.pi * {part}))"
    shape = wave if alpha in ("0.0", "0") else f"((1 - {alpha}) * {wave} + {alpha})"
    return f"lambda step: {start} * {shape}"


def piecewise(args: dict[str, Value]) -> str:
    _only(args, "boundaries", "values", "name")
    boundaries, values = _items(args, "boundaries"), _items(args, "values")
    # a boundary still belongs to the interval before it
    return f"lambda step: {values}[bisect.bisect_left({boundaries}, step)]"


def _only(args: dict[str, Value], *names: str) -> None:
    for name in args:
        if name not in names:
            raise Refused(f"schedule argument `{name}` has no rule")


def _flag(args: dict[str, Value], name: str) -> bool:
    value = args.get(name, Literal(False))
    if not isinstance(value, Literal):
        raise Refused(f"`{name}` is not a constant")
    return bool(value.value)


def _text(args: dict[str, Value], name: str, default: str | None = None) -> str:
    value = args.get(name)
    if value is None and default is not None:
        return default
    if isinstance(value, Literal) and isinstance(value.value, int | float):
        return number_text(value.value)
    if isinstance(value, Scalar) and value.sym is not None and value.sym.text.isidentifier():
        return value.sym.text
    raise Refused(f"schedule argument `{name}` is not a known number")


def _items(args: dict[str, Value], name: str) -> str:
    value = args.get(name)
    if not isinstance(value, Sequence) or value.items is None:
        raise Refused(f"schedule argument `{name}` is not a known list")
    if not all(isinstance(i, Literal) for i in value.items):
        raise Refused(f"schedule argument `{name}` is not a known list")
    numbers = [i.value for i in value.items if isinstance(i, Literal) and isinstance(i.value, int | float)]
    return "[" + ", ".join(number_text(n) for n in numbers) + "]"


_RULES: dict[str, Callable[[dict[str, Value]], str]] = {
    "ExponentialDecay": exponential,
    "InverseTimeDecay": inverse_time,
    "PolynomialDecay": polynomial,
    "CosineDecay": cosine,
    "CosineDecayRestarts": restarts,
    "PiecewiseConstantDecay": piecewise,
}
APIS = tuple(f"{_PREFIX}{name}" for name in _RULES)
