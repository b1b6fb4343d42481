"""Optimizers of Keras that torch does not have, as classes of the migrated file."""

from __future__ import annotations

from migrator.model import Helper

RMSPROP = Helper(
    "RMSprop",
    '''class RMSprop(torch.optim.Optimizer):
    """RMSprop as Keras has it: epsilon inside the square root, the rate inside the momentum."""

    def __init__(self, params, lr=1e-3, rho=0.9, momentum=0.0, eps=1e-7):
        super().__init__(params, {"lr": lr, "rho": rho, "momentum": momentum, "eps": eps})

    @torch.no_grad()
    def step(self, closure=None):
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is None:
                    continue
                state = self.state[p]
                if not state:
                    state["square_avg"], state["buffer"] = torch.zeros_like(p), torch.zeros_like(p)
                square_avg = state["square_avg"].mul_(group["rho"])
                square_avg.addcmul_(p.grad, p.grad, value=1 - group["rho"])
                update = group["lr"] * p.grad * torch.rsqrt(square_avg + group["eps"])
                p.sub_(state["buffer"].mul_(group["momentum"]).add_(update))
''',
    ("import torch",),
)
RMSPROP_1 = Helper(
    "RMSpropFromOnes",
    '''class RMSpropFromOnes(torch.optim.Optimizer):
    """RMSprop as TensorFlow 1 has it: squares start from one, epsilon is inside the root, the rate in the momentum."""

    def __init__(self, params, lr=1e-3, rho=0.9, momentum=0.0, eps=1e-10):
        super().__init__(params, {"lr": lr, "rho": rho, "momentum": momentum, "eps": eps})

    @torch.no_grad()
    def step(self, closure=None):
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is None:
                    continue
                state = self.state[p]
                if not state:
                    state["square_avg"], state["buffer"] = torch.ones_like(p), torch.zeros_like(p)
                square_avg = state["square_avg"].mul_(group["rho"])
                square_avg.addcmul_(p.grad, p.grad, value=1 - group["rho"])
                update = group["lr"] * p.grad * torch.rsqrt(square_avg + group["eps"])
                p.sub_(state["buffer"].mul_(group["momentum"]).add_(update))
''',
    ("import torch",),
)
CENTERED = Helper(
    "CenteredRMSprop",
    '''class CenteredRMSprop(torch.optim.Optimizer):
    """RMSprop by the variance of the gradients as Keras has it: epsilon inside the root, the rate in the momentum."""

    def __init__(self, params, lr=1e-3, rho=0.9, momentum=0.0, eps=1e-7):
        super().__init__(params, {"lr": lr, "rho": rho, "momentum": momentum, "eps": eps})

    @torch.no_grad()
    def step(self, closure=None):
        for group in self.param_groups:
            rho = group["rho"]
            for p in group["params"]:
                if p.grad is None:
                    continue
                state = self.state[p]
                if not state:
                    state.update({name: torch.zeros_like(p) for name in ("square", "mean", "buffer")})
                square = state["square"].mul_(rho).addcmul_(p.grad, p.grad, value=1 - rho)
                mean = state["mean"].mul_(rho).add_(p.grad, alpha=1 - rho)
                update = group["lr"] * p.grad * torch.rsqrt(square - mean.square() + group["eps"])
                p.sub_(state["buffer"].mul_(group["momentum"]).add_(update))
''',
    ("import torch",),
)
ADAFACTOR = Helper(
    "Adafactor",
    '''class Adafactor(torch.optim.Optimizer):
    """Adafactor as Keras has it: second moments of matrices by their rows and columns, steps by the weights' size."""

    def __init__(self, params, lr=1e-3, decay=-0.8, eps=(1e-30, 1e-3), threshold=1.0, relative_step=True):
        options = {"lr": lr, "decay": decay, "eps": eps, "threshold": threshold, "relative_step": relative_step}
        super().__init__(params, options)

    @torch.no_grad()
    def step(self, closure=None):
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is None:
                    continue
                state = self.state[p]
                if not state:
                    state["step"], state["moment"] = 0, torch.zeros_like(p)
                    if p.dim() > 1:
                        state["rows"], state["columns"] = torch.zeros_like(p[..., 0]), torch.zeros_like(p[..., 0, :])
                state["step"] += 1
                lr = min(group["lr"], state["step"] ** -0.5) if group["relative_step"] else group["lr"]
                kept = 1 - state["step"] ** group["decay"]
                square = p.grad.square() + group["eps"][0]
                if p.dim() > 1:
                    rows = state["rows"].mul_(kept).add_(square.mean(dim=-1), alpha=1 - kept)
                    columns = state["columns"].mul_(kept).add_(square.mean(dim=-2), alpha=1 - kept)
                    moment = (rows / rows.mean(dim=-1, keepdim=True))[..., None] * columns[..., None, :]
                else:
                    moment = state["moment"].mul_(kept).add_(square, alpha=1 - kept)
                update = p.grad * torch.rsqrt(moment)
                update = update / (update.square().mean().sqrt() / group["threshold"]).clamp(min=1.0)
                size = p.square().mean().sqrt().clamp(min=group["eps"][1])
                p.sub_(size * min(lr, state["step"] ** -0.5) * update)
''',
    ("import torch",),
)
FTRL = Helper(
    "Ftrl",
    '''class Ftrl(torch.optim.Optimizer):
    """Follow the regularised leader, as Keras has it."""

    def __init__(self, params, lr=1e-3, power=-0.5, initial=0.1, l1=0.0, l2=0.0, shrinkage=0.0, beta=0.0):
        defaults = {"lr": lr, "power": power, "initial": initial, "l1": l1, "l2": l2}
        super().__init__(params, {**defaults, "shrinkage": shrinkage, "beta": beta})

    @torch.no_grad()
    def step(self, closure=None):
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is None:
                    continue
                state = self.state[p]
                if not state:
                    state["sum"], state["linear"] = torch.full_like(p, group["initial"]), torch.zeros_like(p)
                lr, power = group["lr"], -group["power"]
                total = state["sum"] + p.grad.square()
                grad = p.grad + 2 * group["shrinkage"] * p
                state["linear"] += grad - (total**power - state["sum"] ** power) / lr * p
                state["sum"] = total
                quadratic = total**power / lr + 2 * (group["l2"] + group["beta"] / (2 * lr))
                p.copy_((state["linear"].clamp(-group["l1"], group["l1"]) - state["linear"]) / quadratic)
''',
    ("import torch",),
)
LION = Helper(
    "Lion",
    '''class Lion(torch.optim.Optimizer):
    """Steps by the sign of an interpolated momentum."""

    def __init__(self, params, lr=1e-3, betas=(0.9, 0.99)):
        super().__init__(params, {"lr": lr, "betas": betas})

    @torch.no_grad()
    def step(self, closure=None):
        for group in self.param_groups:
            beta_1, beta_2 = group["betas"]
            for p in group["params"]:
                if p.grad is None:
                    continue
                state = self.state[p]
                if not state:
                    state["momentum"] = torch.zeros_like(p)
                p.sub_(group["lr"] * torch.sign(state["momentum"] * beta_1 + p.grad * (1 - beta_1)))
                state["momentum"].mul_(beta_2).add_(p.grad, alpha=1 - beta_2)
''',
    ("import torch",),
)
LAMB = Helper(
    "Lamb",
    '''class Lamb(torch.optim.Optimizer):
    """Adam whose step for each tensor is as long, times the rate, as the tensor itself."""

    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-7):
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps})

    @torch.no_grad()
    def step(self, closure=None):
        for group in self.param_groups:
            beta_1, beta_2 = group["betas"]
            for p in group["params"]:
                if p.grad is None:
                    continue
                state = self.state[p]
                if not state:
                    state.update(step=0, momentum=torch.zeros_like(p), velocity=torch.zeros_like(p))
                state["step"] += 1
                momentum = state["momentum"].lerp_(p.grad, 1 - beta_1) / (1 - beta_1 ** state["step"])
                velocity = state["velocity"].lerp_(p.grad.square(), 1 - beta_2) / (1 - beta_2 ** state["step"])
                update = momentum / (velocity.sqrt() + group["eps"])
                length, size = p.square().sum().sqrt(), update.square().sum().sqrt()
                ratio = torch.where((length > 0) & (size > 0), length / size, 1.0)
                p.sub_(ratio * group["lr"] * update)
''',
    ("import torch",),
)
SCHEDULE_FREE = Helper(
    "ScheduleFreeAdamW",
    '''class ScheduleFreeAdamW(torch.optim.Optimizer):
    """Adam steps of a point of its own; the parameters stay between it and the mean of all points so far."""

    def __init__(self, params, lr=0.0025, betas=(0.9, 0.999), eps=1e-8, warmup=0):
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps, "warmup": warmup})

    @torch.no_grad()
    def step(self, closure=None):
        for group in self.param_groups:
            beta_1, beta_2 = group["betas"]
            for p in group["params"]:
                if p.grad is None:
                    continue
                state = self.state[p]
                if not state:
                    state.update(step=0, point=p.clone(), velocity=torch.zeros_like(p))
                state["step"] += 1
                step, point = state["step"], state["point"]
                velocity = state["velocity"].lerp_(p.grad.square(), 1 - beta_2) / (1 - beta_2**step)
                lr = group["lr"] * (min(step / group["warmup"], 1.0) if group["warmup"] else 1.0)
                point.sub_(lr * p.grad / (velocity.sqrt() + group["eps"]))
                mean = (p - (1 - beta_1) * point) / beta_1  # Keras takes it from the point that has moved
                mean.lerp_(point, 1 / step)
                p.copy_(point.lerp(mean, beta_1))
''',
    ("import torch",),
)
WEIGHT_DECAY = Helper(
    "with_weight_decay",
    '''def with_weight_decay(optimizer, amount):
    """The optimizer, which shrinks all weights by its rate times `amount` before each step."""

    @torch.no_grad()
    def shrink(*_):
        for group in optimizer.param_groups:
            for p in group["params"]:
                p.mul_(1 - group["lr"] * amount)

    optimizer.register_step_pre_hook(shrink)
    return optimizer
''',
    ("import torch",),
)
