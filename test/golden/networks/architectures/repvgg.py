"""RepVGG in 6DRepNet's names (Ding et al. 2021, arXiv 2101.03697): a block trains as three branches, and deploys as one."""

import torch
from rectifiers import relu
from torch import nn
from torch.nn import functional as F


class TrainingBlock(nn.Module):
    def __init__(self, channels, outputs, stride, groups):
        super().__init__()
        self.rbr_identity = nn.BatchNorm2d(channels) if channels == outputs and stride == 1 else None
        self.rbr_dense = branch(channels, outputs, 3, stride, groups)
        self.rbr_1x1 = branch(channels, outputs, 1, stride, groups)

    def forward(self, x):
        y = self.rbr_dense(x) + self.rbr_1x1(x)
        return relu(y if self.rbr_identity is None else y + self.rbr_identity(x))

    def folded(self):
        """One convolution that does the same: weight and bias, in float64."""
        dense = self.rbr_dense.conv
        kernel, bias = scaled(dense.weight, self.rbr_dense.bn)
        centre, more = scaled(self.rbr_1x1.conv.weight, self.rbr_1x1.bn)
        kernel, bias = kernel + F.pad(centre, [1, 1, 1, 1]), bias + more
        if self.rbr_identity is not None:
            unit = torch.zeros_like(kernel)
            for channel in range(unit.shape[0]):
                unit[channel, channel % unit.shape[1], 1, 1] = 1
            same, more = scaled(unit, self.rbr_identity)
            kernel, bias = kernel + same, bias + more
        return kernel, bias


def branch(channels, outputs, kernel, stride, groups):
    made = nn.Sequential()
    made.add_module("conv", nn.Conv2d(channels, outputs, kernel, stride, kernel // 2, groups=groups, bias=False))
    made.add_module("bn", nn.BatchNorm2d(outputs))
    return made


def scaled(weight, norm):
    factor = norm.weight.double() / torch.sqrt(norm.running_var.double() + norm.eps)
    bias = norm.bias.double() - norm.running_mean.double() * factor
    return weight.detach().double() * factor.detach()[:, None, None, None], bias.detach()


class DeployedBlock(nn.Module):
    def __init__(self, channels, outputs, stride, groups):
        super().__init__()
        self.rbr_reparam = nn.Conv2d(channels, outputs, 3, stride, 1, groups=groups)

    def forward(self, x):
        return relu(self.rbr_reparam(x))


class RepVGG(nn.Module):
    """`widths`: channels of layer0 to layer4. `every_second`: groups of every second block, 2 in the g2 networks."""

    def __init__(self, blocks, widths, heads, every_second=1, block=TrainingBlock):
        super().__init__()
        self.arguments = {"blocks": blocks, "widths": widths, "heads": heads, "every_second": every_second}
        self.layer0 = block(3, widths[0], 2, 1)
        number = 1
        channels = widths[0]
        for stage, (depth, width) in enumerate(zip(blocks, widths[1:]), start=1):
            made = []
            for index in range(depth):
                groups = every_second if number % 2 == 0 else 1
                made.append(block(channels, width, 2 if index == 0 else 1, groups))
                channels = width
                number += 1
            setattr(self, f"layer{stage}", nn.Sequential(*made))
        self.stages = len(blocks)
        self.heads = list(heads)
        for name, outputs in heads.items():
            setattr(self, name, nn.Linear(channels, outputs))

    def forward(self, x):
        for stage in range(self.stages + 1):
            x = getattr(self, f"layer{stage}")(x)
        x = torch.flatten(F.adaptive_avg_pool2d(x, 1), 1)
        return {name: getattr(self, name)(x) for name in self.heads}

    def deployed(self):
        """The same network with every block folded, in float32."""
        other = RepVGG(**self.arguments, block=DeployedBlock)
        blocks = [module for module in self.modules() if isinstance(module, TrainingBlock)]
        into = [module for module in other.modules() if isinstance(module, DeployedBlock)]
        with torch.no_grad():
            for block, target in zip(blocks, into, strict=True):
                kernel, bias = block.folded()
                target.rbr_reparam.weight.copy_(kernel)
                target.rbr_reparam.bias.copy_(bias)
            for name in self.heads:
                getattr(other, name).load_state_dict(getattr(self, name).state_dict())
        return other.eval()
