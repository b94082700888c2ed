"""PyTorch beside headlight's engines: guided backpropagation of a DenseNet with pose heads, read from a safetensors file.

Reads one request of JSON a line and answers with one:

  {"do": "facts"}
  {"do": "open", "network": PATH, "kind": "eager" | "compiled", "batch": N, "tf32": BOOL}
  {"do": "measure", "seconds": S}                ms per image, largest memory in MB
  {"do": "free"}                                 gives the device's memory back
  {"do": "truth", "network": PATH, "pixels": PATH, "count": N, "gradient": PATH}
                                                 float64 gradients into a file, angles, error of PyTorch's own float32

Eager PyTorch is given every advantage: parameters frozen, channels last, cuDNN's search for the fastest kernels, images
already normalised and on the device, no map to draw.
"""

import json
import struct
import sys
import time

import torch
from torch.nn import functional as F

DEVICE = "cuda" if torch.cuda.is_available() else "cpu"
MEAN, STD = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]


def tensors_of(path):
    """The safetensors format: eight bytes of length, a header of JSON, the numbers."""
    with open(path, "rb") as file:
        data = bytearray(file.read())
    (length,) = struct.unpack_from("<Q", data)
    header = json.loads(data[8 : 8 + length])
    found = {}
    for name, entry in header.items():
        if name == "__metadata__":
            continue
        start, end = entry["data_offsets"]
        numbers = torch.frombuffer(data, dtype=torch.float32, offset=8 + length + start, count=(end - start) // 4)
        found[name] = numbers.reshape(entry["shape"]).clone()
    return found


class GuidedReLU(torch.autograd.Function):
    """The cheapest guided ReLU that eager PyTorch offers: its own masked backward kernel over the clamped gradient."""

    @staticmethod
    def forward(ctx, x):
        y = torch.relu(x)
        ctx.save_for_backward(y)
        return y

    @staticmethod
    def backward(ctx, gradient):
        (y,) = ctx.saved_tensors
        return torch.ops.aten.threshold_backward(gradient.clamp(min=0), y, 0)


class HeadPose(torch.nn.Module):
    """DenseNet (Huang et al. 2017) in torchvision's names, of any depth and width, with linear heads of 61 bins."""

    def __init__(self, tensors, dtype):
        super().__init__()
        self.names = {}
        for name, value in tensors.items():
            layout = torch.channels_last if value.dim() == 4 else torch.contiguous_format
            self.names[name] = name.replace(".", "_")
            self.register_buffer(self.names[name], value.to(DEVICE, dtype).contiguous(memory_format=layout))
        self.register_buffer("bins", torch.arange(61, device=DEVICE, dtype=dtype))

    def tensor(self, name):
        return getattr(self, self.names[name])

    def has(self, name):
        return name in self.names

    def norm_relu(self, x, name):
        parts = [self.tensor(f"{name}.{part}") for part in ("running_mean", "running_var", "weight", "bias")]
        return GuidedReLU.apply(F.batch_norm(x, *parts, False, 0.0, 1e-5))

    def forward(self, x):
        x = F.conv2d(x, self.tensor("features.conv0.weight"), stride=2, padding=3)
        x = F.max_pool2d(self.norm_relu(x, "features.norm0"), 3, 2, 1)
        block = 1
        while self.has(f"features.denseblock{block}.denselayer1.conv1.weight"):
            features, layer = [x], 1
            while self.has(f"features.denseblock{block}.denselayer{layer}.conv1.weight"):
                name = f"features.denseblock{block}.denselayer{layer}"
                y = F.conv2d(self.norm_relu(torch.cat(features, 1), f"{name}.norm1"), self.tensor(f"{name}.conv1.weight"))
                y = F.conv2d(self.norm_relu(y, f"{name}.norm2"), self.tensor(f"{name}.conv2.weight"), padding=1)
                features.append(y)
                layer += 1
            x = torch.cat(features, 1)
            name = f"features.transition{block}"
            if self.has(f"{name}.conv.weight"):
                x = F.avg_pool2d(F.conv2d(self.norm_relu(x, f"{name}.norm"), self.tensor(f"{name}.conv.weight")), 2)
            block += 1
        y = self.norm_relu(x, "features.norm5").mean((2, 3))
        heads = [(self.tensor(f"fc_{name}.weight"), self.tensor(f"fc_{name}.bias")) for name in ("yaw", "pitch", "roll")]
        logits = [F.linear(y, weight, bias) for weight, bias in heads]
        return torch.stack([(torch.softmax(one, 1) * self.bins).sum(1) * 3 - 90 for one in logits])


def synchronised():
    if DEVICE == "cuda":
        torch.cuda.synchronize()


class Contender:
    def __init__(self):
        self.once = None
        self.batch = 0

    def facts(self, _):
        on = torch.cuda.get_device_name() if DEVICE == "cuda" else "the CPU"
        facts = {"torch": torch.__version__, "device": on, "threads": torch.get_num_threads()}
        if DEVICE == "cuda":
            facts["cudnn"], facts["cuda"] = torch.backends.cudnn.version(), torch.version.cuda
        return facts

    def open(self, o):
        self.once = None
        self.free()
        torch.backends.cudnn.benchmark = True
        self.allow_tf32(o["tf32"])
        model = HeadPose(tensors_of(o["network"]), torch.float32)
        forward = torch.compile(model) if o["kind"] == "compiled" else model
        self.batch = o["batch"]
        image = torch.randn(self.batch, 3, 224, 224, device=DEVICE).contiguous(memory_format=torch.channels_last)
        image.requires_grad_(True)

        def once():
            torch.autograd.grad(forward(image).sum(), image)

        if DEVICE == "cuda":
            torch.cuda.reset_peak_memory_stats()
        started = time.perf_counter()
        # Compiles, and lets cuDNN choose.
        for _ in range(2 if DEVICE == "cpu" else 4):
            once()
        synchronised()
        self.once = once
        return {"ms": (time.perf_counter() - started) * 1000}

    def measure(self, o):
        synchronised()
        started, calls = time.perf_counter(), 0
        while calls == 0 or time.perf_counter() - started < o["seconds"]:
            # Several at a time, so that the device is not waited for after each.
            for _ in range(1 if DEVICE == "cpu" else 4):
                self.once()
                calls += 1
            synchronised()
        memory = torch.cuda.max_memory_reserved() / 1e6 if DEVICE == "cuda" else None
        return {"msPerImage": (time.perf_counter() - started) * 1000 / calls / self.batch, "memoryMb": memory}

    def truth(self, o):
        self.once = None
        self.free()
        self.allow_tf32(False)
        with open(o["pixels"], "rb") as file:
            pixels = torch.frombuffer(bytearray(file.read()), dtype=torch.uint8).reshape(o["count"], 224, 224, 3)
        tensors = tensors_of(o["network"])
        exact, angles = self.gradient(tensors, pixels, torch.float64)
        own, _ = self.gradient(tensors, pixels, torch.float32)
        error = ((own.double() - exact).flatten(1).norm(dim=1) / exact.flatten(1).norm(dim=1)).tolist()
        with open(o["gradient"], "wb") as file:
            file.write(exact.float().numpy().tobytes())
        return {"angles": angles.t().tolist(), "float32Error": error, "norm": exact.flatten(1).norm(dim=1).tolist()}

    def gradient(self, tensors, pixels, dtype):
        mean, std = (torch.tensor(values, dtype=dtype, device=DEVICE).reshape(3, 1, 1) for values in (MEAN, STD))
        image = ((pixels.to(DEVICE).permute(0, 3, 1, 2).to(dtype) / 255 - mean) / std).requires_grad_(True)
        angles = HeadPose(tensors, dtype)(image)
        (gradient,) = torch.autograd.grad(angles.sum(), image)
        return gradient.contiguous().cpu(), angles.detach().cpu()

    def allow_tf32(self, allowed):
        torch.backends.cuda.matmul.allow_tf32 = allowed
        torch.backends.cudnn.allow_tf32 = allowed

    def free(self, _=None):
        self.once = None
        torch._dynamo.reset()
        if DEVICE == "cuda":
            torch.cuda.empty_cache()
        return {}


def main():
    contender = Contender()
    answers = {name: getattr(contender, name) for name in ("facts", "open", "measure", "free", "truth")}
    for line in sys.stdin:
        request = json.loads(line)
        try:
            answer = answers[request["do"]](request)
        except Exception as error:  # Whatever it is, the next request may still be answered.
            said = [line.strip() for line in f"{type(error).__name__}: {error}".splitlines() if line.strip() and not line.startswith("Set TORCHDYNAMO")]
            answer = {"error": " / ".join(said[:3])[:400]}
        print(json.dumps(answer), flush=True)


main()
