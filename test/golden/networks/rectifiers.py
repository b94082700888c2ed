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
    """Within it every activation of a forward pass follows this rule. Outside PyTorch's own functions are called."""
    global _rule
    assert scope in SCOPES and relu6 in ("guided", "plain")
    before, _rule = _rule, Rule(scope, relu6)
    try:
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
