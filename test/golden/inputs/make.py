"""Writes cases.json: what Pillow and OpenCV make of a picture by each rule of a network's input.

Needs Pillow (12.3 made the file here), OpenCV (5.0; 4.14 gives the same) and NumPy; the tests only read the result. Run it
in this folder. Sizes and crops are torchvision's (Resize, CenterCrop) and albumentations' (LongestMaxSize, PadIfNeeded),
written out.
"""

import hashlib
import json

import cv2
import numpy as np
from PIL import Image


def pattern(width, height):
    y, x = np.mgrid[0:height, 0:width]
    planes = [(x * 7 + y * 13 + c * 31 + ((x * y) >> 3)) & 255 for c in range(3)]
    return np.stack(planes, -1).astype(np.uint8)


def cut(image, box):
    """Whole pixels of the box, black outside the image, as Pillow's crop."""
    return np.asarray(Image.fromarray(image).crop(box))


def gray(image, rule):
    if rule["channels"] != "gray":
        return image
    if rule["filter"] == "opencv":
        return cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    return np.asarray(Image.fromarray(image).convert("L"))


def resize(image, width, height, rule):
    if rule["filter"] == "opencv":
        return cv2.resize(image, (width, height), interpolation=cv2.INTER_LINEAR)
    return np.asarray(Image.fromarray(image).resize((width, height), Image.BILINEAR))


def centre(image, width, height):
    top = int(round((image.shape[0] - height) / 2.0))
    left = int(round((image.shape[1] - width) / 2.0))
    return image[top : top + height, left : left + width], left, top


def result(image, rule):
    """The network's input, and x0, y0, x1, y1 of what it shows of `image`."""
    height, width = image.shape[:2]
    wide, high = rule["width"], rule["height"]
    if rule["resize"] == "letterbox":
        scale = min(wide / width, high / height)
        # Python's round takes halves to the even number, as albumentations' py3round.
        new_width, new_height = max(1, round(width * scale)), max(1, round(height * scale))
        resized = resize(image, new_width, new_height, rule)
        left, top = int((wide - new_width) / 2.0), int((high - new_height) / 2.0)
        right, bottom = wide - new_width - left, high - new_height - top
        picture = cv2.copyMakeBorder(resized, top, bottom, left, right, cv2.BORDER_CONSTANT, value=0)
        left, top = -left, -top
    else:
        target = rule["resizeTo"]
        if rule["resize"] == "stretch":
            new_width, new_height = (wide, high) if target is None else (target, target)
        else:
            target = wide if target is None else target
            short, long = min(width, height), max(width, height)
            longer = int(target * long / short)
            new_width, new_height = (target, longer) if width <= height else (longer, target)
        picture, left, top = centre(resize(image, new_width, new_height, rule), wide, high)
    across, down = width / new_width, height / new_height
    return picture, [left * across, top * down, (left + wide) * across, (top + high) * down]


RULES = [
    ("shorter-side", None, 32, 32),
    ("shorter-side", 48, 32, 32),
    ("shorter-side", 49, 40, 26),
    ("stretch", None, 32, 32),
    ("stretch", None, 40, 26),
    ("stretch", 37, 32, 32),
    ("stretch", 41, 40, 26),
    ("letterbox", None, 32, 32),
    ("letterbox", None, 40, 27),
]
PICTURES = [
    ((90, 61), None),
    ((61, 90), None),
    ((64, 64), None),
    ((80, 52), None),
    ((64, 90), None),
    ((20, 13), None),
    ((1, 9), None),
    ((90, 61), (-7, 5, 70, 49)),
    ((90, 61), (40, -9, 101, 80)),
    ((90, 61), (60, 20, 124, 84)),
]

cases = []
for size, box in PICTURES:
    image = pattern(*size)
    for resize_rule, resize_to, width, height in RULES:
        for filter in (None, "opencv"):
            for channels in ("rgb", "gray"):
                rule = dict(
                    width=width, height=height, resize=resize_rule, resizeTo=resize_to, filter=filter, channels=channels
                )
                part = image if box is None else cut(image, box)
                picture, crop = result(gray(part, rule), rule)
                left, top = (0, 0) if box is None else box[:2]
                crop = [crop[0] + left, crop[1] + top, crop[2] + left, crop[3] + top]
                digest = hashlib.sha256(np.ascontiguousarray(picture).tobytes()).hexdigest()
                given = {key: value for key, value in rule.items() if value is not None}
                cases.append(dict(image=size, box=box, rule=given, crop=crop, sha256=digest[:16]))

with open("cases.json", "w") as file:
    file.write("[\n" + ",\n".join(json.dumps(case) for case in cases) + "\n]\n")
print(len(cases), cv2.__version__, Image.__version__)
