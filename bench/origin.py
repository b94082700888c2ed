"""ms per image of guided backpropagation the way the origin's script does it: hooks, autograd, trainable parameters."""

import sys
import time

import torch
from torch import nn


class DenseLayer(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.norm1, self.relu1 = nn.BatchNorm2d(channels), nn.ReLU(inplace=True)
        self.conv1 = nn.Conv2d(channels, 128, 1, bias=False)
        self.norm2, self.relu2 = nn.BatchNorm2d(128), nn.ReLU(inplace=True)
        self.conv2 = nn.Conv2d(128, 32, 3, padding=1, bias=False)

    def forward(self, features):
        squeezed = self.conv1(self.relu1(self.norm1(torch.cat(features, 1))))
        return self.conv2(self.relu2(self.norm2(squeezed)))


class DenseBlock(nn.ModuleList):
    def forward(self, x):
        features = [x]
        for layer in self:
            features.append(layer(features))
        return torch.cat(features, 1)


class HeadPose(nn.Module):
    """DenseNet-121 (Huang et al. 2017) with three heads of 61 bins."""

    def __init__(self):
        super().__init__()
        self.relu0 = nn.ReLU()
        stages = [nn.Conv2d(3, 64, 7, stride=2, padding=3, bias=False), nn.BatchNorm2d(64), self.relu0]
        stages.append(nn.MaxPool2d(3, stride=2, padding=1))
        channels = 64
        for index, layers in enumerate([6, 12, 24, 16]):
            stages.append(DenseBlock(DenseLayer(channels + 32 * layer) for layer in range(layers)))
            channels += 32 * layers
            if index < 3:
                stages += [nn.BatchNorm2d(channels), nn.ReLU(inplace=True), nn.Conv2d(channels, channels // 2, 1, bias=False)]
                stages.append(nn.AvgPool2d(2))
                channels //= 2
        self.features = nn.Sequential(*stages, nn.BatchNorm2d(channels))
        self.heads = nn.ModuleList(nn.Linear(channels, 61) for _ in range(3))

    def forward(self, x):
        y = torch.relu(self.features(x)).mean((2, 3))
        bins = torch.arange(61.0)
        return [torch.sum(torch.softmax(head(y), 1) * bins, 1) * 3 - 90 for head in self.heads]


def main():
    batch = int(sys.argv[1])
    model = HeadPose().eval()
    # The origin hooks the direct children of `features` only, so its one guided ReLU is the stem's.
    model.relu0.register_full_backward_hook(lambda module, grad_in, grad_out: (torch.clamp(grad_in[0], min=0.0),))
    image = torch.randn(batch, 3, 224, 224, requires_grad=True)

    def once():
        image.grad = None
        model.zero_grad()
        yaw, pitch, roll = model(image)
        (yaw + pitch + roll).sum().backward()

    once()
    start, calls = time.perf_counter(), 0
    while time.perf_counter() - start < 3:
        once()
        calls += 1
    print((time.perf_counter() - start) * 1000 / calls / batch)


main()
