"""Losses, metrics and optimizers: objects that training code makes, one record each."""

from __future__ import annotations

from collections.abc import Mapping

from migrator.model import Decline, LossCode, MetricCode, OptimizerCode, OutputFacts
from migrator.rules.objects import losses, metrics, optimizers
from migrator.values import Value

__all__ = ["Objects"]


class Objects:
    """The records as training codemods see them; arguments by TF's parameter names.

    `exact`: optimizers of our own where torch's differ in a documented way. `keras`: the version that is meant.
    """

    def __init__(self, exact: bool = False, keras: int = 3) -> None:
        self.exact = exact
        self.keras = keras

    def parameters(self, name: str) -> tuple[str, ...] | None:
        """Parameter names, in order, of a loss, metric or optimizer class by canonical name."""
        for room in (losses, metrics, optimizers):
            rule = room.find(name)
            if rule is not None:
                return (*(parameter for parameter, _ in rule.parameters), *getattr(rule, "more", ()))
        return None

    def loss(
        self, name: str, texts: Mapping[str, str], values: Mapping[str, Value], output: OutputFacts
    ) -> LossCode | Decline:
        return losses.loss(name, texts, values, output)

    def metric(
        self,
        name: str,
        texts: Mapping[str, str],
        values: Mapping[str, Value],
        output: OutputFacts,
        loss: LossCode,
    ) -> MetricCode | Decline:
        return metrics.metric(name, texts, values, output, loss, self.keras)

    def optimizer(self, name: str, texts: Mapping[str, str], values: Mapping[str, Value]) -> OptimizerCode | Decline:
        return optimizers.optimizer(name, texts, values, self.exact)
