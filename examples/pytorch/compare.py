"""Compares what headlight found with your own PyTorch code: input, angles and gradients of some images.

    python examples/pytorch/compare.py --module mymodel.py:build --checkpoint model.pth --output out/model-all-1a2b3c4d

`build` takes nothing and returns your nn.Module; the checkpoint is loaded into it. The result set is a folder that
`headlight run` has written (with --gradients float32 for the closest look; without, maps are compared). Your module is
run on each image, guided backpropagation is done on autograd's own graph (guided.py), and each image gets a verdict:

    face01.png       angles 0.00002°  gradient of sum 3e-06   agrees

Examples:

    # one image: headlight explain face.png --network model.pth --json --gradient face.npy > face.json
    python examples/pytorch/compare.py --module mymodel.py:build --checkpoint model.pth --explained face.json

    # your own preprocessing, too: a callable that takes a PIL image (its box already cut out) and gives C x H x W
    python examples/pytorch/compare.py ... --preprocess mymodel.py:transform

    # a layer that your module calls differently than the checkpoint that headlight read
    python examples/pytorch/compare.py ... --layer fc_yaw=heads.yaw

    # a network that headlight read from an ONNX file: your module, and the checkpoint that you exported. Its outputs are
    # what forward() returns; where that are several, say which is which, by the names that network inspect shows
    python examples/pytorch/compare.py ... --layer linear_3=0 --layer linear_4=1 --layer linear_5=2

    # one that ends with a Softmax, of which headlight reads what goes in: the layer that gives it
    python examples/pytorch/compare.py ... --layer softmax=fc

    # your own way from outputs to degrees: takes what forward() returns, gives {"yaw": ..., "pitch": ..., "roll": ...}
    python examples/pytorch/compare.py ... --decode mymodel.py:to_degrees

Needs torch, numpy and Pillow; OpenCV only for a network whose description says so. Exit code: 0 where all agree, 1 where
an image differs, 2 where something could not be compared.
"""

import argparse
import copy
import hashlib
import importlib
import importlib.util
import pickle
import re
import sys
from pathlib import Path

import heads as heads_of
import numpy as np
import picture
import results
import torch
from guided import CannotCompare, CannotCompareAny, activations, gradient_of, guide

# Degrees. What float32 and another order of sums make of an angle is a hundredth of it.
ANGLE = 0.01
# Relative L2 distance, or three times what PyTorch's own float32 loses against float64 where that is more: a ReLU near
# zero may open in one and stay closed in the other.
GRADIENT = 1e-3
# What storing a gradient as float16 costs at most.
HALVED = 5e-4
# Share of a map's values that may be off by more than one level of 255.
MAP = 1e-3
# Of the normalised input: one level of 255 in ImageNet's units is 0.017.
INPUT = 1e-3


def main():
    arguments = parsed()
    try:
        found = read(arguments)
        module = loaded(arguments, found)
        comparison = Comparison(arguments, found, module)
        print(comparison.headline(), flush=True)
        verdicts = [verdict(comparison, sample) for sample in found.samples]
    except CannotCompare as error:
        print(f"compare.py: {error}", file=sys.stderr)
        return 2
    agreeing, missing = verdicts.count(True), verdicts.count(None)
    left = f", {missing} could not be compared" if missing else ""
    print(f"{agreeing} of {counted(len(verdicts))} {'agrees' if len(verdicts) == 1 else 'agree'}{left}")
    if comparison.probabilities:
        print(softmax_hint(comparison.probabilities))
    return 2 if missing else 0 if agreeing == len(verdicts) else 1


def parsed():
    usage, description = __doc__.split("\n", 1)
    parser = argparse.ArgumentParser(
        description=usage + "\n" + description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--module", required=True, metavar="FILE.py:NAME", help="gives your nn.Module when it is called")
    parser.add_argument("--checkpoint", type=Path, metavar="FILE", help="its weights (default: as build() leaves them)")
    parser.add_argument(
        "--trust",
        action="store_true",
        help="read the checkpoint even where it asks Python to run code: for files of your own",
    )
    given = parser.add_mutually_exclusive_group(required=True)
    given.add_argument("--output", type=Path, metavar="FOLDER", help="a result set, or an output that holds one")
    given.add_argument("--explained", type=Path, metavar="FILE.json", help="what headlight explain --json has printed")
    parser.add_argument("--dataset", type=Path, metavar="FOLDER", help="the images (default: where the result set says)")
    parser.add_argument("--image", type=Path, metavar="FILE", help="with --explained: the image, where it has moved")
    parser.add_argument("--images", type=int, default=10, metavar="N", help="how many are compared (default: 10)")
    parser.add_argument("--key", action="append", default=[], help="compare this image; may be given several times")
    parser.add_argument("--objective", action="append", default=[], help="compare these alone (default: all there are)")
    parser.add_argument("--layer", action="append", default=[], metavar="OUTPUT=LAYER", help="where your module has an output; of an ONNX file also OUTPUT=N")
    parser.add_argument("--decode", metavar="FILE.py:NAME", help="your way from forward()'s result to degrees")
    parser.add_argument("--preprocess", metavar="FILE.py:NAME", help="your way from a PIL image to the network's input")
    parser.add_argument("--device", default="cpu", help="where PyTorch computes (default: cpu)")
    return parser.parse_args()


def read(arguments):
    if arguments.explained:
        return results.from_explanation(arguments.explained, arguments.image)
    return results.from_set(arguments.output, arguments.dataset, arguments.images, set(arguments.key))


def named(place, what):
    """The object that FILE.py:NAME or package.module:NAME names."""
    source, _, name = place.rpartition(":")
    if not source:
        raise CannotCompare(f"--{what} {place} names no object; give FILE.py:NAME")
    if not source.endswith(".py"):
        sys.path.insert(0, "")
        found = importlib.import_module(source)
    else:
        file = Path(source).resolve()
        if not file.is_file():
            raise CannotCompare(f"--{what}: there is no file {source}")
        # So that it finds its neighbours.
        sys.path.insert(0, str(file.parent))
        spec = importlib.util.spec_from_file_location(file.stem, file)
        found = sys.modules[file.stem] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(found)
    if not hasattr(found, name):
        raise CannotCompare(f"--{what}: {source} has no {name}")
    return getattr(found, name)


def loaded(arguments, found):
    module = named(arguments.module, "module")()
    if not isinstance(module, torch.nn.Module):
        raise CannotCompare(f"--module {arguments.module} gives no nn.Module but {type(module).__name__}")
    # Wrappers whose inside has the names of the checkpoint: DataParallel, torch.compile.
    module = getattr(getattr(module, "module", module), "_orig_mod", getattr(module, "module", module))
    if arguments.checkpoint:
        load(module, arguments.checkpoint, arguments.trust)
        digest = hashlib.sha256(arguments.checkpoint.read_bytes()).hexdigest()
        # Of an ONNX file nothing tells which checkpoint it was exported from.
        if digest != found.network["digest"] and not found.is_graph:
            print(
                f"note: {arguments.checkpoint} is not the file that headlight read ({found.network['file']}): "
                "their SHA-256 differ",
                file=sys.stderr,
            )
    return module.eval().requires_grad_(False).float().to(arguments.device)


def load(module, file, trusted):
    try:
        held = torch.load(file, map_location="cpu", weights_only=not trusted)
    except pickle.UnpicklingError as error:
        # PyTorch's own message is a page of advice; the name in it is what matters.
        asked = re.search(r"GLOBAL ([\w.]+)", str(error))
        more = f" ({asked.group(1)})" if asked else ""
        raise CannotCompare(
            f"{file} holds more than weights{more}, which torch.load reads only where it may run code: "
            "add --trust if the file is your own"
        )
    except Exception as error:
        raise CannotCompare(
            f"torch.load cannot read {file} ({str(error).splitlines()[0]}); load it in build() and leave out --checkpoint"
        )
    while isinstance(held, dict) and not any(isinstance(value, torch.Tensor) for value in held.values()):
        inner = [value for value in held.values() if isinstance(value, dict) and value]
        if not inner:
            raise CannotCompare(f"{file} holds no weights; load it in build() and leave out --checkpoint")
        held = max(inner, key=len)
    weights = {name.removeprefix("module."): value for name, value in held.items()}
    try:
        missing, unexpected = module.load_state_dict(weights, strict=False)
    except RuntimeError as error:
        raise CannotCompare(f"{file} does not fit the module: {str(error).splitlines()[-1].strip()}")
    if missing:
        raise CannotCompare(f"{file} lacks {len(missing)} tensors that the module has, {missing[0]} for one")
    if unexpected:
        print(f"note: the module has no place for {', '.join(unexpected[:3])} of {file}", file=sys.stderr)


class Comparison:
    def __init__(self, arguments, found, module):
        self.found, self.module, self.device = found, module, arguments.device
        self.decode = named(arguments.decode, "decode") if arguments.decode else None
        self.preprocess = named(arguments.preprocess, "preprocess") if arguments.preprocess else None
        self.objectives = arguments.objective
        layers = layers_of(arguments.layer, found.heads)
        # With an own decode only objectives on raw outputs need them.
        heads = [head for head in found.heads if self.decode is None or head["kind"] == "classes"]
        try:
            self.double = copy.deepcopy(module).double()
            self.double_outputs = heads_of.Outputs(self.double, heads, layers, found.is_graph)
        except (RuntimeError, TypeError):
            self.double = None
        self.outputs = heads_of.Outputs(module, heads, layers, found.is_graph)
        self.activations = None
        # Outputs of images that differ.
        self.probabilities = set()

    def headline(self):
        found = self.found
        rule = "" if found.relu6 == "guided" else ", ReLU6 plain"
        return f"{found.network['file']}, scope {found.scope}{rule}; {counted(len(found.samples))} on {self.device}"

    def angles_and_gradients(self, values, names, label, is_double=False):
        """Angles in degrees, gradients by objective (float64, RGB), and how many activations were guided."""
        module, outputs = (self.double, self.double_outputs) if is_double else (self.module, self.outputs)
        image = torch.from_numpy(values)[None].to(self.device)
        image = (image.double() if is_double else image).requires_grad_()
        outputs.found.clear()
        returned = module(image)
        outputs.take(returned)
        angles = self.decode(returned) if self.decode else heads_of.decode(self.found.heads, outputs)
        targets = {name: heads_of.objective(name, self.found.heads, outputs, angles, label) for name in names}
        for name, target in targets.items():
            if target.grad_fn is None:
                raise CannotCompare(
                    f"{name} does not depend on the image: forward() computes without gradients (no_grad or detach)"
                )
        self.activations = guide(list(targets.values()), self.found.scope, self.found.relu6)
        gradients = {
            name: picture.in_rgb_order(gradient_of(target, image)[0].double().cpu().numpy(), self.found.input)
            for name, target in targets.items()
        }
        return {angle: float(turn.detach().reshape(-1)[0]) for angle, turn in angles.items()}, gradients

    def own_error(self, values, gradients, label):
        """By objective what PyTorch's float32 loses; 0 where the module cannot compute in float64."""
        if self.double is not None:
            try:
                _, exact = self.angles_and_gradients(values, list(gradients), label, is_double=True)
                return {name: distance(gradient, exact[name]) for name, gradient in gradients.items()}
            except RuntimeError:
                self.double = None
        return dict.fromkeys(gradients, 0.0)


def layers_of(given, heads):
    """{"fc_yaw": "heads.yaw"} of --layer. One for an output that no head reads would change nothing, without a word."""
    layers = dict(layer.partition("=")[::2] for layer in given)
    outputs = list(dict.fromkeys(head["output"] for head in heads))
    for layer in given:
        output, _, where = layer.partition("=")
        if output not in outputs or not where:
            lack = "layer" if output in outputs else "output that headlight reads"
            raise CannotCompare(f"--layer {layer} names no {lack}: give --layer OUTPUT=LAYER for {', '.join(outputs)}")
    return layers


def softmax_hint(outputs):
    names = " and ".join(sorted(outputs))
    return (
        f"hint: the numbers of {names} sum to 1 in your module, as a Softmax's do; headlight reads what goes into it: "
        f"name the layer that gives that, --layer {min(outputs)}=NAME"
    )


def verdict(comparison, sample):
    """Prints one line; True where the image agrees, None where it cannot be compared."""
    try:
        shown, differs = compared(comparison, sample)
    except CannotCompareAny:
        raise
    except CannotCompare as error:
        print(f"{sample.key}  not compared: {error}", flush=True)
        return None
    print(f"{sample.key}  {'  '.join(shown)}  {'differs: ' + '; '.join(differs) if differs else 'agrees'}", flush=True)
    if differs:
        comparison.probabilities.update(comparison.outputs.probabilities(comparison.found.heads))
    return not differs


def compared(comparison, sample):
    found = comparison.found
    if not sample.image.is_file():
        raise CannotCompare(f"there is no image {sample.image}; give --dataset or --image")
    image = picture.opened(sample.image, found.turn)
    box = picture.box_of(image.size, sample.crop, found.input) if sample.box is False else sample.box
    values = picture.normalised(picture.shown(image, box, found.input), found.input)
    shown, differs = [], []
    if not picture.fits(image.size, box, sample.crop, found.input):
        differs.append("the crop in the record is another than the description gives: the image has changed")
    if comparison.preprocess is not None:
        own_input(comparison, image if box is None else image.crop(box), values, shown, differs)
    names = comparison.objectives or list(sample.objectives)
    for name in names:
        if name not in sample.objectives:
            raise CannotCompare(f"the objective {name} was not computed, but {', '.join(sample.objectives)}")
    angles, gradients = comparison.angles_and_gradients(values, names, sample.label)
    compare_angles(sample.angles, angles, shown, differs)
    errors = comparison.own_error(values, gradients, sample.label)
    for name, gradient in gradients.items():
        compare_gradient(name, sample.objectives[name], gradient, errors[name], found.style, shown, differs)
    return shown, differs


def own_input(comparison, part, values, shown, differs):
    own = np.asarray(torch.as_tensor(comparison.preprocess(part)).detach().cpu().float())
    own = own[0] if own.ndim == 4 else own
    if own.shape != values.shape:
        differs.append(f"your input is {show(own.shape)}, the description's {show(values.shape)}")
        return
    off = float(np.abs(own - values).max())
    shown.append(f"input {off:.1g}")
    if off > INPUT:
        swapped = values.shape[0] == 3 and float(np.abs(own[::-1] - values).max()) <= INPUT
        why = "in reverse order of the channels it would agree (input.channels)" if swapped else "see input in its description"
        differs.append(f"your input is up to {off:.2g} off the description's, {why}")


def compare_angles(expected, angles, shown, differs):
    off = {angle: abs(wrapped(angles[angle] - value)) for angle, value in expected.items() if value is not None and angle in angles}
    absent = [angle for angle, value in expected.items() if (value is None) != (angle not in angles)]
    if absent:
        differs.append(f"only one of the two has {' and '.join(absent)}")
    if not off:
        return
    worst = max(off, key=lambda angle: off[angle])
    shown.append(f"angles {off[worst]:.2g}°")
    if not off[worst] <= ANGLE:
        differs.append(f"{worst} is {angles[worst]:.3f}° here and {expected[worst]:.3f}° in headlight")


def compare_gradient(name, kept, gradient, own_error, style, shown, differs):
    allowed = max(GRADIENT, 3 * own_error)
    if kept.gradient is not None:
        expected, halved = results.stored_gradient(kept)
        off = distance(expected, gradient) if expected.shape == gradient.shape else float("inf")
        shown.append(f"gradient of {name} {off:.1g}")
        if not off <= allowed + (HALVED if halved else 0):
            differs.append(f"the gradient of {name} is {off:.2g} off (relative L2), {allowed:.1g} allowed")
        return
    levels = results.stored_map(kept)
    drawn = picture.drawn(gradient, style or ("origin" if levels.ndim == 3 else "magnitude"))
    if drawn.shape != levels.shape:
        differs.append(f"the map of {name} is {show(levels.shape)}, not {show(drawn.shape)}")
        return
    share = float((np.abs(drawn - levels) > 1).mean())
    shown.append(f"map of {name} {100 - 100 * share:.4g} %")
    if not share <= max(MAP, own_error):
        differs.append(f"{share:.2%} of the map of {name} are more than one level off")


def distance(one, other):
    """Relative L2."""
    norm = float(np.linalg.norm(other))
    off = float(np.linalg.norm(one - other))
    return off / norm if norm > 0 else off


def wrapped(degrees):
    return (degrees + 180) % 360 - 180


def counted(images):
    return "1 image" if images == 1 else f"{images} images"


def show(shape):
    return " x ".join(map(str, shape))


if __name__ == "__main__":
    sys.exit(main())
