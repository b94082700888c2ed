"""Tiny networks, each with what makes its family hard to read from an ONNX file. Outputs by name, as in ../networks.

Activations are called as people's code calls them: modules, in place, functions.
"""

import torch
from rectifiers import plain_relu6
from torch import nn
from torch.nn import functional as F


def convolution(channels, outputs, kernel=3, stride=1, groups=1, padding=None):
    padding = kernel // 2 if padding is None else padding
    return [nn.Conv2d(channels, outputs, kernel, stride, padding, groups=groups, bias=False), nn.BatchNorm2d(outputs)]


class Averaged(nn.Module):
    """Features, averaged, and a linear layer of this name."""

    def __init__(self, features, channels, outputs=5, name="fc"):
        super().__init__()
        self.features = features
        self.name = name
        setattr(self, name, nn.Linear(channels, outputs))

    def forward(self, x):
        x = torch.flatten(F.adaptive_avg_pool2d(self.features(x), 1), 1)
        return {self.name: getattr(self, self.name)(x)}


class Vgg(nn.Module):
    """Maps are flattened, so that a reshape mixes places and channels; dropout, and ReLUs after linear layers."""

    def __init__(self):
        super().__init__()
        layers = [*convolution(3, 4), nn.ReLU(True), nn.MaxPool2d(2), *convolution(4, 6), nn.ReLU(True), nn.MaxPool2d(2)]
        self.features = nn.Sequential(*layers)
        self.pool = nn.AdaptiveAvgPool2d((5, 4))
        self.hidden = nn.Sequential(nn.Linear(120, 24), nn.ReLU(True), nn.Dropout())
        self.fc = nn.Linear(24, 5)

    def forward(self, x):
        return {"fc": self.fc(self.hidden(torch.flatten(self.pool(self.features(x)), 1)))}


class HardSwish6(nn.Module):
    """As it was written before nn.Hardswish."""

    def forward(self, x):
        return x * plain_relu6(x + 3) / 6


class HardSigmoid6(nn.Module):
    def forward(self, x):
        return plain_relu6(x + 3) / 6


class Excitation(nn.Module):
    """Squeeze and excitation (Hu et al. 2017, arXiv 1709.01507)."""

    def __init__(self, channels, gate):
        super().__init__()
        self.fc1 = nn.Conv2d(channels, 4, 1)
        self.fc2 = nn.Conv2d(4, channels, 1)
        self.gate = gate

    def forward(self, x):
        return x * self.gate(self.fc2(F.relu(self.fc1(F.adaptive_avg_pool2d(x, 1)))))


class Inverted(nn.Module):
    """An inverted residual: of MobileNetV2, and with excitation of MobileNetV3."""

    def __init__(self, channels, hidden, outputs, stride, activation, gate=None):
        super().__init__()
        self.block = nn.Sequential(
            *convolution(channels, hidden, 1),
            activation(),
            *convolution(hidden, hidden, 3, stride, groups=hidden),
            activation(),
            *([] if gate is None else [Excitation(hidden, gate())]),
            *convolution(hidden, outputs, 1),
        )
        self.residual = stride == 1 and channels == outputs

    def forward(self, x):
        return x + self.block(x) if self.residual else self.block(x)


def mobilenet_v2():
    relu6 = nn.ReLU6
    features = nn.Sequential(
        *convolution(3, 4, 3, 2), relu6(True), Inverted(4, 8, 4, 1, relu6), Inverted(4, 8, 6, 2, relu6), *convolution(6, 8, 1), relu6()
    )
    return Averaged(features, 8)


def mobilenet_v3(swish=nn.Hardswish, gate=nn.Hardsigmoid):
    """The first activation is a hard-swish, the first that can be guided a ReLU in a branch."""
    features = nn.Sequential(
        *convolution(3, 4, 3, 2),
        swish(),
        Inverted(4, 8, 4, 1, nn.ReLU, gate),
        Inverted(4, 8, 6, 2, swish, gate),
        *convolution(6, 8, 1),
        swish(),
    )
    return Averaged(features, 8)


class Inception(nn.Module):
    """Overlapping averages, padded with and without the padding counted; 1x7 and 7x1 kernels; a pool without padding."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Sequential(*convolution(3, 4, 3, 2, padding=0), nn.ReLU(True))
        self.wide = nn.Sequential(*convolution(4, 4, (1, 7), padding=(0, 3)), *convolution(4, 4, (7, 1), padding=(3, 0)))
        self.pooled = nn.Sequential(*convolution(4, 3, 1))
        self.edged = nn.Sequential(*convolution(4, 3, 1))
        self.fc = nn.Linear(14, 5)

    def forward(self, x):
        x = F.relu(self.stem(x))
        pooled = self.pooled(F.avg_pool2d(x, kernel_size=3, stride=1, padding=1))
        edged = self.edged(F.avg_pool2d(x, 3, 1, 1, count_include_pad=False))
        x = torch.cat([F.relu(self.wide(x), inplace=True), F.relu(pooled), F.relu(edged), x], 1)
        x = F.max_pool2d(x, kernel_size=3, stride=2)
        return {"fc": self.fc(F.avg_pool2d(x, x.shape[2:]).squeeze(3).squeeze(2))}


class Squeeze(nn.Module):
    """SqueezeNet: pools that round up, one gray channel, and a classifier that is a convolution."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(1, 6, 3, 2)
        self.squeeze = nn.Conv2d(6, 4, 1)
        self.one = nn.Conv2d(4, 6, 1)
        self.three = nn.Conv2d(4, 6, 3, padding=1)
        self.fc = nn.Conv2d(12, 5, 1)
        self.pool = nn.MaxPool2d(3, 2, ceil_mode=True)

    def forward(self, x):
        x = self.pool(torch.relu(self.stem(x)))
        x = self.squeeze(x).relu()
        x = self.pool(torch.cat([F.relu(self.one(x)), F.relu(self.three(x))], 1))
        x = self.fc(F.dropout(x, training=self.training))
        return {"fc": torch.flatten(F.adaptive_avg_pool2d(F.relu(x), 1), 1)}


class Dense(nn.Module):
    """DenseNet: norms before convolutions, which no exporter folds, of maps that go elsewhere as well."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Sequential(*convolution(3, 4, 3, 2), nn.ReLU(inplace=True))
        self.layers = nn.ModuleList(
            nn.Sequential(nn.BatchNorm2d(4 + 3 * index), nn.ReLU(inplace=True), nn.Conv2d(4 + 3 * index, 3, 3, padding=1))
            for index in range(3)
        )
        self.transition = nn.Sequential(nn.BatchNorm2d(13), nn.ReLU(True), nn.Conv2d(13, 6, 1), nn.AvgPool2d(2, 2))
        self.norm = nn.BatchNorm2d(6)
        self.fc = nn.Linear(6, 5)

    def forward(self, x):
        maps = [self.stem(x)]
        for layer in self.layers:
            maps.append(layer(torch.cat(maps, 1)))
        x = F.relu(self.norm(self.transition(torch.cat(maps, 1))), inplace=True)
        return {"fc": self.fc(x.mean((2, 3)))}


class RegNet(nn.Module):
    """A grouped bottleneck with an excitation by a sigmoid, and a dilated convolution after it."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Sequential(*convolution(3, 8, 3, 2), nn.ReLU(True))
        self.a, self.b, self.c = (
            nn.Sequential(*convolution(8, 8, kernel, groups=groups)) for kernel, groups in ((1, 1), (3, 4), (1, 1))
        )
        self.excitation = Excitation(8, nn.Sigmoid())
        self.dilated = nn.Conv2d(8, 6, 3, padding=2, dilation=2)
        self.fc = nn.Linear(6, 5)

    def forward(self, x):
        x = self.stem(x)
        x = F.relu(x + self.c(self.excitation(F.relu(self.b(F.relu(self.a(x)))))))
        return {"fc": self.fc(torch.flatten(F.adaptive_avg_pool2d(F.relu(self.dilated(x)), (1, 1)), 1))}


def activations():
    """Those that are guided, PReLU with one slope and with one for each channel (one of them negative), and those that never are."""
    slopes = nn.PReLU(6)
    with torch.no_grad():
        slopes.weight.copy_(torch.tensor([0.25, -0.1, 0.1, 0.5, 0.05, 0.3]))
    kinds = (slopes, nn.LeakyReLU(0.2, True), nn.PReLU(), nn.ELU(), nn.SiLU(), nn.Tanh(), nn.ReLU())
    layers = [*convolution(1, 6, 3, 2), kinds[0]]
    for kind in kinds[1:]:
        layers += [*convolution(6, 6, 3, groups=2), kind]
    return Averaged(nn.Sequential(*layers), 6)


class _Lrn(torch.autograd.Function):
    """The operator as Caffe's converters write it; PyTorch's exporters write its parts."""

    @staticmethod
    def forward(ctx, x):
        return F.local_response_norm(x, **LRN)

    @staticmethod
    def symbolic(g, x):
        return g.op("LRN", x, size_i=LRN["size"], alpha_f=LRN["alpha"], beta_f=LRN["beta"], bias_f=LRN["k"])


LRN = {"size": 5, "alpha": 0.2, "beta": 0.75, "k": 1.0}


class LocalResponse(nn.Module):
    """GoogLeNet's beginning, as it was published: pools that round up and local response normalisation."""

    # Whether exported as one operator.
    one_operator = False

    def __init__(self):
        super().__init__()
        self.first = nn.Conv2d(3, 6, 5, 2, 2)
        self.second = nn.Conv2d(6, 8, 3, padding=1)
        self.fc = nn.Linear(8, 5)

    def normalised(self, x):
        return _Lrn.apply(x) if self.one_operator and torch.onnx.is_in_onnx_export() else F.local_response_norm(x, **LRN)

    def forward(self, x):
        x = self.normalised(F.max_pool2d(F.relu(self.first(x)), 3, 2, ceil_mode=True))
        x = F.max_pool2d(self.normalised(F.relu(self.second(x))), 3, 2, ceil_mode=True)
        return {"fc": self.fc(torch.flatten(F.adaptive_avg_pool2d(x, 1), 1))}


def plain(outputs=5, name="fc"):
    layers = [*convolution(3, 4, 3, 2), nn.ReLU(True), *convolution(4, 8, 3, 2), nn.ReLU(True)]
    return Averaged(nn.Sequential(*layers), 8, outputs, name)
