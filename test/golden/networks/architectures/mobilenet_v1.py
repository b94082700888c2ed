"""MobileNetV1 as 3DDFA names it (Howard et al. 2017, arXiv 1704.04861; names: cleardusk/3DDFA_V2, models/mobilenet_v1.py)."""

import torch
from rectifiers import relu
from torch import nn
from torch.nn import functional as F

# Outputs in parts of the first width, and strides.
BLOCKS = {
    "dw2_1": (2, 1),
    "dw2_2": (4, 2),
    "dw3_1": (4, 1),
    "dw3_2": (8, 2),
    "dw4_1": (8, 1),
    "dw4_2": (16, 2),
    "dw5_1": (16, 1),
    "dw5_2": (16, 1),
    "dw5_3": (16, 1),
    "dw5_4": (16, 1),
    "dw5_5": (16, 1),
    "dw5_6": (32, 2),
    "dw6": (32, 1),
}


class DepthwiseBlock(nn.Module):
    def __init__(self, channels, outputs, stride):
        super().__init__()
        self.conv_dw = nn.Conv2d(channels, channels, 3, stride, 1, groups=channels, bias=False)
        self.bn_dw = nn.BatchNorm2d(channels)
        self.conv_sep = nn.Conv2d(channels, outputs, 1, bias=False)
        self.bn_sep = nn.BatchNorm2d(outputs)

    def forward(self, x):
        x = relu(self.bn_dw(self.conv_dw(x)))
        return relu(self.bn_sep(self.conv_sep(x)))


class MobileNetV1(nn.Module):
    """`first`: channels after the stem, 32 in mb1 and 16 in mb05."""

    def __init__(self, heads, first=32):
        super().__init__()
        self.conv1 = nn.Conv2d(3, first, 3, 2, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(first)
        channels = first
        for name, (share, stride) in BLOCKS.items():
            setattr(self, name, DepthwiseBlock(channels, share * first, stride))
            channels = share * first
        self.heads = list(heads)
        for name, outputs in heads.items():
            setattr(self, name, nn.Linear(channels, outputs))

    def forward(self, x):
        x = relu(self.bn1(self.conv1(x)))
        for name in BLOCKS:
            x = getattr(self, name)(x)
        x = torch.flatten(F.adaptive_avg_pool2d(x, 1), 1)
        return {name: getattr(self, name)(x) for name in self.heads}
