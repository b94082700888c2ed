"""Holds the parts of examples/pytorch/compare.py against the golden data of this repository. Prints JSON: the worst of each.

The golden gradients were made by another way (autograd.Function in test/golden/networks/rectifiers.py), the golden inputs
by another program (test/golden/inputs/make.py).
"""

import gzip
import hashlib
import json
import sys
from pathlib import Path

import numpy as np
import torch

TEST = Path(__file__).parents[1]
sys.path[:0] = [str(TEST / "golden" / "networks"), str(TEST.parent / "examples" / "pytorch")]

import guided  # noqa: E402
import heads  # noqa: E402
import picture  # noqa: E402
from cases import SMALL  # noqa: E402
from PIL import Image  # noqa: E402
from torch.nn import functional  # noqa: E402

GOLDEN = TEST / "golden" / "networks"
IMAGENET = {
    "channels": "rgb",
    "range": 1,
    "mean": [0.485, 0.456, 0.406],
    "std": [0.229, 0.224, 0.225],
}
SIX = [{"kind": "rotation6d", "output": "linear_reg", "euler": "zyx"}]


def described(entry):
    if entry["heads"]:
        return entry["heads"]
    outputs = list(entry["images"][0]["outputs"])
    if outputs == ["linear_reg"]:
        return SIX
    if len(outputs) == 1:
        return [{"kind": "classes", "output": outputs[0]}]
    binned = {"kind": "binned", "bins": 66, "step": 3, "offset": -99, "sign": 1}
    return [{**binned, "output": output, "angle": angle} for output, angle in zip(outputs, heads.ANGLES)]


def networks(names):
    worst = {"angles": 0.0, "gradients": 0.0, "counts": {}}
    for entry in json.loads((GOLDEN / "index.json").read_text())["networks"]:
        name, step = entry["name"], entry["step"]
        if names and name not in names:
            continue
        case = SMALL[name.removesuffix("_deployed")]
        module = case.build()
        if name.endswith("_deployed"):
            module = module.deployed()
        module.load_state_dict(torch.load(GOLDEN / f"{name}.pth", weights_only=True))
        module = module.double().eval().requires_grad_(False)
        pixels = np.load(gzip.open(GOLDEN / f"{name}.pixels.npy.gz"))
        stored = np.load(gzip.open(GOLDEN / f"{name}.gradients.npy.gz"))
        description = described(entry)
        outputs = heads.Outputs(module, description, {})
        for number, golden in enumerate(entry["gradients"]):
            values = picture.normalised(pixels[golden["image"]], IMAGENET)
            image = torch.from_numpy(values)[None].double().requires_grad_()
            module(image)
            angles = heads.decode(description, outputs)
            for angle, expected in entry["images"][golden["image"]]["angles"].items():
                worst["angles"] = max(worst["angles"], abs(float(angles[angle].detach()) - expected))
            target = heads.objective(golden["objective"], description, outputs, angles)
            followed, plain, _ = guided.guide([target], golden["scope"], golden["relu6"])
            worst["counts"][f"{name} {golden['scope']} {golden['relu6']}"] = [len(followed), len(plain)]
            found = guided.gradient_of(target, image)[0].numpy()[:, ::step, ::step]
            exact = stored[number] * golden["unit"]
            worst["gradients"] = max(worst["gradients"], float(np.linalg.norm(found - exact) / np.linalg.norm(exact)))
    return worst


def inputs():
    """How many of the golden inputs, and of the boxes told from a crop, are as they should be."""
    try:
        import cv2  # noqa: F401

        opencv = True
    except ImportError:
        opencv = False
    count = {"inputs": 0, "differ": [], "boxes": 0}
    for case in json.loads((TEST / "golden" / "inputs" / "cases.json").read_text()):
        rule = case["rule"]
        if rule.get("filter") == "opencv" and not opencv:
            continue
        width, height = case["image"]
        y, x = np.mgrid[0:height, 0:width]
        planes = [(x * 7 + y * 13 + c * 31 + ((x * y) >> 3)) & 255 for c in range(3)]
        image = Image.fromarray(np.stack(planes, -1).astype(np.uint8))
        box = case["box"] and tuple(case["box"])
        shown = picture.shown(image, box, rule)
        digest = hashlib.sha256(np.ascontiguousarray(shown).tobytes()).hexdigest()[:16]
        count["inputs"] += 1
        if digest != case["sha256"] or not picture.fits(image.size, box, case["crop"], rule):
            count["differ"].append(case)
        # Told from its crop, a box gives the same crop; where nothing of it was cut off, the same input.
        told = picture.box_of(image.size, case["crop"], rule)
        count["boxes"] += picture.fits(image.size, told, case["crop"], rule)
    return count


def relu_of(x):
    return (x > 0).double()


def relu6_of(x):
    return ((x > 0) & (x < 6)).double()


def slope_of(slope):
    return lambda x: torch.where(x > 0, 1.0, slope).double()


# Every way in which a module may call an activation, and the activation's derivative.
WAYS = {
    "nn.ReLU": (torch.nn.ReLU(), relu_of),
    "nn.ReLU in place": (torch.nn.ReLU(inplace=True), relu_of),
    "F.relu": (functional.relu, relu_of),
    "F.relu_": (functional.relu_, relu_of),
    "torch.relu": (torch.relu, relu_of),
    "Tensor.relu_": (lambda x: x.relu_(), relu_of),
    "threshold": (lambda x: functional.threshold(x, 0, 0), relu_of),
    "clamp from 0": (lambda x: x.clamp(min=0), relu_of),
    "clamp_min": (lambda x: torch.clamp_min(x, 0), relu_of),
    "nn.ReLU6": (torch.nn.ReLU6(), relu6_of),
    "F.relu6 in place": (lambda x: functional.relu6(x, inplace=True), relu6_of),
    "hardtanh": (lambda x: functional.hardtanh(x, 0, 6), relu6_of),
    "clamp to 6": (lambda x: x.clamp(0, 6), relu6_of),
    "nn.LeakyReLU": (torch.nn.LeakyReLU(-0.2), slope_of(-0.2)),
    "F.leaky_relu in place": (lambda x: functional.leaky_relu(x, 0.1, inplace=True), slope_of(0.1)),
    "F.prelu": (lambda x: functional.prelu(x, torch.tensor([-0.3]).double()), slope_of(-0.3)),
}


def ways():
    """Of each way how far it is off max(0, upstream x derivative); with and without another consumer of the input."""
    torch.manual_seed(1)
    weights = torch.randn(40).double()
    values = 5 * torch.randn(40).double()
    # Exactly on the limits nothing passes.
    values[:2] = torch.tensor([0.0, 6.0])
    off = {}
    for name, (activation, derivative) in WAYS.items():
        for elsewhere in (0.0, 0.7):
            x = values.clone().requires_grad_()
            z = x * 1.0
            target = elsewhere * z.sum() + (activation(z) * weights).sum()
            guided.guide([target], "all", "guided")
            expected = elsewhere + (weights * derivative(values)).clamp(min=0)
            if "eaky" in name or "prelu" in name:
                # At zero they have no derivative: PyTorch takes the slope.
                expected[0] = guided.gradient_of(target, x)[0]
            off[name] = max(off.get(name, 0), float((guided.gradient_of(target, x) - expected).abs().max()))
    return off


print(json.dumps({"networks": networks(sys.argv[1:]), "inputs": inputs(), "ways": ways()}))
