"""Writes greyCells.json: means of Pillow's grey over 28 × 28 cells, by NumPy, of one picture in several sizes.

Needs Pillow (12.3 made the file here) and NumPy; the test only reads the result. Run it in this folder.
"""

import json

import numpy as np
from PIL import Image

SIDE = 28


def pattern(width, height):
    y, x = np.mgrid[0:height, 0:width]
    planes = [(x * 7 + y * 13 + c * 31 + ((x * y) >> 3)) & 255 for c in range(3)]
    return np.stack(planes, -1).astype(np.uint8)


def shares(length):
    """Cell r, pixel x: the length that both share, in 1/28 of a pixel."""
    cell, pixel = np.mgrid[0:SIDE, 0:length].astype(np.int64)
    return np.maximum(0, np.minimum(SIDE * (pixel + 1), length * (cell + 1)) - np.maximum(SIDE * pixel, length * cell))


cases = []
for width, height in [(224, 224), (80, 64), (64, 80), (56, 28), (31, 45), (20, 9), (1, 1)]:
    image = Image.fromarray(pattern(width, height))
    grey = np.asarray(image.convert("L")).astype(np.int64)
    sums = shares(height) @ grey @ shares(width).T
    # Whole numbers: halves go up.
    cells = (2 * sums + width * height) // (2 * width * height)
    cases.append({"width": width, "height": height, "cells": cells.astype(np.uint8).tobytes().hex()})

with open("greyCells.json", "w") as file:
    json.dump(cases, file, indent=1)
    file.write("\n")
