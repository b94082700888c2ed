"""The golden networks: one small one of every kind for the repository, and full sizes on demand."""

import sys
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import decode  # noqa: E402
from architectures.mobilenet_v1 import MobileNetV1  # noqa: E402
from architectures.mobilenet_v2 import MobileNetV2  # noqa: E402
from architectures.repvgg import RepVGG  # noqa: E402
from architectures.resnet import BasicBlock, Bottleneck, ResNet  # noqa: E402
from architectures.shufflenet_v2 import ShuffleNetV2  # noqa: E402
from architectures.vgg import Vgg  # noqa: E402

HOPENET = {"fc_yaw": 66, "fc_pitch": 66, "fc_roll": 66}
LITE = {"fc_y": 66, "fc_p": 66, "fc_r": 66}
SIX = {"linear_reg": 6}
NARROW_VGG = (4, "M", 4, "M", 8, 8, "M", 8, 8, "M", 8, 8, "M")


@dataclass
class Case:
    """`build` gives the module; `decode` makes angles of its outputs, or is None where there are none (a classifier)."""

    build: partial
    decode: partial | None
    width: int
    height: int
    objectives: tuple = ("sum", "yaw")
    images: int = 2
    # 3, or 1 for gray.
    channels: int = 3
    relu6: bool = False
    # What headlight cannot know: part of the description.
    heads: list = field(default_factory=list)
    batch_norm: dict | None = None
    # RepVGG: the name under which the same network, folded, is stored as well.
    deployed: str | None = None


def hopenet(names=("fc_yaw", "fc_pitch", "fc_roll")):
    return partial(decode.binned, names=names, step=3, offset=-99)


six = partial(decode.rotation6d, name="linear_reg")

# Of the size that a trained 3DDFA's are: rotation and scale of some 1e-4, translation of some 1e2.
MEAN = [3.5e-4, 3e-7, -1e-6, 60.0, 1e-6, 3.4e-4, -2e-5, 75.0, -8e-6, 2e-5, 3.5e-4, -70.0]
STD = [1.8e-4, 7e-5, 4.5e-4, 26.0, 1.2e-4, 4.5e-5, 8e-5, 7.0, 4.4e-4, 1.2e-4, 1.7e-4, 21.0]
whitened = {"kind": "pose3dmm", "output": "fc_param", "mean": MEAN, "std": STD}
face = partial(decode.pose3dmm, name="fc_param", mean=MEAN, std=STD)

SMALL = {
    "resnet18_bins": Case(partial(ResNet, BasicBlock, (2, 1, 1, 1), HOPENET, first=4), hopenet(), 40, 48),
    "resnet18_6d": Case(partial(ResNet, BasicBlock, (1, 1, 2, 1), SIX, first=4), six, 40, 48),
    "resnet50_bins": Case(partial(ResNet, Bottleneck, (1, 2, 1, 1), HOPENET, first=4), hopenet(), 40, 48),
    "resnet50_6d": Case(partial(ResNet, Bottleneck, (2, 1, 1, 1), SIX, first=4), six, 40, 48),
    "resnext_6d": Case(partial(ResNet, Bottleneck, (1, 1, 1, 1), SIX, first=4, groups=2, share=0.5), six, 40, 48),
    "wide_resnet_6d": Case(partial(ResNet, Bottleneck, (1, 1, 1, 1), SIX, first=2, share=2.0), six, 40, 48),
    "repvgg_6d": Case(
        partial(RepVGG, (2, 3, 4, 1), (4, 4, 8, 12, 32), SIX), six, 40, 48, deployed="repvgg_6d_deployed"
    ),
    "repvgg_g2_6d": Case(
        partial(RepVGG, (2, 2, 3, 1), (4, 4, 8, 12, 24), SIX, every_second=2),
        six,
        40,
        48,
        deployed="repvgg_g2_6d_deployed",
    ),
    "mobilenet_v1_3dmm": Case(partial(MobileNetV1, {"fc_param": 62}, first=3), face, 40, 48, heads=[whitened]),
    "mobilenet_v2_6d": Case(
        partial(MobileNetV2, SIX, share=0.125, last=96, epsilon=1e-3),
        six,
        40,
        48,
        relu6=True,
        batch_norm={"epsilon": 0.001, "projectionEpsilon": 0.00001},
    ),
    "mobilenet_v2_bins": Case(partial(MobileNetV2, HOPENET, share=0.125, last=48), hopenet(), 40, 48, relu6=True),
    "shufflenet_v2_bins": Case(
        partial(ShuffleNetV2, LITE, widths=(4, 8, 16, 24, 48)), hopenet(("fc_y", "fc_p", "fc_r")), 40, 48
    ),
    "vgg11_classes": Case(partial(Vgg, 7, NARROW_VGG, 16), None, 224, 224, ("class:3",), images=1),
    "vgg11_bn_classes": Case(
        partial(Vgg, 7, NARROW_VGG, 16, batch_norm=True), None, 224, 224, ("class:3",), images=1
    ),
}

FULL = {
    "resnet18_bins": Case(partial(ResNet, BasicBlock, (2, 2, 2, 2), HOPENET), hopenet(), 224, 224, images=1),
    "resnet18_6d": Case(partial(ResNet, BasicBlock, (2, 2, 2, 2), SIX), six, 224, 224, images=1),
    "resnet50_bins": Case(partial(ResNet, Bottleneck, (3, 4, 6, 3), HOPENET), hopenet(), 224, 224, images=1),
    "resnet50_6d": Case(partial(ResNet, Bottleneck, (3, 4, 6, 3), SIX), six, 224, 224, images=1),
    "repvgg_a0_6d": Case(
        partial(RepVGG, (2, 4, 14, 1), (48, 48, 96, 192, 1280), SIX), six, 224, 224, images=1, deployed="repvgg_a0_6d_deployed"
    ),
    "mobilenet_v1_3dmm": Case(partial(MobileNetV1, {"fc_param": 62}), face, 120, 120, images=1, heads=[whitened]),
    "mobilenet_v2_6d": Case(
        partial(MobileNetV2, SIX, epsilon=1e-3),
        six,
        224,
        224,
        images=1,
        relu6=True,
        batch_norm={"epsilon": 0.001, "projectionEpsilon": 0.00001},
    ),
    "shufflenet_v2_bins": Case(partial(ShuffleNetV2, LITE), hopenet(("fc_y", "fc_p", "fc_r")), 224, 224, images=1),
    "vgg11_classes": Case(partial(Vgg, 1000), None, 224, 224, ("class:3",), images=1),
    "vgg11_bn_classes": Case(partial(Vgg, 1000, batch_norm=True), None, 224, 224, ("class:3",), images=1),
}
