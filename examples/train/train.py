"""Trains the demo's head-pose network on rendered heads and saves a PyTorch checkpoint.

A small DenseNet in torchvision's layout (torchvision itself is not needed) with three heads of 61 bins, 3 degrees each
from -90: cross-entropy over the bins plus regression on their expectation, as Hopenet does.

    node --import tsx examples/heads/main.ts --layout arrays --seed 100 --count 24000 --side 112 heads/train
    node --import tsx examples/heads/main.ts --layout arrays --seed 7 --count 1500 --side 112 heads/held-out
    SETS="--train heads/train --held-out heads/held-out"
    python examples/train/train.py $SETS --side 64 --epochs 16 --stop-after 7 --out first.pkl
    python examples/train/train.py $SETS --side 64 --epochs 3 --rate 2e-3 --start first.pkl --out second.pkl
    python examples/train/train.py $SETS --side 80 --epochs 3 --rate 2e-3 --start second.pkl --out heads.pkl

Small pictures first: they cost two thirds and teach nearly as much.

Needs torch and numpy. One machine, thread count and build of torch give the same weights for the same seed. After each
epoch the state goes to OUT.state, from which the same command goes on.
"""

import argparse
import math
import os
import time
from collections import OrderedDict

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

ANGLES = ("yaw", "pitch", "roll")
BINS, STEP, OFFSET = 61, 3.0, -90.0
MEAN = torch.tensor([0.485, 0.456, 0.406]).view(1, 3, 1, 1)
STD = torch.tensor([0.229, 0.224, 0.225]).view(1, 3, 1, 1)


class DenseLayer(nn.Module):
    def __init__(self, channels, growth, bottleneck):
        super().__init__()
        self.norm1 = nn.BatchNorm2d(channels)
        self.conv1 = nn.Conv2d(channels, bottleneck, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(bottleneck)
        self.conv2 = nn.Conv2d(bottleneck, growth, 3, padding=1, bias=False)

    def forward(self, x):
        y = self.conv1(F.relu(self.norm1(x)))
        return torch.cat([x, self.conv2(F.relu(self.norm2(y)))], 1)


class DenseNet(nn.Module):
    """Names and wiring of torchvision's DenseNet: `features.conv0` to `features.norm<blocks + 1>`, then the heads."""

    def __init__(self, first, growth, bottleneck, blocks):
        super().__init__()
        layers = OrderedDict()
        layers["conv0"] = nn.Conv2d(3, first, 7, stride=2, padding=3, bias=False)
        layers["norm0"] = nn.BatchNorm2d(first)
        layers["relu0"] = nn.ReLU()
        layers["pool0"] = nn.MaxPool2d(3, stride=2, padding=1)
        channels = first
        for index, depth in enumerate(blocks, start=1):
            block = OrderedDict()
            for layer in range(1, depth + 1):
                block[f"denselayer{layer}"] = DenseLayer(channels, growth, bottleneck)
                channels += growth
            layers[f"denseblock{index}"] = nn.Sequential(block)
            if index < len(blocks):
                transition = OrderedDict()
                transition["norm"] = nn.BatchNorm2d(channels)
                transition["relu"] = nn.ReLU()
                transition["conv"] = nn.Conv2d(channels, channels // 2, 1, bias=False)
                transition["pool"] = nn.AvgPool2d(2)
                layers[f"transition{index}"] = nn.Sequential(transition)
                channels //= 2
        layers[f"norm{len(blocks) + 1}"] = nn.BatchNorm2d(channels)
        self.features = nn.Sequential(layers)
        for angle in ANGLES:
            setattr(self, f"fc_{angle}", nn.Linear(channels, BINS))
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight)

    def forward(self, x):
        features = F.relu(self.features(x)).mean((2, 3))
        return torch.stack([getattr(self, f"fc_{angle}")(features) for angle in ANGLES], 1)


def angles_of(logits):
    """Expectation over the bins, degrees."""
    bins = torch.arange(BINS, dtype=torch.float32)
    return (torch.softmax(logits, 2) * bins).sum(2) * STEP + OFFSET


def load(folder):
    pictures = np.load(os.path.join(folder, "pictures.npy"), mmap_mode="r")
    return pictures, torch.from_numpy(np.load(os.path.join(folder, "poses.npy")))


def batch_of(pictures, rows):
    return torch.from_numpy(pictures[np.sort(rows)]).permute(0, 3, 1, 2).float() / 255


def augment(images, poses, side, random):
    """Random crops, mirror, colour, blur, noise and covered patches. Only the mirror changes a pose."""
    count = len(images)

    def uniform(low, high, *shape):
        return torch.rand(count, *shape, generator=random) * (high - low) + low

    mirrored = torch.rand(count, generator=random) < 0.5
    poses = torch.where(mirrored[:, None], poses * torch.tensor([-1.0, 1.0, -1.0]), poses)

    # A square of 0.78 to 1.05 of the picture's side, never stretched: that would change the pose.
    scale = uniform(0.78, 1.05)
    room = (1.05 - scale).clamp(min=0)
    theta = torch.zeros(count, 2, 3)
    theta[:, 0, 0] = torch.where(mirrored, -scale, scale)
    theta[:, 1, 1] = scale
    theta[:, 0, 2] = uniform(-1, 1) * room
    theta[:, 1, 2] = uniform(-1, 1) * room
    grid = F.affine_grid(theta, (count, 3, side, side), align_corners=False)
    images = F.grid_sample(images, grid, padding_mode="border", align_corners=False)

    if torch.rand((), generator=random) < 0.35:
        sigma = float(torch.rand((), generator=random)) * 1.1 + 0.3
        taps = torch.exp(-torch.arange(-2.0, 3.0) ** 2 / (2 * sigma**2))
        taps = (taps / taps.sum()).view(1, 1, 1, 5).expand(3, 1, 1, 5)
        images = F.conv2d(images, taps, padding=(0, 2), groups=3)
        images = F.conv2d(images, taps.transpose(2, 3), padding=(2, 0), groups=3)

    images = images * uniform(0.75, 1.3, 1, 1, 1) * uniform(0.9, 1.1, 3, 1, 1)
    middle = images.mean((1, 2, 3), keepdim=True)
    images = (images - middle) * uniform(0.75, 1.25, 1, 1, 1) + middle
    grey = images.mean(1, keepdim=True)
    images = grey + (images - grey) * uniform(0.3, 1.3, 1, 1, 1)
    images = images + torch.randn(images.shape, generator=random) * uniform(0, 0.02, 1, 1, 1)
    return images.clamp(0, 1), poses


def evaluate(model, pictures, poses, side):
    """Mean absolute error per angle on whole pictures, resized to the network's input."""
    model.eval()
    errors = []
    with torch.no_grad():
        for start in range(0, len(poses), 250):
            images = batch_of(pictures, np.arange(start, min(start + 250, len(poses))))
            images = F.interpolate(images, (side, side), mode="bilinear", antialias=True, align_corners=False)
            errors.append((angles_of(model((images - MEAN) / STD)) - poses[start : start + 250]).abs())
    model.train()
    return torch.cat(errors).mean(0)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--train", nargs="+", required=True)
    parser.add_argument("--held-out", required=True)
    parser.add_argument("--out", required=True)
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--stop-after", type=int, help="epochs after which to stop, the rate still high (default: all)")
    parser.add_argument("--side", type=int, default=80)
    parser.add_argument("--start", help="a checkpoint whose weights to begin with")
    parser.add_argument("--batch", type=int, default=48)
    parser.add_argument("--rate", type=float, default=3e-3)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.manual_seed(options.seed)

    sets = [load(folder) for folder in options.train]
    starts = np.cumsum([0] + [len(poses) for _, poses in sets])
    held_out = load(options.held_out)
    model = DenseNet(first=20, growth=16, bottleneck=48, blocks=(3, 4, 8, 8)).to(memory_format=torch.channels_last)
    if options.start:
        model.load_state_dict(torch.load(options.start, weights_only=True))
    # The average of the weights along the way is a better network than the last of them.
    average = torch.optim.swa_utils.AveragedModel(
        model, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(0.998), use_buffers=True
    )
    optimizer = torch.optim.AdamW(model.parameters(), lr=options.rate, weight_decay=1e-3)
    steps = options.epochs * (int(starts[-1]) // options.batch)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, options.rate, total_steps=steps, pct_start=0.15)
    print(f"{sum(p.numel() for p in model.parameters())} parameters, {starts[-1]} pictures, {steps} steps", flush=True)

    state_file = f"{options.out}.state"
    first_epoch = 0
    if os.path.exists(state_file):
        state = torch.load(state_file, weights_only=True)
        model.load_state_dict(state["model"])
        average.load_state_dict(state["average"])
        optimizer.load_state_dict(state["optimizer"])
        schedule.load_state_dict(state["schedule"])
        first_epoch = state["epoch"]

    for epoch in range(first_epoch, min(options.epochs, options.stop_after or options.epochs)):
        # Seeded anew for each epoch, so that going on from a saved state makes no difference.
        random = torch.Generator().manual_seed(options.seed * 1000 + epoch)
        order = torch.randperm(int(starts[-1]), generator=random).numpy()
        began = time.monotonic()
        for step in range(len(order) // options.batch):
            rows = np.sort(order[step * options.batch : (step + 1) * options.batch])
            parts = [(pictures, poses, rows[(rows >= a) & (rows < b)] - a) for (pictures, poses), a, b in zip(sets, starts, starts[1:])]
            images = torch.cat([batch_of(pictures, own) for pictures, _, own in parts if len(own)])
            poses = torch.cat([poses[own] for _, poses, own in parts if len(own)])
            images, poses = augment(images, poses, options.side, random)
            logits = model(((images - MEAN) / STD).contiguous(memory_format=torch.channels_last))
            bins = ((poses - OFFSET) / STEP).round().long().clamp(0, BINS - 1)
            entropy = F.cross_entropy(logits.flatten(0, 1), bins.flatten())
            regression = F.smooth_l1_loss(angles_of(logits), poses)
            loss = entropy + 0.2 * regression
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 5.0)
            optimizer.step()
            schedule.step()
            average.update_parameters(model)
            if step % 50 == 49:
                speed = (step + 1) * options.batch / (time.monotonic() - began)
                print(f"epoch {epoch} step {step + 1}: entropy {entropy.item():.3f}, regression {regression.item():.2f}, {speed:.0f} pictures/s", flush=True)
        state = {"model": model.state_dict(), "average": average.state_dict(), "epoch": epoch + 1}
        state |= {"optimizer": optimizer.state_dict(), "schedule": schedule.state_dict()}
        torch.save(state, f"{state_file}.new")
        os.replace(f"{state_file}.new", state_file)
        errors = evaluate(average.module, *held_out, options.side)
        print(f"epoch {epoch}: held-out error " + ", ".join(f"{n} {e:.2f}" for n, e in zip(ANGLES, errors)), flush=True)
        weights = OrderedDict((name, tensor.contiguous().clone()) for name, tensor in average.module.state_dict().items())
        torch.save(weights, f"{options.out}.new")
        os.replace(f"{options.out}.new", options.out)


if __name__ == "__main__":
    main()
