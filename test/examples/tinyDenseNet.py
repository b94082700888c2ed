"""test/checkpoints/tiny_hp.pkl as somebody's own module, which calls its activations in every way there is."""

import sys
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional as F

sys.path.insert(0, str(Path(__file__).parents[2] / "examples" / "train"))
import train  # noqa: E402


class Layer(train.DenseLayer):
    def forward(self, x):
        y = torch.relu(self.norm1(x))
        return torch.cat([x, self.conv2(F.relu(self.norm2(self.conv1(y)), inplace=True))], 1)


class TinyDenseNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.features = train.DenseNet(16, 8, 32, (2, 2, 2, 2)).features
        for module in self.features.modules():
            if isinstance(module, train.DenseLayer):
                module.__class__ = Layer
        for angle in train.ANGLES:
            setattr(self, f"classifier_{angle}", nn.Linear(32, 61))

    def forward(self, x):
        x = self.features(x).relu_().mean((2, 3))
        # In another order than headlight's.
        return self.classifier_roll(x), self.classifier_yaw(x), self.classifier_pitch(x)


class Wrong(TinyDenseNet):
    """Forgets the last ReLU."""

    def forward(self, x):
        x = self.features(x).mean((2, 3))
        return self.classifier_roll(x), self.classifier_yaw(x), self.classifier_pitch(x)


class Hiding(TinyDenseNet):
    """Computes a ReLU where autograd shows nothing of it."""

    def forward(self, x):
        x = torch.utils.checkpoint.checkpoint(lambda y: self.features(y).relu(), x, use_reentrant=True).mean((2, 3))
        return self.classifier_roll(x), self.classifier_yaw(x), self.classifier_pitch(x)


def to_degrees(outputs):
    roll, yaw, pitch = (train.angles_of(logits[:, None])[:, 0] for logits in outputs)
    return {"yaw": yaw, "pitch": pitch, "roll": roll}


def transform(image):
    return crop(image, [0.485, 0.456, 0.406])


def transform_forgetting_the_mean(image):
    return crop(image, [0, 0, 0])


def crop(image, mean):
    """torchvision's Resize(224), CenterCrop(224), ToTensor, Normalize, written out."""
    import numpy as np
    from PIL import Image

    width, height = image.size
    size = (224, int(224 * height / width)) if width <= height else (int(224 * width / height), 224)
    left, top = round((size[0] - 224) / 2), round((size[1] - 224) / 2)
    image = image.resize(size, Image.BILINEAR).crop((left, top, left + 224, top + 224))
    planes = torch.from_numpy(np.array(image)).permute(2, 0, 1) / 255
    return (planes - torch.tensor(mean)[:, None, None]) / torch.tensor([0.229, 0.224, 0.225])[:, None, None]


def numbered(module):
    """With the weights that test/support/tinyOnnx.ts has of seed 1."""
    state = 1
    for weights in module.parameters():
        numbers = torch.empty(weights.numel())
        for i in range(numbers.numel()):
            state = (state * 1_664_525 + 1_013_904_223) % 2**32
            numbers[i] = state / 2**31 - 1
        weights.data.copy_(numbers.reshape(weights.shape))


class TinyGraph(nn.Module):
    """The network of test/support/tinyOnnx.ts, which forward() returns as a tuple."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3, 2, 1)
        self.angles = nn.ModuleList(nn.Linear(4, 1) for _ in train.ANGLES)
        numbered(self)

    def forward(self, x):
        x = torch.relu(self.conv(x)).mean((2, 3))
        return tuple(angle(x) for angle in self.angles)


class TinyShares(nn.Module):
    """The same with five scores, of which forward() returns the Softmax."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3, 2, 1)
        self.fc = nn.Linear(4, 5)
        numbered(self)

    def forward(self, x):
        return torch.softmax(self.fc(torch.relu(self.conv(x)).mean((2, 3))), 1)


class TinyLogShares(TinyShares):
    def forward(self, x):
        return super().forward(x).log()
