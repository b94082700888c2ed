"""What a network is shown of an image, made as its description says with Pillow (or OpenCV, where that is its filter)."""

import numpy as np
from guided import CannotCompare
from PIL import Image, ImageOps


def opened(path, turn):
    """RGB. `turn`: whether the EXIF orientation is applied (--exif-orientation)."""
    with Image.open(path) as image:
        return (ImageOps.exif_transpose(image) if turn else image).convert("RGB")


def shown(image, box, rule):
    """uint8, height x width x channels, RGB or gray; `box` is x0, y0, x1, y1 in whole pixels."""
    part = image if box is None else image.crop(box)
    size, (left, top) = placed(part.size, rule)
    pixels = resized(gray(part, rule) if rule["channels"] == "gray" else np.asarray(part), size, rule)
    canvas = np.zeros((rule["height"], rule["width"], *pixels.shape[2:]), np.uint8)
    rows = slice(max(top, 0), min(top + rule["height"], size[1]))
    columns = slice(max(left, 0), min(left + rule["width"], size[0]))
    canvas[rows.start - top : rows.stop - top, columns.start - left : columns.stop - left] = pixels[rows, columns]
    return canvas if canvas.ndim == 3 else canvas[:, :, None]


def placed(size, rule):
    """To what the whole is resized, and where in that the input begins (negative where the input is larger)."""
    width, height, wide, high = *size, rule["width"], rule["height"]
    if rule["resize"] == "letterbox":
        scale = min(wide / width, high / height)
        new = max(1, round(width * scale)), max(1, round(height * scale))
        # The odd row or column of black is the last.
        return new, (-int((wide - new[0]) / 2), -int((high - new[1]) / 2))
    target = (rule["resizeTo"],) * 2 if "resizeTo" in rule else (wide, high)
    if rule["resize"] == "stretch":
        new = target
    elif width * target[1] <= height * target[0]:
        new = target[0], int(target[0] * height / width)
    else:
        new = int(target[1] * width / height), target[1]
    return new, (round((new[0] - wide) / 2), round((new[1] - high) / 2))


def visible(size, box, rule):
    """The rectangle of the image that the network sees, in fractional pixels: `crop` of a record."""
    x0, y0, x1, y1 = box or (0, 0, *size)
    new, (left, top) = placed((x1 - x0, y1 - y0), rule)
    across, down = (x1 - x0) / new[0], (y1 - y0) / new[1]
    right, bottom = left + rule["width"], top + rule["height"]
    return x0 + left * across, y0 + top * down, x0 + right * across, y0 + bottom * down


def box_of(size, crop, rule):
    """
    The box that a record's crop was made of; None for the whole image. A record holds only what was seen of the box, so
    boxes of whole pixels are tried.
    """
    if fits(size, None, crop, rule):
        return None
    x0, y0, x1, y1 = crop
    across, down = (x1 - x0) / rule["width"], (y1 - y0) / rule["height"]
    # One of its sides was resized to this, whatever the rule.
    target = (rule["resizeTo"],) * 2 if "resizeTo" in rule else (rule["width"], rule["height"])
    wide, high = max(1, round(across * target[0])), max(1, round(down * target[1]))
    longest = range(1, 4 * max(wide, high) + 2)
    for width, height in ((wide, high), *((wide, side) for side in longest), *((side, high) for side in longest)):
        new, (left, top) = placed((width, height), rule)
        if min(new) < 1:
            continue
        x, y = round(x0 - left * width / new[0]), round(y0 - top * height / new[1])
        if fits(size, (x, y, x + width, y + height), crop, rule):
            return x, y, x + width, y + height
    raise CannotCompare("the box cannot be told from the crop in its record")


def fits(size, box, crop, rule):
    # Records hold float32.
    return all(abs(a - b) <= 1e-4 + 1e-6 * abs(b) for a, b in zip(visible(size, box, rule), crop))


def gray(part, rule):
    if rule.get("filter") == "opencv":
        cv2 = opencv()
        return cv2.cvtColor(np.asarray(part), cv2.COLOR_RGB2GRAY)
    return np.asarray(part.convert("L"))


def resized(pixels, size, rule):
    if rule.get("filter") == "opencv":
        cv2 = opencv()
        return cv2.resize(pixels, size, interpolation=cv2.INTER_LINEAR)
    return np.asarray(Image.fromarray(pixels).resize(size, Image.BILINEAR))


def opencv():
    try:
        import cv2
    except ImportError:
        raise CannotCompare("the description's filter is opencv, and cv2 is missing: pip install opencv-python-headless")
    return cv2


def normalised(pixels, rule):
    """float32, channels x height x width, in the order of the description's channels."""
    x = pixels.astype(np.float64)
    if rule["channels"] == "bgr":
        x = x[:, :, ::-1]
    if rule.get("normalise") == "min-max":
        x = (x - x.min()) / max(x.max() - x.min(), 1) * rule["range"]
    else:
        x = x / 255 * rule["range"]
    x = (x - np.array(rule["mean"])) / np.array(rule["std"])
    return np.ascontiguousarray(x.transpose(2, 0, 1).astype(np.float32))


def in_rgb_order(gradient, rule):
    """A gradient in the channels' order as headlight stores it."""
    return gradient[::-1] if rule["channels"] == "bgr" else gradient


def drawn(gradient, style):
    """The 8-bit map of a gradient (channels x height x width), as float so that one level off is one."""
    if style == "origin":
        spread = gradient.std()
        share = (gradient - gradient.mean()) / (spread if spread > 0 else 1) * 0.1 + 0.5
        levels = np.clip(share, 0, 1).transpose(1, 2, 0) * 255
        return np.repeat(levels, 3, 2) if levels.shape[2] == 1 else levels
    magnitude = np.abs(gradient).max(0)
    return np.clip(magnitude / max(np.quantile(magnitude, 0.995), 1e-30), 0, 1) * 255
