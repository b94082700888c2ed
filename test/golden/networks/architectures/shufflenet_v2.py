"""ShuffleNetV2 in torchvision's names, as hopenet-lite has them, too (Ma et al. 2018, arXiv 1807.11164)."""

import torch
from rectifiers import relu
from torch import nn
from torch.nn import functional as F


class Relu(nn.Module):
    """Stands where torchvision has nn.ReLU: places in an nn.Sequential are part of the names."""

    def forward(self, x):
        return relu(x)


def depthwise(channels, stride):
    return nn.Conv2d(channels, channels, 3, stride, 1, groups=channels, bias=False), nn.BatchNorm2d(channels)


def pointwise(channels, outputs):
    return nn.Conv2d(channels, outputs, 1, bias=False), nn.BatchNorm2d(outputs)


class ShuffleUnit(nn.Module):
    def __init__(self, channels, outputs, stride):
        super().__init__()
        half = outputs // 2
        self.stride = stride
        self.branch1 = nn.Sequential()
        if stride > 1:
            self.branch1 = nn.Sequential(*depthwise(channels, stride), *pointwise(channels, half), Relu())
        self.branch2 = nn.Sequential(
            *pointwise(channels if stride > 1 else half, half),
            Relu(),
            *depthwise(half, stride),
            *pointwise(half, half),
            Relu(),
        )

    def forward(self, x):
        left, right = (self.branch1(x), x) if self.stride > 1 else x.chunk(2, dim=1)
        joined = torch.cat([left, self.branch2(right)], 1)
        n, channels, height, width = joined.shape
        return joined.view(n, 2, channels // 2, height, width).transpose(1, 2).reshape(n, channels, height, width)


class ShuffleNetV2(nn.Module):
    """`widths`: after the stem, of the three stages, and of the last convolution; 24, 116, 232, 464, 1024 in x1.0."""

    def __init__(self, heads, widths=(24, 116, 232, 464, 1024), repeats=(4, 8, 4)):
        super().__init__()
        first, *stages, last = widths
        self.conv1 = nn.Sequential(nn.Conv2d(3, first, 3, 2, 1, bias=False), nn.BatchNorm2d(first), Relu())
        channels = first
        for stage, (width, count) in enumerate(zip(stages, repeats, strict=True), start=2):
            units = [ShuffleUnit(channels if i == 0 else width, width, 2 if i == 0 else 1) for i in range(count)]
            setattr(self, f"stage{stage}", nn.Sequential(*units))
            channels = width
        self.conv5 = nn.Sequential(*pointwise(channels, last), Relu())
        self.heads = list(heads)
        for name, outputs in heads.items():
            setattr(self, name, nn.Linear(last, outputs))

    def forward(self, x):
        x = F.max_pool2d(self.conv1(x), 3, 2, 1)
        x = self.conv5(self.stage4(self.stage3(self.stage2(x))))
        x = x.mean([2, 3])
        return {name: getattr(self, name)(x) for name in self.heads}
