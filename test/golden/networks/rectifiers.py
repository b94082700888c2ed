"""The activations of the golden networks, and the rule that is in force for their gradient.

The rule of guided backpropagation (Springenberg et al. 2014, arXiv 1412.6806): the gradient that passes an activation is
max(0, upstream x derivative of the activation). It belongs into the activation's own backward pass. Clamping the gradient
at the activation's *input tensor* is the tempting wrong choice (a hook on that tensor, as Captum does): it clamps what
the tensor's other consumers send, too.
"""

from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch.nn import functional as F
from torch.overrides import TorchFunctionMode

SCOPES = ("all", "stem", "none")


@dataclass
class Rule:
    """`scope`: all, stem (the first activation that can be guided) or none. `relu6`: guided or plain."""

    scope: str = "none"
    relu6: str = "guided"
    met: int = 0

    def guides_next(self):
        self.met += 1
        return self.scope == "all" or (self.scope == "stem" and self.met == 1)


_rule = None


@contextmanager
def rule(scope, relu6="guided"):
    """
    Within it every activation of a forward pass follows this rule: the functions below, and PyTorch's own, by whatever
    name a module calls them. Outside PyTorch's own functions are called.
    """
    global _rule
    assert scope in SCOPES and relu6 in ("guided", "plain")
    before, _rule = _rule, Rule(scope, relu6)
    try:
        with _Ruled():
            yield _rule
    finally:
        _rule = before


class _Activation(torch.autograd.Function):
    """0 below `low`, `high` above it; the gradient passes strictly between the two, and only where it is positive."""

    @staticmethod
    def forward(ctx, x, high, guided):
        ctx.save_for_backward(x)
        ctx.high, ctx.guided = high, guided
        return x.clamp(0, high)

    @staticmethod
    def backward(ctx, upstream):
        (x,) = ctx.saved_tensors
        passed = upstream * ((x > 0) & (x < ctx.high))
        return passed.clamp(min=0) if ctx.guided else passed, None, None


def relu(x):
    if _rule is None:
        return F.relu(x)
    return _Activation.apply(x, float("inf"), _rule.guides_next())


def relu6(x):
    if _rule is None:
        return F.relu6(x)
    guided = _rule.relu6 == "guided" and _rule.guides_next()
    return _Activation.apply(x, 6.0, guided)


def plain_relu6(x):
    """One that is part of another function, such as x * relu6(x + 3) / 6: never guided, and not counted."""
    return F.relu6(x) if _rule is None else _Activation.apply(x, 6.0, False)


class _Sloped(torch.autograd.Function):
    """`slope` times x where x is not positive: a PReLU or a LeakyReLU."""

    @staticmethod
    def forward(ctx, x, slope, guided):
        ctx.save_for_backward(x, slope)
        ctx.guided = guided
        return torch.where(x > 0, x, slope * x)

    @staticmethod
    def backward(ctx, upstream):
        x, slope = ctx.saved_tensors
        passed = torch.where(x > 0, upstream, slope * upstream)
        return passed.clamp(min=0) if ctx.guided else passed, None, None


def _prelu(x, weight):
    slope = weight.detach().reshape(-1, *[1] * (x.dim() - 2))
    return _Sloped.apply(x, slope, _rule.guides_next())


def _leaky_relu(x, negative_slope=0.01, inplace=False):
    return _Sloped.apply(x, x.new_tensor(negative_slope), _rule.guides_next())


def _hardtanh(x, min_val=-1.0, max_val=1.0, inplace=False):
    # What nn.ReLU6 calls.
    return relu6(x) if (min_val, max_val) == (0, 6) else x.clamp(min_val, max_val)


# In place or not is the same here: no network reads a tensor that an activation has overwritten.
_ACTIVATIONS = {
    **dict.fromkeys((F.relu, F.relu_, torch.relu, torch.relu_, torch.Tensor.relu, torch.Tensor.relu_), lambda x, **_: relu(x)),
    F.relu6: lambda x, **_: relu6(x),
    F.hardtanh: _hardtanh,
    F.leaky_relu: _leaky_relu,
    **dict.fromkeys((F.prelu, torch.prelu, torch.Tensor.prelu), _prelu),
}


class _Ruled(TorchFunctionMode):
    """Takes the calls of PyTorch's activations: a hook on modules would miss those that are called as functions."""

    def __torch_function__(self, function, types, args=(), kwargs=None):
        return _ACTIVATIONS.get(function, function)(*args, **(kwargs or {}))
