"""The real families: torchvision's, and the repository's own RepVGG, with outputs that have names."""

from functools import partial

import torchvision
from architectures.repvgg import RepVGG
from torch import nn

# The layer that gives the classes.
LAST = {
    "resnet18": "fc",
    "resnet50": "fc",
    "vgg11_bn": "classifier.6",
    "mobilenet_v2": "classifier.1",
    "mobilenet_v3_small": "classifier.3",
    "mobilenet_v3_large": "classifier.3",
    "shufflenet_v2_x1_0": "fc",
    "squeezenet1_1": "classifier.1",
    "googlenet": "fc",
    "inception_v3": "fc",
    "regnet_y_400mf": "fc",
    "densenet121": "classifier",
}
WITHOUT_HELPERS = {"aux_logits": False, "init_weights": False}
OPTIONS = {"googlenet": {**WITHOUT_HELPERS, "transform_input": True}, "inception_v3": WITHOUT_HELPERS}


class Family(nn.Module):
    def __init__(self, name):
        super().__init__()
        self.net = getattr(torchvision.models, name)(weights=None, **OPTIONS.get(name, {}))
        self.last = f"net.{LAST[name]}"

    def forward(self, x):
        return {self.last: self.net(x)}


BUILDERS = {
    **{name: partial(Family, name) for name in LAST},
    "repvgg_a0": partial(RepVGG, (2, 4, 14, 1), (48, 48, 96, 192, 1280), {"linear": 1000}),
}
