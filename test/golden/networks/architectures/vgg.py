"""VGG in torchvision's names, with and without batch norm (Simonyan and Zisserman 2014, arXiv 1409.1556)."""

import torch
from rectifiers import relu
from torch import nn
from torch.nn import functional as F

# Channels of VGG-11's convolutions; "M" is a max pool.
VGG_11 = (64, "M", 128, "M", 256, 256, "M", 512, 512, "M", 512, 512, "M")


class Relu(nn.Module):
    """Stands where torchvision has nn.ReLU: places in an nn.Sequential are part of the names."""

    def forward(self, x):
        return relu(x)


class Vgg(nn.Module):
    """`classes` at the end of torchvision's classifier, whose two inner layers have `hidden` outputs."""

    def __init__(self, classes, layers=VGG_11, hidden=4096, batch_norm=False):
        super().__init__()
        features = []
        channels = 3
        for layer in layers:
            if layer == "M":
                features.append(nn.MaxPool2d(2, 2))
                continue
            features.append(nn.Conv2d(channels, layer, 3, 1, 1))
            features += [nn.BatchNorm2d(layer), Relu()] if batch_norm else [Relu()]
            channels = layer
        self.features = nn.Sequential(*features)
        self.classifier = nn.Sequential(
            nn.Linear(channels * 49, hidden),
            Relu(),
            nn.Dropout(),
            nn.Linear(hidden, hidden),
            Relu(),
            nn.Dropout(),
            nn.Linear(hidden, classes),
        )

    def forward(self, x):
        x = torch.flatten(F.adaptive_avg_pool2d(self.features(x), 7), 1)
        return {"classifier.6": self.classifier(x)}
