"""Seconds of the original script's whole way over a folder, from image files to PNG maps, without importing torch."""

import sys
import time
from pathlib import Path

import numpy as np
import torch
from PIL import Image

sys.path.insert(0, str(Path(__file__).parent.parent))
from origin import HeadPose, once_as_the_origin_does  # noqa: E402

MEAN = np.array([0.485, 0.456, 0.406], np.float32)
STD = np.array([0.229, 0.224, 0.225], np.float32)


def seen(path):
    """Shorter side to 224, centre crop, normalised: 1 x 3 x 224 x 224."""
    image = Image.open(path).convert("RGB")
    scale = 224 / min(image.size)
    width, height = (round(side * scale) for side in image.size)
    image = image.resize((width, height), Image.BILINEAR)
    left, top = (width - 224) // 2, (height - 224) // 2
    image = image.crop((left, top, left + 224, top + 224))
    pixels = (np.asarray(image, np.float32) / 255 - MEAN) / STD
    return torch.from_numpy(pixels.transpose(2, 0, 1)[None].copy())


def picture(gradient):
    """Mean 0.5 and standard deviation 0.1, clipped: height x width x 3, as bytes."""
    values = gradient[0].permute(1, 2, 0).numpy()
    values = (values - values.mean()) / (values.std() + 1e-5) * 0.1 + 0.5
    return Image.fromarray((np.clip(values, 0, 1) * 255).astype(np.uint8))


def main():
    source, target = Path(sys.argv[1]), Path(sys.argv[2])
    model, image = HeadPose().eval(), torch.zeros(1, 3, 224, 224)
    once = once_as_the_origin_does(model, image)
    once()
    start = time.perf_counter()
    for path in sorted(source.glob("*.png")):
        with torch.no_grad():
            image.copy_(seen(path))
        once()
        picture(image.grad).save(target / path.name)
    print((time.perf_counter() - start) * 1000)


if __name__ == "__main__":
    main()
