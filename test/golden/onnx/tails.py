"""What stands between a network whose outputs have names and the file: which of them it gives, and what is computed of them."""

import torch
from torch import nn
from torch.nn import functional as F


class Outputs(nn.Module):
    """The outputs without their names, as a file gives them: one tensor, or several in order."""

    def __init__(self, network):
        super().__init__()
        self.network = network

    def forward(self, x):
        values = tuple(self.network(x).values())
        return values[0] if len(values) == 1 else values


class Probabilities(nn.Module):
    """A Softmax after the only output."""

    def __init__(self, network):
        super().__init__()
        self.outputs = Outputs(network)

    def forward(self, x):
        return F.softmax(self.outputs(x), dim=1)


class Rotation(nn.Module):
    """Six numbers made a rotation matrix (Zhou et al. 2019, arXiv 1812.07035), in the order of 6DRepNet: columns x, y, z."""

    def __init__(self, network):
        super().__init__()
        self.outputs = Outputs(network)

    def forward(self, x):
        numbers = self.outputs(x)
        x = F.normalize(numbers[:, 0:3], dim=1)
        z = F.normalize(cross(x, numbers[:, 3:6]), dim=1)
        return torch.stack((x, cross(z, x), z), dim=2)


def cross(u, v):
    """By its components, as 6DRepNet writes it."""
    i = u[:, 1] * v[:, 2] - u[:, 2] * v[:, 1]
    j = u[:, 2] * v[:, 0] - u[:, 0] * v[:, 2]
    k = u[:, 0] * v[:, 1] - u[:, 1] * v[:, 0]
    return torch.cat((i.view(-1, 1), j.view(-1, 1), k.view(-1, 1)), 1)


class ChannelsLast(nn.Module):
    """Takes images x height x width x channels, as what comes from TensorFlow does."""

    def __init__(self, network):
        super().__init__()
        self.outputs = Outputs(network)

    def forward(self, x):
        return self.outputs(x.permute(0, 3, 1, 2))


class Named(nn.Module):
    """The other way round, for golden data: what the file gives, by names, from images x channels x height x width."""

    def __init__(self, module, names):
        super().__init__()
        self.module = module
        self.names = names
        # What stands for it in the gradient: a Softmax is passed over.
        self.read = module.outputs if isinstance(module, Probabilities) else module

    def forward(self, x):
        values = self.read(x.permute(0, 2, 3, 1) if isinstance(self.module, ChannelsLast) else x)
        values = values if isinstance(values, tuple) else (values,)
        return {name: value.flatten(1) for name, value in zip(self.names, values, strict=True)}
