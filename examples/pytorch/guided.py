"""Guided backpropagation on any PyTorch module, whatever way it calls its activations.

The rule (Springenberg et al. 2014, arXiv 1412.6806), one for every kind of activation: the gradient that passes is
max(0, upstream x derivative of the activation).

It is put onto the nodes of autograd's own graph, after the forward pass. So it meets nn.ReLU, F.relu, torch.relu and
relu_ alike, modules that are used several times, and a ReLU whose input goes elsewhere, too. Two tempting ways do not:
replacing nn.ReLU modules passes over functional calls, and a hook on the activation's input tensor clamps what the
tensor's other consumers send.
"""

import torch

# Nodes whose inside autograd does not show. An activation in there would keep its plain gradient without a word.
HIDING = {
    "CheckpointFunctionBackward": "torch.utils.checkpoint; switch checkpointing off",
    "CompiledFunctionBackward": "torch.compile; give the module that was not compiled",
    "CopySlices": "an in-place operation on a part of a tensor; give that part a tensor of its own",
    "DifferentiableGraphBackward": "TorchScript; give the Python module",
}


class CannotCompare(Exception):
    """One sentence: what was wrong, and what to do."""


class CannotCompareAny(CannotCompare):
    """The same of every image, so that one sentence is enough."""


class Activation:
    """`kind`: relu, relu6 or prelu (LeakyReLU is a PReLU of one slope). `position` grows along the forward pass."""

    def __init__(self, node, kind, inside=None):
        self.node, self.kind, self.inside, self.position = node, kind, inside, node._sequence_nr()

    def guide(self):
        self.node.register_hook(lambda passed, _: tuple(self._clamped(passed)))

    def _clamped(self, passed):
        for number, gradient in enumerate(passed):
            if number > 0 or gradient is None:
                yield gradient
                continue
            positive = gradient.clamp(min=0)
            # torch.clamp lets the gradient pass where its input lies on a limit.
            yield positive if self.inside is None else positive * self.inside(self.node)


def activations(outputs):
    """Those between the image and the outputs, in the order of the forward pass, and how often other ones occur."""
    found, others, seen = [], {}, set()
    waiting = [output.grad_fn for output in outputs if output.grad_fn is not None]
    while waiting:
        node = waiting.pop()
        if node in seen:
            continue
        seen.add(node)
        name = node.name().removeprefix("torch::autograd::")
        hiding = next((why for which, why in HIDING.items() if name.startswith(which)), None)
        if hiding is not None:
            raise CannotCompare(f"the module hides a part of its backward pass behind {hiding}")
        activation = as_activation(name, node)
        if activation is not None:
            found.append(activation)
        else:
            other = UNGUIDED.get(name.rstrip("0123456789"))
            if other is not None:
                others[other] = others.get(other, 0) + 1
        waiting += [following for following, _ in node.next_functions if following is not None]
    return sorted(found, key=lambda one: one.position), others


# Activations that headlight never guides, as it names them.
UNGUIDED = {
    "EluBackward": "elu",
    "GeluBackward": "gelu",
    "HardsigmoidBackward": "hard-sigmoid",
    "HardswishBackward": "hard-swish",
    "MishBackward": "mish",
    "SigmoidBackward": "sigmoid",
    "SiluBackward": "silu",
    "SoftplusBackward": "softplus",
    "TanhBackward": "tanh",
}


def as_activation(name, node):
    # The same activation in place, or of another overload, ends in another number.
    kind = name.rstrip("0123456789")
    if kind == "ReluBackward" or (kind == "ThresholdBackward" and node._saved_threshold == 0):
        return Activation(node, "relu")
    if kind in ("PreluKernelBackward", "PreluBackward", "LeakyReluBackward"):
        return Activation(node, "prelu")
    if kind == "HardtanhBackward" and (node._saved_min_val, node._saved_max_val) == (0, 6):
        return Activation(node, "relu6")
    low, high = getattr(node, "_saved_min", None), getattr(node, "_saved_max", None)
    if kind in ("ClampMinBackward", "ClampBackward") and low == 0 and high in (None, 6):
        if high is None:
            return Activation(node, "relu", lambda of: of._saved_self > 0)
        return Activation(node, "relu6", lambda of: (of._saved_self > 0) & (of._saved_self < 6))
    return None


def guide(outputs, scope, relu6):
    """
    Puts the rule onto the graph that leads to `outputs`: every later backward pass through it follows the rule. `scope`:
    all, stem (the first activation that can be guided) or none; `relu6`: guided or plain. Returns what `activations` does,
    with the guided ones first: (guided, plain, others).
    """
    found, others = activations(outputs)
    can_be = [one for one in found if one.kind != "relu6" or relu6 == "guided"]
    guided = {"all": can_be, "stem": can_be[:1], "none": []}[scope]
    for activation in guided:
        activation.guide()
    return guided, [one for one in found if one not in guided], others


def gradient_of(target, image):
    """Of a scalar, with respect to the image, by the rule that the graph has."""
    (gradient,) = torch.autograd.grad(target, image, retain_graph=True)
    return gradient
