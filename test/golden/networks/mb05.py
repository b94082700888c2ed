"""Writes mb05.json: what PyTorch gives for 3DDFA_V2's mb05_120x120.pth, real weights, on four photographs.

    python test/golden/networks/mb05.py FOLDER

FOLDER holds the photographs, and below networks/ the checkpoint and param_mean_std_62d_120x120.pkl (cleardusk/3DDFA_V2,
MIT). None of them is in the repository. The box is stretched to 120 x 120 with Pillow; the angles are the exact decode of
the labels' convention (decode.py), not 3DDFA_V2's own, which is wrong for it.
"""

import json
import pickle
import sys
from functools import partial
from pathlib import Path

import numpy as np
import torch
from PIL import Image

sys.path.insert(0, str(Path(__file__).parent))

import decode  # noqa: E402
from architectures.mobilenet_v1 import MobileNetV1  # noqa: E402
from cases import Case  # noqa: E402
from make import gradient, relative  # noqa: E402

# x0, y0, x1, y1 around a face, image pixels. In none of them does an early ReLU get a number within 3e-7 of zero, which
# float32 may open where float64 does not: one such gate can move a plain gradient by percents.
BOXES = {
    "astronaut_skimage.png": (160, 30, 300, 170),
    "grace_hopper.jpg": (80, 45, 230, 195),
    "kodim04.png": (160, 240, 470, 550),
    "kodim15.png": (370, 70, 730, 430),
}
STEP = 8
RULES = (("all", "sum"), ("all", "yaw"), ("none", "sum"))

folder = Path(sys.argv[1])
with open(folder / "networks/param_mean_std_62d_120x120.pkl", "rb") as file:
    whitening = pickle.load(file)
mean, std = (np.asarray(whitening[name], np.float64)[:12].tolist() for name in ("mean", "std"))
held = torch.load(folder / "networks/mb05_120x120.pth", map_location="cpu", weights_only=True)["state_dict"]
module = MobileNetV1({"fc_param": 62, "fc_lm": 136}, first=16).eval()
module.load_state_dict({name.removeprefix("module."): value for name, value in held.items()})
case = Case(None, partial(decode.pose3dmm, name="fc_param", mean=mean, std=std), 120, 120)

photographs = []
for name, box in BOXES.items():
    image = Image.open(folder / name).convert("RGB").crop(box).resize((120, 120), Image.BILINEAR)
    values = ((np.asarray(image)[:, :, ::-1] - 127.5) / 128).astype(np.float32)
    single = torch.from_numpy(np.ascontiguousarray(values)).permute(2, 0, 1)[None]
    with torch.no_grad():
        outputs = module.double()(single.double())
        angles = {angle: float(turn[0]) for angle, turn in case.decode(outputs).items()}
    gradients = []
    for scope, objective in RULES:
        exact = gradient(module.double(), single.double(), case, objective, scope, "guided")[::-1]
        found = gradient(module.float(), single, case, objective, scope, "guided")[::-1]
        part = exact[:, STEP // 2 :: STEP, STEP // 2 :: STEP]
        unit = float(np.abs(part).max()) / 32767
        gradients.append(
            {
                "scope": scope,
                "objective": objective,
                "mean": float(exact.mean()),
                "std": float(exact.std()),
                "pytorch_error": relative(found, exact),
                "unit": unit,
                "values": np.round(part / unit).astype(int).flatten().tolist(),
            }
        )
    print(name, angles, [one["pytorch_error"] for one in gradients])
    parameters = [float(number) for number in outputs["fc_param"][0]]
    photographs.append({"file": name, "box": box, "angles": angles, "parameters": parameters, "gradients": gradients})

found = {"mean": mean, "std": std, "step": STEP, "photographs": photographs}
Path(__file__).with_name("mb05.json").write_text(f"{json.dumps(found)}\n")
