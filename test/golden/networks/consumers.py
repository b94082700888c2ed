"""Writes consumers.json: guided gradients of a network in which a ReLU's input goes elsewhere, too, right and wrong.

    python test/golden/networks/consumers.py

    z = first(x)      y = second(relu(z) + z)      gradient of sum(relu(y) * weights) with respect to x

`right` clamps in the ReLU's own backward pass. `input_hook` is what a hook on the ReLU's input tensor gives, as Captum's
GuidedBackprop sets one: it clamps what goes round the ReLU as well.
"""

import json
import sys
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional as F

sys.path.insert(0, str(Path(__file__).parent))

from make import relative  # noqa: E402
from rectifiers import relu, rule  # noqa: E402

torch.manual_seed(7)
SIDE = 6
first, second = (torch.randn(4, channels, 3, 3).double().round(decimals=3) for channels in (3, 4))
image = torch.randn(1, 3, SIDE, SIDE).double().round(decimals=3)
weights = torch.randn(1, 4, SIDE, SIDE).double().round(decimals=3)


def gradient(before_relu=lambda z: None, activation=F.relu):
    x = image.clone().requires_grad_()
    z = F.conv2d(x, first, padding=1)
    before_relu(z)
    last = F.conv2d(activation(z) + z, second, padding=1)
    before_relu(last)
    return torch.autograd.grad((activation(last) * weights).sum(), x)[0][0].numpy()


def clamped(tensor):
    tensor.register_hook(lambda arriving: arriving.clamp(min=0))


with rule("all"):
    right = gradient(activation=relu)
found = {"right": right, "input_hook": gradient(clamped)}
print({name: relative(values, right) for name, values in found.items()})
data = {
    "side": SIDE,
    "image": image.flatten().tolist(),
    "first": first.flatten().tolist(),
    "second": second.flatten().tolist(),
    "weights": weights.flatten().tolist(),
    **{name: [float(x) for x in np.round(values, 9).flatten()] for name, values in found.items()},
}
Path(__file__).with_name("consumers.json").write_text(f"{json.dumps(data)}\n")
