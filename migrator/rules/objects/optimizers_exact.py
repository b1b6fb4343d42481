"""Optimizers that step as Keras's do, for `--fidelity exact`: torch's own differ in a documented way."""

from __future__ import annotations

from dataclasses import replace

from migrator.model import Helper, OptimizerCode

_ADAM = '''class {name}(torch.optim.{name}):
    """{name} with Keras's epsilon, which is added before the second moment is corrected."""

    def __init__(self, params, lr=1e-3, eps=1e-7, **options):
        super().__init__(params, lr=lr, eps=eps, **options)
        self.eps = eps

    def step(self, closure=None):
        done = max((int(state["step"]) for state in self.state.values()), default=0)
        for group in self.param_groups:
            group["eps"] = self.eps / (1 - group["betas"][1] ** (done + 1)) ** 0.5
        return super().step(closure)
'''
_SGD = '''class SGD(torch.optim.Optimizer):
    """Gradient descent with Keras's velocity, which has the learning rate of its time in it."""

    def __init__(self, params, lr=0.01, momentum=0.0, nesterov=False):
        super().__init__(params, {"lr": lr, "momentum": momentum, "nesterov": nesterov})

    @torch.no_grad()
    def step(self, closure=None):
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is None:
                    continue
                state = self.state[p]
                if not state:
                    state["velocity"] = torch.zeros_like(p)
                velocity = state["velocity"].mul_(group["momentum"]).sub_(p.grad, alpha=group["lr"])
                if group["nesterov"]:
                    p.add_(velocity, alpha=group["momentum"]).sub_(p.grad, alpha=group["lr"])
                else:
                    p.add_(velocity)
'''
_IMPORTS = ("import torch",)
ADAM, ADAMW = (Helper(name, _ADAM.replace("{name}", name), _IMPORTS) for name in ("Adam", "AdamW"))
SGD = Helper("SGD", _SGD, _IMPORTS)


def exact(code: OptimizerCode) -> OptimizerCode:
    """The same optimizer without its gap; one without a gap as it is."""
    for helper in (ADAM, ADAMW, SGD):
        stock = f"torch.optim.{helper.name}("
        if code.gaps and code.call.startswith(stock):
            call = code.call.replace(stock, f"{helper.name}(", 1)
            return replace(code, call=call, helpers=(*code.helpers, helper), gaps=())
    return code
