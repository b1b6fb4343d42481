"""`use_ema` of Keras 3's optimizers: moving averages of the weights, which take their place in the end."""

from __future__ import annotations

from dataclasses import replace

from migrator.model import Helper, OptimizerCode
from migrator.rules.objects.arguments import Arguments

ARGUMENTS = ("use_ema", "ema_momentum", "ema_overwrite_frequency")
WEIGHT_AVERAGES = Helper(
    "WeightAverages",
    '''class WeightAverages:
    """Moving averages of an optimizer's parameters that follow its steps; every so many steps they take their place."""

    def __init__(self, optimizer, momentum=0.99, every=None):
        self.parameters = [p for group in optimizer.param_groups for p in group["params"]]
        self.averages, self.momentum, self.every, self.steps = [], momentum, every, 0
        optimizer.register_step_post_hook(self.update)

    @torch.no_grad()
    def update(self, *_):
        if not self.averages:
            self.averages = [p.clone() for p in self.parameters]
        for average, p in zip(self.averages, self.parameters):
            average.lerp_(p, 1 - self.momentum)
        self.steps += 1
        if self.every and self.steps % self.every == 0:
            self.use()

    @torch.no_grad()
    def use(self):
        for p, average in zip(self.parameters, self.averages):
            p.copy_(average)
''',
    ("import torch",),
)
WITH_AVERAGES = Helper(
    "with_averages",
    '''def with_averages(optimizer, momentum=0.99, every=None):
    """The optimizer with moving averages of its parameters in `averages`."""
    optimizer.averages = WeightAverages(optimizer, momentum, every)
    return optimizer
''',
)


def averaged(args: Arguments, code: OptimizerCode) -> OptimizerCode:
    """The optimizer with averages, where it asks for them; raises `Refused` where that is not a constant."""
    if not args.flag("use_ema"):
        return code
    momentum = args.text("ema_momentum", "0.99")
    options = "" if momentum == "0.99" else f", momentum={momentum}"
    options += f", every={args.texts['ema_overwrite_frequency']}" if args.given("ema_overwrite_frequency") else ""
    return replace(
        code,
        call=f"with_averages({code.call}{options})",
        helpers=(*code.helpers, WEIGHT_AVERAGES, WITH_AVERAGES),
        finish=("{optimizer}.averages.use()",),
    )


def others(args: Arguments) -> Arguments:
    """The arguments that say nothing of averages."""
    texts = {name: text for name, text in args.texts.items() if name not in ARGUMENTS}
    return Arguments(texts, args.values)
