"""MobileNetV2 in torchvision's names (Sandler et al. 2018, arXiv 1801.04381). Every activation is ReLU6."""

import torch
from rectifiers import relu6
from torch import nn
from torch.nn import functional as F

# Expansion, outputs, repeats, stride of the first.
SETTINGS = (
    (1, 16, 1, 1),
    (6, 24, 2, 2),
    (6, 32, 3, 2),
    (6, 64, 4, 2),
    (6, 96, 3, 1),
    (6, 160, 3, 2),
    (6, 320, 1, 1),
)


class Relu6(nn.Module):
    """Stands where torchvision has nn.ReLU6: places in an nn.Sequential are part of the names."""

    def forward(self, x):
        return relu6(x)


def conv_norm_relu6(channels, outputs, kernel, stride, groups, epsilon):
    return nn.Sequential(
        nn.Conv2d(channels, outputs, kernel, stride, kernel // 2, groups=groups, bias=False),
        nn.BatchNorm2d(outputs, epsilon),
        Relu6(),
    )


class InvertedResidual(nn.Module):
    def __init__(self, channels, outputs, stride, expansion, epsilon, projection_epsilon):
        super().__init__()
        hidden = channels * expansion
        layers = [] if expansion == 1 else [conv_norm_relu6(channels, hidden, 1, 1, 1, epsilon)]
        layers.append(conv_norm_relu6(hidden, hidden, 3, stride, hidden, epsilon))
        layers.append(nn.Conv2d(hidden, outputs, 1, bias=False))
        layers.append(nn.BatchNorm2d(outputs, projection_epsilon))
        self.conv = nn.Sequential(*layers)
        self.residual = stride == 1 and channels == outputs

    def forward(self, x):
        return x + self.conv(x) if self.residual else self.conv(x)


class MobileNetV2(nn.Module):
    """
    `share`: widths in parts of the published ones. Batch norm's epsilon is torchvision's 1e-5 everywhere;
    yakhyo/head-pose-estimation has 1e-3 except in the projections.
    """

    def __init__(self, heads, share=1.0, last=1280, epsilon=1e-5, projection_epsilon=1e-5):
        super().__init__()
        channels = int(32 * share)
        layers = [conv_norm_relu6(3, channels, 3, 2, 1, epsilon)]
        for expansion, published, repeats, first_stride in SETTINGS:
            outputs = int(published * share)
            for index in range(repeats):
                stride = first_stride if index == 0 else 1
                layers.append(InvertedResidual(channels, outputs, stride, expansion, epsilon, projection_epsilon))
                channels = outputs
        layers.append(conv_norm_relu6(channels, last, 1, 1, 1, epsilon))
        self.features = nn.Sequential(*layers)
        self.heads = list(heads)
        for name, outputs in heads.items():
            setattr(self, name, nn.Linear(last, outputs))

    def forward(self, x):
        x = torch.flatten(F.adaptive_avg_pool2d(self.features(x), 1), 1)
        return {name: getattr(self, name)(x) for name in self.heads}
