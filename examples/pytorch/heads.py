"""A network's outputs as angles and as what is differentiated, by the description that stands in a result set."""

import itertools
import math
import re

import torch
from guided import CannotCompare, CannotCompareAny

ANGLES = ("yaw", "pitch", "roll")


class Outputs:
    """
    Raw outputs of one forward pass, by the names of the description's heads. They are taken from the layers of these
    names, so that it does not matter what the module makes of them and in which order it returns it. `layers` says where
    a layer is called differently: {"fc_yaw": "head.yaw"}.

    Heads of an ONNX file name tensors of its graph, which no layer needs to be called by. There an output that is no
    layer is what forward() returns: the only tensor, the one of that key, or number N of several: {"yaw": "0"}.
    """

    def __init__(self, module, heads, layers, is_graph=False):
        self.found, self.returned = {}, {}
        # In the heads' order, each once.
        for output in dict.fromkeys(head["output"] for head in heads):
            where = layers.get(output)
            if is_graph and (where.isdecimal() if where else not has_layer(module, output)):
                self.returned[output] = where
                continue
            layer = layer_of(module, output, layers)
            layer.register_forward_hook(lambda _, __, result, name=output: self.found.__setitem__(name, result))

    def take(self, result):
        """What forward() has returned. Some outputs of a graph are a part of it."""
        if self.returned:
            parts = returned_parts(result, self.returned)
            self.found.update({output: part.flatten(1) for output, part in parts.items()})

    def __getitem__(self, output):
        if output not in self.found:
            raise CannotCompare(f"forward() does not call the layer of the output {output}; give --decode")
        return self.found[output]

    def probabilities(self, heads):
        """The outputs that headlight takes for logits, and that are probabilities here, or logarithms of them."""
        logits = {head["output"]: head for head in heads if head["kind"] in ("classes", "binned")}
        found = {output: self.found[output] for output in logits if output in self.found}
        return [output for output, numbers in found.items() if is_distribution(logits_of(logits[output], numbers))]


def is_distribution(numbers):
    """Whether each row, or what it is the logarithm of, is at least 0 and sums to 1. One number alone tells nothing."""
    if numbers.shape[1] < 2:
        return False
    shares = numbers if bool((numbers >= 0).all()) else numbers.exp()
    return bool(((shares.sum(1) - 1).abs() < 1e-4).all())


def returned_parts(result, wanted):
    """What forward() has returned by output: the tensor of the number in `wanted`, else that of its name, else the only one."""
    named = result if isinstance(result, dict) else {}
    parts = [result] if isinstance(result, torch.Tensor) else list(named.values() or result)
    numbers = {output: where for output, where in wanted.items() if where is not None or output not in named}
    if len(parts) > 1 and None in numbers.values():
        raise CannotCompareAny(
            f"forward() returns {len(parts)} tensors: say which of them is which, by its number from 0 on "
            f"({numbered(numbers)} if that is their order) or by the layer that gives it (--layer {next(iter(numbers))}=NAME)"
        )
    for output, where in numbers.items():
        if int(where or 0) >= len(parts):
            some = "1 tensor" if len(parts) == 1 else f"{len(parts)} tensors"
            raise CannotCompareAny(f"forward() returns {some}, and --layer {output}={where or 0} counts from 0")
    return {output: parts[int(numbers[output] or 0)] if output in numbers else named[output] for output in wanted}


def numbered(numbers):
    """`--layer yaw=0 --layer pitch=1`: what was said, and the numbers that are left for the others."""
    said = {int(where) for where in numbers.values() if where is not None}
    left = (number for number in itertools.count() if number not in said)
    return " ".join(f"--layer {output}={next(left) if where is None else where}" for output, where in numbers.items())


def has_layer(module, output):
    return any(name == output or name.endswith(f".{output}") for name, _ in module.named_modules())


def layer_of(module, output, layers):
    wanted = layers.get(output, output)
    named = {name: layer for name, layer in module.named_modules() if name}
    if wanted in named:
        return named[wanted]
    behind = [name for name in named if name.endswith(f".{wanted}")]
    if len(behind) == 1:
        return named[behind[0]]
    linear = ", ".join(name for name, layer in named.items() if isinstance(layer, torch.nn.Linear)) or "none"
    raise CannotCompare(
        f"the module has no layer {wanted} for the head {output} (linear layers: {linear}); "
        f"give --layer {output}=NAME, or --decode"
    )


def decode(heads, outputs):
    """Yaw, pitch and roll in degrees, N each, as far as there are heads for them."""
    angles = {}
    for head in heads:
        if head["kind"] == "classes":
            continue
        made = DECODES.get(head["kind"])
        if made is None:
            raise CannotCompare(f"this version does not know heads of the kind {head['kind']}; give --decode")
        angles.update(made(outputs[head["output"]], head))
    return {angle: angles[angle] for angle in ANGLES if angle in angles}


def logits_of(head, output):
    if head["kind"] == "classes":
        return output
    start = head.get("start", 0)
    return output[:, start : start + head["bins"]]


def binned(output, head):
    """The expected angle over the bins (Ruiz et al. 2018, arXiv 1710.00925)."""
    shares = torch.softmax(logits_of(head, output), 1)
    numbers = torch.arange(head["bins"], dtype=output.dtype, device=output.device)
    return {head["angle"]: head["sign"] * ((shares * numbers).sum(1) * head["step"] + head["offset"])}


def value(output, head):
    found = output[:, head.get("index", 0)] * head.get("scale", 1) + head.get("offset", 0)
    return {head["angle"]: head["sign"] * found * (180 / math.pi if head["unit"] == "radians" else 1)}


def rotation6d(output, head):
    """Zhou et al. 2019, arXiv 1812.07035, as 6DRepNet orders it: two columns, the third across them, the second anew."""
    numbers = part(output, head, 6)
    x = unit(numbers[:, 0:3])
    z = unit(torch.linalg.cross(x, numbers[:, 3:6]))
    return by_matrix(torch.stack([x, torch.linalg.cross(z, x), z], 2), head)


def matrix(output, head):
    return by_matrix(part(output, head, 9).reshape(-1, 3, 3), head)


def quaternion(output, head):
    numbers = unit(part(output, head, 4))
    w, x, y, z = numbers.unbind(1) if head["order"] == "wxyz" else numbers.roll(1, 1).unbind(1)
    rows = [
        [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
        [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
        [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
    ]
    return by_matrix(torch.stack([torch.stack(row, 1) for row in rows], 1), head)


def pose3dmm(output, head):
    """
    The pose of a 3D morphable model: a scaled rotation of three rows, the translation as its fourth column. These are the
    angles of 300W-LP's labels, left-handed in y and z; 3DDFA_V2's own code reads others.
    """
    numbers = part(output, head, 12) * output.new_tensor(head["std"]) + output.new_tensor(head["mean"])
    rows = numbers.reshape(-1, 3, 4)[:, :, :3]
    first, second = unit(rows[:, 0]), unit(rows[:, 1])
    turned = output.new_tensor([[1.0, -1, -1], [-1, 1, 1], [-1, 1, 1]])
    return by_matrix(torch.stack([first, second, torch.linalg.cross(first, second)], 1) * turned, {**head, "euler": "xyz"})


DECODES = {
    "binned": binned,
    "value": value,
    "rotation6d": rotation6d,
    "matrix": matrix,
    "quaternion": quaternion,
    "pose3dmm": pose3dmm,
}


def part(output, head, count):
    start = head.get("start", 0)
    return output[:, start : start + count]


def unit(vectors):
    return vectors / vectors.norm(dim=1, keepdim=True).clamp(min=1e-8)


def by_matrix(rotation, head):
    """`zyx`: R = Rz(roll) Ry(yaw) Rx(pitch), 6DRepNet's. `xyz`: R = Rx(-pitch) Ry(yaw) Rz(roll), BIWI's."""
    r = rotation.transpose(1, 2) if head.get("transpose") else rotation
    if head["euler"] == "zyx":
        yaw = torch.atan2(-r[:, 2, 0], torch.hypot(r[:, 0, 0], r[:, 1, 0]))
        pitch, roll = torch.atan2(r[:, 2, 1], r[:, 2, 2]), torch.atan2(r[:, 1, 0], r[:, 0, 0])
    else:
        yaw = torch.atan2(r[:, 0, 2], torch.hypot(r[:, 1, 2], r[:, 2, 2]))
        pitch, roll = torch.atan2(r[:, 1, 2], r[:, 2, 2]), torch.atan2(-r[:, 0, 1], r[:, 0, 0])
    signs = head.get("signs", {})
    found = {"yaw": yaw, "pitch": pitch, "roll": roll}
    return {angle: signs.get(angle, 1) * turn * 180 / math.pi for angle, turn in found.items()}


def objective(name, heads, outputs, angles, label=None):
    """The scalar that `name` differentiates, for one image: sum, yaw, -yaw, yaw:top, yaw:bin:3, class:5, output:2 …"""
    if name.startswith("-"):
        return -objective(name[1:], heads, outputs, angles, label)
    if name == "sum":
        return sum(angles.values()).sum()
    what, *rest = name.split(":")
    if what in ANGLES and not rest:
        return angles[what].sum()
    if what in ANGLES:
        head = next(head for head in heads if head["kind"] == "binned" and head["angle"] == what)
        return picked(logits_of(head, outputs[head["output"]]), rest[-1], label)
    if what == "class":
        head = next(head for head in heads if head["kind"] == "classes")
        return picked(outputs[head["output"]], rest[0], label)
    if what == "output":
        wanted = ":".join(rest[:-1])
        output = next((head["output"] for head in heads if spelled(head["output"]) == wanted), wanted)
        return picked(outputs[output or heads[0]["output"]], rest[-1], label)
    raise CannotCompare(f"this version does not know the objective {name}; choose others with --objective")


def spelled(output):
    """As an objective writes the name of a tensor: /fc/Gemm_output_0 is fc_Gemm_output_0."""
    return re.sub(r"[^\w.-]+", "_", re.sub(r"^[^\w.]+", "", output, flags=re.ASCII), flags=re.ASCII)


def picked(values, which, label):
    if which == "top":
        return values.max(1).values.sum()
    if which == "label":
        if label is None:
            raise CannotCompare("the objective class:label needs the class of each image, which no record holds")
        return values[:, label].sum()
    return values[:, int(which)].sum()
