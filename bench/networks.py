"""ms per image of guided backpropagation as the origin's script does it: hooks on every activation, autograd, trainable
parameters, batch 1. The networks are those of syntheticNetworks.ts."""

import sys
import time

import torch
from torch import nn


def conv_norm(ins, outs, kernel, stride=1, groups=1):
    return [nn.Conv2d(ins, outs, kernel, stride, kernel // 2, groups=groups, bias=False), nn.BatchNorm2d(outs)]


class Residual(nn.Module):
    def __init__(self, branch, shortcut=None, activation=None):
        super().__init__()
        self.branch, self.shortcut, self.activation = nn.Sequential(*branch), shortcut, activation

    def forward(self, x):
        y = self.branch(x) + (x if self.shortcut is None else self.shortcut(x))
        return y if self.activation is None else self.activation(y)


def resnet(bottleneck, stages, outputs):
    layers = [*conv_norm(3, 64, 7, 2), nn.ReLU(), nn.MaxPool2d(3, 2, 1)]
    channels = 64
    for stage, blocks in enumerate(stages):
        width = 64 << stage
        outs = width * 4 if bottleneck else width
        for index in range(blocks):
            stride = 2 if stage > 0 and index == 0 else 1
            if bottleneck:
                branch = [*conv_norm(channels, width, 1), nn.ReLU(), *conv_norm(width, width, 3, stride), nn.ReLU()]
                branch += conv_norm(width, outs, 1)
            else:
                branch = [*conv_norm(channels, width, 3, stride), nn.ReLU(), *conv_norm(width, width, 3)]
            shortcut = nn.Sequential(*conv_norm(channels, outs, 1, stride)) if stride > 1 or channels != outs else None
            layers.append(Residual(branch, shortcut, nn.ReLU()))
            channels = outs
    return finished(layers, channels, outputs)


def repvgg_a0():
    layers, channels = [], 3
    for outs, blocks in [(48, 1), (48, 2), (96, 4), (192, 14), (1280, 1)]:
        for index in range(blocks):
            layers += [nn.Conv2d(channels, outs, 3, 2 if index == 0 else 1, 1), nn.ReLU()]
            channels = outs
    return finished(layers, channels, 6)


def mobilenet_v2():
    layers, channels = [*conv_norm(3, 32, 3, 2), nn.ReLU6()], 32
    for expansion, outs, blocks, first_stride in [
        (1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1),
    ]:
        for index in range(blocks):
            stride, width = first_stride if index == 0 else 1, channels * expansion
            branch = [] if expansion == 1 else [*conv_norm(channels, width, 1), nn.ReLU6()]
            branch += [*conv_norm(width, width, 3, stride, width), nn.ReLU6(), *conv_norm(width, outs, 1)]
            layers.append(Residual(branch) if stride == 1 and channels == outs else nn.Sequential(*branch))
            channels = outs
    return finished([*layers, *conv_norm(channels, 1280, 1), nn.ReLU6()], 1280, 6)


def finished(layers, channels, outputs):
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, outputs))


NETWORKS = {
    "ResNet-18": lambda: resnet(False, [2, 2, 2, 2], 3 * 66),
    "ResNet-50 6D": lambda: resnet(True, [3, 4, 6, 3], 6),
    "RepVGG-A0": repvgg_a0,
    "MobileNetV2": mobilenet_v2,
}


def main():
    model = NETWORKS[sys.argv[1]]().eval()
    for module in model.modules():
        if isinstance(module, (nn.ReLU, nn.ReLU6)):
            module.register_full_backward_hook(lambda _, grad_in, grad_out: (torch.clamp(grad_in[0], min=0.0),))
    image = torch.randn(1, 3, 224, 224, requires_grad=True)

    def once():
        image.grad = None
        model.zero_grad()
        # The decode of a head is left out: it is nothing beside the network.
        model(image).sum().backward()

    once()
    start, calls = time.perf_counter(), 0
    while time.perf_counter() - start < 3:
        once()
        calls += 1
    print((time.perf_counter() - start) * 1000 / calls)


if __name__ == "__main__":
    main()
