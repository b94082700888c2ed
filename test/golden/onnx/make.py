"""Makes the golden ONNX files: exports of seeded networks, and what PyTorch gives for them.

    python test/golden/onnx/make.py                       # the tiny networks of the repository, in place
    python test/golden/onnx/make.py --full FOLDER         # the real families, each exported in ten ways, some 9 GB
    python test/golden/onnx/make.py --full FOLDER --only resnet18 --exports dynamo torchscript9

Needs torch, onnx, onnxscript and numpy, with --full torchvision as well; made with torch 2.13, onnx 1.23, onnxscript 0.7.
Run by hand: another build of torch gives other last digits, another exporter other graphs.

For each network NAME there are

    NAME.EXPORTER….onnx    the exports; today's exporter puts the weights beside the file, into .onnx.data
    NAME.pixels.npy.gz     uint8, images x height x width x channels: what the network is shown, already cropped
    NAME.gradients.npy.gz  int16, gradients x channels x height x width

in the units of ../networks/make.py, and in index.json what these mean: `description` is what headlight has to be told of
the network, `files` how each file was exported. One set of golden data serves all exports of a network. Where the file
ends in a Softmax, the outputs are the numbers that go into it.
"""

import argparse
import json
import sys
from dataclasses import dataclass
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "networks"))
sys.path.insert(1, str(Path(__file__).parent))

import decode  # noqa: E402
import numpy as np  # noqa: E402
import onnx  # noqa: E402
import onnxscript  # noqa: E402
import tails  # noqa: E402
import tiny  # noqa: E402
import torch  # noqa: E402
from architectures.repvgg import RepVGG  # noqa: E402
from architectures.resnet import BasicBlock, ResNet  # noqa: E402
from architectures.shufflenet_v2 import ShuffleNetV2  # noqa: E402
from cases import HOPENET, Case, hopenet  # noqa: E402
from exports import EVERY, dynamo, torchscript, write  # noqa: E402
from make import MEAN, STD, enliven, golden, gradient, normalised, picture, relative, shaken, telling_picture  # noqa: E402

HERE = Path(__file__).parent
CLASS = ("class:3",)


@dataclass
class Exported(Case):
    """A case whose `build` gives a module with named outputs, `tail` what is exported of it, `names` the names of that."""

    exports: tuple = ()
    tail: type = tails.Outputs
    names: tuple = ("fc",)
    # Of the generators; absent: by its place in the list.
    seed: int | None = None


def classifier(build, *exports, width=32, height=40, **more):
    return Exported(build, None, width, height, CLASS, exports=exports, **more)


FC = {"fc": 5}
ANGLES = tuple(HOPENET)
ROTATION = ("rotation_matrix",)
resnet = partial(ResNet, BasicBlock, (1, 1, 1, 1))

SMALL = {
    "resnet": classifier(partial(resnet, FC, first=2), dynamo(), dynamo("dynamic"), torchscript(9)),
    "resnet_bins": Exported(
        partial(resnet, HOPENET, first=2),
        hopenet(),
        40,
        32,
        exports=(torchscript(17, "dynamic", ANGLES), dynamo(names=ANGLES)),
        names=ANGLES,
    ),
    "vgg": classifier(tiny.Vgg, torchscript(11), torchscript(20, "dynamic")),
    "mobilenet_v2": classifier(tiny.mobilenet_v2, dynamo("dynamic"), torchscript(9), torchscript(17), relu6=True),
    "mobilenet_v3": classifier(tiny.mobilenet_v3, dynamo(), torchscript(9, "dynamic"), torchscript(17)),
    "mobilenet_v3_handmade": classifier(
        partial(tiny.mobilenet_v3, tiny.HardSwish6, tiny.HardSigmoid6), dynamo(), torchscript(11), relu6=True
    ),
    "shufflenet": classifier(
        partial(ShuffleNetV2, FC, (4, 4, 8, 8, 12), (2, 1, 2)), dynamo(), torchscript(9), torchscript(11, "dynamic")
    ),
    "squeezenet": classifier(tiny.Squeeze, dynamo(), torchscript(11), channels=1, width=37, height=45),
    "inception": classifier(tiny.Inception, dynamo(), torchscript(9), torchscript(20)),
    "local_response": classifier(
        tiny.LocalResponse,
        dynamo(),
        torchscript(11),
        torchscript(9, settings=(("one_operator", True),)),
    ),
    "regnet": classifier(tiny.RegNet, dynamo(), torchscript(20, "dynamic")),
    "repvgg": classifier(partial(RepVGG, (1, 2, 1, 1), (4, 4, 4, 6, 8), FC), dynamo(), torchscript(17)),
    "densenet": classifier(tiny.Dense, dynamo("dynamic"), torchscript(9)),
    "activations": classifier(tiny.activations, dynamo(), torchscript(9), channels=1),
    "channels_last": classifier(
        tiny.plain, dynamo("dynamic"), torchscript(11), tail=tails.ChannelsLast
    ),
    "softmax": classifier(tiny.plain, dynamo(), torchscript(9), tail=tails.Probabilities),
    "rotation": Exported(
        partial(tiny.plain, 6, "six"),
        partial(decode.matrix, name=ROTATION[0]),
        32,
        40,
        heads=[{"output": ROTATION[0], "kind": "matrix"}],
        exports=(dynamo(names=ROTATION), torchscript(11, "dynamic", ROTATION), torchscript(17, names=ROTATION)),
        tail=tails.Rotation,
        names=ROTATION,
    ),
}


def full():
    # Imported here: the tiny networks are made without torchvision.
    from families import BUILDERS

    sides = {"inception_v3": 299}
    return {
        name: classifier(
            build,
            *EVERY,
            width=sides.get(name, 224),
            height=sides.get(name, 224),
            images=1,
            relu6=name == "mobilenet_v2",
        )
        for name, build in BUILDERS.items()
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--full", metavar="FOLDER", type=Path, help="make the real families, into this folder")
    parser.add_argument("--only", metavar="NAME", nargs="+", help="make these alone (with --full)")
    parser.add_argument("--exports", metavar="EXPORT", nargs="+", help="export so alone: dynamo, torchscript9.dynamic … (with --full)")
    arguments = parser.parse_args()
    if (arguments.only or arguments.exports) and not arguments.full:
        parser.error("--only and --exports go with --full: the repository's index is made whole")
    if not arguments.full:
        torch.set_num_threads(1)
    cases, folder = (full(), arguments.full) if arguments.full else (SMALL, HERE)
    folder.mkdir(parents=True, exist_ok=True)
    index = {"torch": torch.__version__, "onnx": onnx.__version__, "onnxscript": onnxscript.__version__, "networks": []}
    for number, (name, case) in enumerate(cases.items()):
        if arguments.only and name not in arguments.only:
            continue
        if arguments.exports:
            case.exports = tuple(one for one in case.exports if one.file("")[1 : -len(".onnx")] in arguments.exports)
        index["networks"].append(made(name, case, folder, seed=2000 + number, small=not arguments.full))
        # After each, for the real families take half an hour.
        (folder / "index.json").write_text(f"{json.dumps(index, indent=1)}\n")


def made(name, case, folder, seed, small):
    seed = case.seed or seed
    torch.manual_seed(seed)
    random = np.random.default_rng(seed)
    network = case.build()
    enliven(network, case, random)
    module = case.tail(network).eval()
    # As the file gives it: what stands here by names must not be what the rule changes.
    named = tails.Named(module, case.names)
    chosen = telling_picture if small else steadiest_picture
    pixels = np.stack([chosen(named, case, random, small) for _ in range(case.images)])
    data = golden(name, case, folder, named, pixels)
    if not small:
        # Each of them has been tried with a few roundings only, and a gate that one closes is as near for the others.
        for figure in ("pytorch_error", "map_error"):
            worst = max(one[figure] for one in data["gradients"])
            data["gradients"] = [{**one, figure: worst} for one in data["gradients"]]
    if not all(one["std"] > 0 for one in data["gradients"]):
        raise ValueError(f"{name} has a gradient of zeros with seed {seed}: its ReLUs are closed, so give it another")
    shape = (case.channels, case.height, case.width)
    files = []
    for export in case.exports:
        for attribute, value in export.settings:
            setattr(network, attribute, value)
        file = export.file(name)
        write(export, module, (*shape[1:], shape[0]) if case.tail is tails.ChannelsLast else shape, folder / file, bare=small)
        files.append(described(export, file, folder))
        print(f"  {file}", flush=True)
    return {
        "name": name,
        "width": case.width,
        "height": case.height,
        "channels": case.channels,
        "softmax": case.tail is tails.Probabilities,
        "description": description(case),
        "files": files,
        **data,
    }


def steadiest_picture(module, case, random, _):
    """Of six, since a network of millions of gates has none on which float32 closes no other gate than float64."""
    return min((picture(random, case) for _ in range(6)), key=lambda found: unsteadiness(module.float(), case, found))


def unsteadiness(module, case, found):
    """How far the plain gradient moves where weights are off by what float32 rounds off. In float32, to be done soon."""
    single = normalised(found[None]).contiguous()
    first, *others = (
        gradient(form, single, case, CLASS[0], "none", "plain") for form in (module, *(shaken(module, 5e-7) for _ in range(3)))
    )
    return max(relative(other, first) for other in others)


def described(export, file, folder):
    data = f"{file}.data"
    # The outputs' own, not what opset_version asked for: exporters raise it where they must.
    opsets = {opset.domain: opset.version for opset in onnx.load(folder / file, load_external_data=False).opset_import}
    return {
        "file": file,
        **({"data": data} if (folder / data).exists() else {}),
        "exporter": export.exporter,
        "opset": opsets[""],
        "batch": export.batch,
    }


def description(case):
    """What a person who knows the network says of it; its size is in the file."""
    gray = {"input": {"channels": "gray", "mean": [MEAN[0]], "std": [STD[0]]}} if case.channels == 1 else {}
    return {**gray, **({"heads": case.heads} if case.heads else {})}


if __name__ == "__main__":
    main()
