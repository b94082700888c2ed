"""Makes the golden data of networks: seeded weights, and what PyTorch gives for them.

    python test/golden/networks/make.py                   # the small networks of the repository, in place
    python test/golden/networks/make.py --full FOLDER     # the published sizes, some 1.5 GB
    python test/golden/networks/make.py --full FOLDER --only resnet18_6d

Needs torch and numpy; made with torch 2.13, numpy 2.4. The architectures are written for this (architectures/), in the
names that published checkpoints have. Run by hand: another build of torch gives other last digits.

For each network NAME there are

    NAME.pth               the state_dict; float16 in the repository (the numbers are rounded before anything is computed),
                           deployed RepVGGs and full sizes in float32
    NAME.pixels.npy.gz     uint8, images x height x width x 3, RGB: what the network is shown, already cropped
    NAME.gradients.npy.gz  int16, gradients x 3 x height x width, RGB, every `step`-th row and column; times `unit` it is
                           degrees (of a class: its raw output) per unit of normalised input

and in index.json what these mean: angles, raw outputs, and of each gradient its image, scope, objective, rule of ReLU6,
mean and standard deviation. All of it is computed in float64, from the input in float32; `pytorch_error` is the relative
L2 distance of what PyTorch's own float32 makes of it, or rounding the weights to float32 in another way where that is
more (a plain gradient of a large network moves by percents where it opens one gate), `map_error` the share of that map
that is more than a level off, `angles_error` the degrees that float32 puts an angle off. Storing gradients as int16 costs
3e-4 of relative L2 at most.
"""

import argparse
import copy
import gzip
import json
import sys
from pathlib import Path

import numpy as np
import torch
from torch import nn

from cases import FULL, SMALL
from rectifiers import rule

HERE = Path(__file__).parent
MEAN = np.array([0.485, 0.456, 0.406])
STD = np.array([0.229, 0.224, 0.225])
# How much an output varies between pictures, by how many numbers it has: logits neither flat nor certain, and rotations
# of some tens of degrees.
SPREADS = {66: 0.7, 62: 0.15, 6: 0.25}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--full", metavar="FOLDER", type=Path, help="make the published sizes, into this folder")
    parser.add_argument("--only", metavar="NAME", nargs="+", help="make these alone (with --full)")
    arguments = parser.parse_args()
    if arguments.only and not arguments.full:
        parser.error("--only goes with --full: the repository's index is made whole")
    if not arguments.full:
        # Sums in one order, on any number of cores; and small networks are faster so.
        torch.set_num_threads(1)
    cases, folder = (FULL, arguments.full) if arguments.full else (SMALL, HERE)
    folder.mkdir(parents=True, exist_ok=True)
    index = {"torch": torch.__version__, "numpy": np.__version__, "python": sys.version.split()[0], "networks": []}
    for number, (name, case) in enumerate(cases.items()):
        if arguments.only and name not in arguments.only:
            continue
        index["networks"] += made(name, case, folder, seed=1000 + number, small=not arguments.full)
    (folder / "index.json").write_text(f"{json.dumps(index, indent=1)}\n")


def made(name, case, folder, seed, small):
    """The entries of one case: the network, and where it is a RepVGG the same deployed."""
    torch.manual_seed(seed)
    random = np.random.default_rng(seed)
    module = case.build()
    enliven(module, case, random)
    if small:
        for tensor in module.state_dict().values():
            if tensor.is_floating_point():
                tensor.copy_(tensor.half())
    pixels = np.stack([telling_picture(module, case, random, small) for _ in range(case.images)])
    forms = {name: (module, small)}
    if case.deployed:
        forms[case.deployed] = (module.deployed(), False)
    return [entry(form, case, folder, made_of, half, pixels) for form, (made_of, half) in forms.items()]


def telling_picture(module, case, random, small):
    """
    A picture at which no ReLU and no max pool is so near to deciding otherwise that it hangs on the order of sums. In a
    small network one of them moves the gradient by percents; in a large one it is lost among the others.
    """
    while True:
        found = picture(random, case)
        if not small or is_steady(module, case, normalised(found[None]).contiguous().double()):
            return found


def is_steady(module, case, single):
    exact = gradient(module.double(), single, case, case.objectives[0], "none", "plain")
    for _ in range(3):
        # Ten times what float32 rounds off.
        found = gradient(shaken(module, 1e-6), single, case, case.objectives[0], "none", "plain")
        if relative(found, exact) > 1e-3:
            return False
    return True


def shaken(module, share):
    """A copy with weights that are off by about this share of themselves."""
    other = copy.deepcopy(module)
    for tensor in other.state_dict().values():
        if tensor.is_floating_point():
            tensor *= 1 + share * torch.randn_like(tensor)
    return other


def normalised(pixels):
    channels = pixels.shape[3]
    values = (pixels / 255 - MEAN[:channels]) / STD[:channels]
    return torch.from_numpy(values.astype(np.float32)).permute(0, 3, 1, 2)


def entry(name, case, folder, module, half, pixels):
    weights = {key: value.half() if half and value.is_floating_point() else value for key, value in module.state_dict().items()}
    torch.save(weights, folder / f"{name}.pth")
    return {
        "name": name,
        "width": case.width,
        "height": case.height,
        "heads": case.heads,
        **({"batchNorm": case.batch_norm} if case.batch_norm else {}),
        **golden(name, case, folder, module, pixels),
    }


def golden(name, case, folder, module, pixels):
    """Of a module whose outputs have names: what PyTorch gives for these pixels, stored and as entries of the index."""
    save(folder / f"{name}.pixels.npy.gz", pixels)
    inputs = normalised(pixels).contiguous()
    step = 4 if case.width >= 224 else 1
    gradients, stored = [], []
    for image, objective, scope, relu6 in combinations(case):
        single = inputs[image : image + 1]
        exact = gradient(module.double(), single.double(), case, objective, scope, relu6)
        # In float32, and in float64 with weights as another way to fold them would round them.
        nearby = [
            gradient(shaken(module.double(), 6e-8), single.double(), case, objective, scope, relu6),
            gradient(module.float(), single, case, objective, scope, relu6),
        ]
        part = exact[:, ::step, ::step]
        unit = float(np.abs(part).max()) / 32767
        stored.append(np.round(part / unit).astype(np.int16))
        gradients.append(
            {
                "image": image,
                "objective": objective,
                "scope": scope,
                "relu6": relu6,
                "unit": unit,
                "mean": float(exact.mean()),
                "std": float(exact.std()),
                "pytorch_error": max(relative(found, exact) for found in nearby),
                "map_error": max(float((np.abs(levels(found) - levels(exact)) > 1).mean()) for found in nearby),
            }
        )
    save(folder / f"{name}.gradients.npy.gz", np.stack(stored))
    with torch.no_grad():
        outputs = module.double()(inputs.double())
        angles = {} if case.decode is None else case.decode(outputs)
        found = {} if case.decode is None else case.decode(module.float()(inputs))
    report(name, module, gradients, angles, outputs)
    return {
        "step": step,
        "images": [
            {
                "angles": {angle: float(values[image]) for angle, values in angles.items()},
                "angles_error": max((abs(float(found[angle][image]) - float(angles[angle][image])) for angle in angles), default=0),
                "outputs": {output: [float(x) for x in values[image]] for output, values in outputs.items()},
            }
            for image in range(case.images)
        ],
        "gradients": gradients,
    }


def save(path, array):
    # Without the time that gzip.open would write: the same data are the same bytes.
    with open(path, "wb") as file, gzip.GzipFile(filename="", mode="wb", fileobj=file, mtime=0) as zipped:
        np.save(zipped, array)


def combinations(case):
    first, *more = case.objectives
    for image in range(case.images):
        yield image, first, "all", "guided"
    for objective in more:
        yield 0, objective, "all", "guided"
    yield 0, first, "stem", "guided"
    yield 0, first, "none", "guided"
    if case.relu6:
        yield 0, first, "all", "plain"


def gradient(module, single, case, objective, scope, relu6):
    """Of one image, 3 x height x width, as float64."""
    single = single.clone().requires_grad_()
    with rule(scope, relu6):
        outputs = module(single)
        if objective.startswith("class:"):
            (values,) = outputs.values()
            target = values[0, int(objective.removeprefix("class:"))]
        else:
            angles = case.decode(outputs)
            target = sum(angles.values()).sum() if objective == "sum" else angles[objective].sum()
        (found,) = torch.autograd.grad(target, single)
    return found[0].double().numpy()


def relative(found, exact):
    return float(np.linalg.norm(found - exact) / np.linalg.norm(exact))


def levels(gradient):
    """The 8-bit map of a gradient, before it is rounded."""
    return np.clip((gradient - gradient.mean()) / gradient.std() * 0.1 + 0.5, 0, 1) * 255


def enliven(module, case, random):
    """
    Weights with which nothing dies, explodes or is trivial. Batch norms get the statistics of a few pictures and are then
    put off them, since statistics that fit would hide a wrong epsilon or a mean that was left out.
    """
    for layer in module.modules():
        if isinstance(layer, (nn.Conv2d, nn.Linear)):
            nn.init.kaiming_normal_(layer.weight)
            if layer.bias is not None:
                nn.init.normal_(layer.bias, std=0.1)
        if isinstance(layer, nn.BatchNorm2d):
            nn.init.uniform_(layer.weight, 0.6, 1.4)
            nn.init.normal_(layer.bias, 0.1, 0.3)
            layer.momentum = None
    # Not contiguous: PyTorch then sums in another order, and the weights that are stored were made so.
    inputs = normalised(np.stack([picture(random, case) for _ in range(8)]))
    module.train()
    with torch.no_grad():
        module(inputs)
        module.eval()
        for layer in module.modules():
            if isinstance(layer, nn.BatchNorm2d):
                # A channel that hardly varies would be blown up.
                layer.running_var.clamp_(min=float(layer.running_var.mean()) / 10)
                layer.running_mean += 0.2 * layer.running_var.sqrt() * torch.randn_like(layer.running_mean)
                layer.running_var *= torch.exp(0.3 * torch.randn_like(layer.running_var))
        for output, values in module(inputs).items():
            layer = module.get_submodule(output)
            layer.weight *= SPREADS.get(values.shape[1], 1.0) / float(values.std(0).mean())
            if values.shape[1] == 6:
                layer.bias += torch.tensor([1.0, 0, 0, 0, 1, 0])


def picture(random, case):
    """A few soft blobs of colour, and some noise."""
    rows, columns = np.mgrid[0 : case.height, 0 : case.width] / max(case.height, case.width)
    light = np.full((case.height, case.width, case.channels), 110.0)
    for _ in range(7):
        y, x, size = random.uniform(0, 1), random.uniform(0, 1), random.uniform(0.05, 0.35)
        blob = np.exp(-((rows - y) ** 2 + (columns - x) ** 2) / (2 * size**2))
        light += blob[..., None] * random.normal(0, 80, case.channels)
    # Nothing is clipped to black or white, and there is noise everywhere: on a flat patch all gates hang on one number, and a
    # max pool meets equal ones.
    light = 127.5 + 105 * np.tanh((light - 127.5) / 105)
    return np.clip(light + random.normal(0, 5, light.shape), 0, 255).round().astype(np.uint8)


def report(name, module, gradients, angles, outputs):
    count = sum(parameter.numel() for parameter in module.parameters())
    shown = {angle: [round(float(x), 1) for x in values] for angle, values in angles.items()}
    if not shown:
        shown = {output: [round(float(x), 2) for x in values[:, :4].flatten()] for output, values in outputs.items()}
    worst = max(one["pytorch_error"] for one in gradients)
    sizes = " ".join(f"{one['scope']}/{one['objective']} {one['std']:.2g}" for one in gradients)
    print(f"{name}: {count} parameters, {shown}, float32 is {worst:.1e} off; {sizes}", flush=True)


if __name__ == "__main__":
    main()
