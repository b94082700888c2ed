"""What headlight has written: a result set in a folder, or the JSON of `headlight explain`."""

import gzip
import json
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlparse

import numpy as np
from guided import CannotCompare
from PIL import Image


@dataclass
class Shown:
    """What one objective left behind: the paths of gradient and map, None where there is none."""

    gradient: Path | None
    map: Path | None
    # What a float16 gradient was divided by.
    largest: float | None


@dataclass
class Sample:
    key: str
    image: Path
    angles: dict
    crop: tuple
    # False where only the crop is known.
    box: tuple | None | bool
    objectives: dict
    label: int | None = None


@dataclass
class Results:
    network: dict
    scope: str
    relu6: str
    style: str | None
    turn: bool
    samples: list

    @property
    def is_graph(self):
        """Whether headlight read an ONNX file."""
        return self.network["file"].endswith(".onnx")

    @property
    def heads(self):
        return self.network["description"]["heads"]

    @property
    def input(self):
        return self.network["description"]["input"]


def from_set(folder, dataset, count, keys):
    """`count` samples of a result set, evenly spread over the records of its last run; or those of the keys."""
    folder = set_folder(folder)
    described = read_json(folder / "set.json")
    options = described["options"]
    images = dataset or local_folder(described["dataset"]["uri"])
    records = newest_records(folder, count, keys)
    if not records:
        raise CannotCompare(f"{folder} holds no computed image{' of these keys' if keys else ''}; run headlight first")
    boxes = boxes_of(folder, {record["key"] for record in records})
    samples = [
        Sample(
            key=record["key"],
            image=images / image_key(record),
            angles=record["angles"],
            crop=tuple(record["crop"]),
            box=boxes.get(record["key"], False),
            objectives={
                name: Shown(
                    None if one["gradient"] is None else folder / one["gradient"],
                    folder / one["map"],
                    one["gradientMaxAbs"],
                )
                for name, one in record["objectives"].items()
            },
            label=record.get("class"),
        )
        for record in records
    ]
    turn = options["adapter"].get("applyExifOrientation", False)
    return Results(
        described["network"], options["scope"], options.get("relu6", "guided"), options["style"], turn, samples
    )


def set_folder(folder):
    if (folder / "set.json").is_file():
        return folder
    inside = sorted(path.parent for path in folder.glob("*/set.json"))
    if len(inside) == 1:
        return inside[0]
    if not inside:
        raise CannotCompare(f"{folder} holds no result set (a folder with set.json); give the one that headlight named")
    choices = [f"--output {path}{with_gradients(path)}" for path in inside]
    raise CannotCompare(f"{folder} holds several result sets; give one: {', '.join(choices)}")


def with_gradients(folder):
    kept = read_json(folder / "set.json")["options"].get("gradients", "none")
    return "" if kept == "none" else f" (with {kept} gradients)"


def local_folder(uri):
    place = urlparse(uri)
    if place.scheme != "file":
        raise CannotCompare(f"the dataset lies under {uri}; copy its images here and give the folder with --dataset")
    return Path(unquote(place.path))


def image_key(record):
    # The key of one of several faces: photo.jpg#2.
    return record["key"].rpartition("#")[0] if "face" in record else record["key"]


def newest_records(folder, count, keys):
    """Later runs have the last word on a key. Record files are read until there are enough."""
    found, known = [], set()
    for run in sorted((folder / "runs").iterdir(), reverse=True) if (folder / "runs").is_dir() else []:
        files = sorted((run / "records").glob("*.jsonl"))
        new = []
        for file in spread(files, len(files) if keys else count):
            new += [json.loads(line) for line in file.read_text().splitlines() if line]
        new = [record for record in new if record["key"] not in known]
        known |= {record["key"] for record in new}
        usable = [record for record in new if record["status"] == "ok" and (not keys or record["key"] in keys)]
        found += usable if keys else spread(usable, count - len(found))
        if not keys and len(found) >= count:
            break
    return found


def spread(items, count):
    """At most `count` of them, from the first to the last."""
    if len(items) <= count:
        return list(items)
    return [items[round(at)] for at in np.linspace(0, len(items) - 1, count)] if count > 0 else []


def boxes_of(folder, keys):
    """Of the keys whose box the listing knew (an index's); others are told from the record's crop."""
    boxes = {}
    for part in sorted(folder.glob("runs/*/manifest/*.jsonl.gz")):
        with gzip.open(part, "rt") as lines:
            next(lines)
            for line in lines:
                entry = json.loads(line)
                if entry["key"] in keys and "truth" in entry:
                    box = entry["truth"]["box"]
                    # Python rounds halves to the even number, as Pillow's and headlight's crop do.
                    boxes[entry["key"]] = box and tuple(round(box[side]) for side in ("x0", "y0", "x1", "y1"))
    return boxes


def from_explanation(file, image):
    """The JSON that `headlight explain --json --gradient gradient.npy` prints. Paths in it are as they were given there."""
    found = read_json(file)
    beside = file.parent
    if found.get("gradient") is None and found.get("map") is None:
        raise CannotCompare(f"{file} names neither a gradient nor a map; explain with --json --gradient gradient.npy")
    here = {name: found[name] and located(found[name], beside) for name in ("gradient", "map")}
    box = found["box"] and tuple(round(found["box"][side]) for side in ("x0", "y0", "x1", "y1"))
    sample = Sample(
        key=found["image"],
        image=image or located(found["image"], beside),
        angles=found["angles"],
        crop=tuple(found["crop"]),
        box=box,
        objectives={found["objective"]: Shown(here["gradient"], here["map"], None)},
        label=found.get("class"),
    )
    turn = found["adapter"].get("applyExifOrientation", False)
    return Results(found["network"], found["scope"], found.get("relu6", "guided"), found.get("style"), turn, [sample])


def located(path, beside):
    return Path(path) if Path(path).exists() else beside / path


def read_json(file):
    try:
        return json.loads(file.read_text())
    except (OSError, ValueError) as error:
        raise CannotCompare(f"{file} cannot be read: {error}")


def stored_gradient(shown):
    """float64, channels x height x width, and whether it was stored as float16."""
    values = np.load(shown.gradient)
    halved = values.dtype == np.float16
    values = values.astype(np.float64)
    return (values * (shown.largest or 1) if halved else values), halved


def stored_map(shown):
    with Image.open(shown.map) as picture:
        return np.asarray(picture).astype(np.float64)
