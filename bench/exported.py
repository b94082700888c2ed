"""Writes a network as torch.onnx.export does at its defaults, with one output of bins for each angle: exported.py NAME FILE."""

import sys

import torch
from torch import nn

from networks import resnet
from origin import HeadPose

ANGLES = ["yaw", "pitch", "roll"]


class ResNet18(nn.Module):
    def __init__(self):
        super().__init__()
        *trunk, _ = resnet(False, [2, 2, 2, 2], 66)
        self.trunk = nn.Sequential(*trunk)
        self.heads = nn.ModuleList(nn.Linear(512, 66) for _ in ANGLES)

    def forward(self, x):
        features = self.trunk(x)
        return [head(features) for head in self.heads]


class DenseNet121(HeadPose):
    def forward(self, x):
        features = torch.relu(self.features(x)).mean((2, 3))
        return [head(features) for head in self.heads]


NETWORKS = {"ResNet-18": ResNet18, "DenseNet-121": DenseNet121}


def main():
    name, file = sys.argv[1:]
    image = torch.randn(1, 3, 224, 224)
    torch.onnx.export(NETWORKS[name]().eval(), (image,), file, output_names=ANGLES, external_data=False)


if __name__ == "__main__":
    main()
