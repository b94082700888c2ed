"""Checkpoints as training scripts write them: one small network's weights beside whatever else is in such files.

    python make.py      # PyTorch 2.13 and NumPy 2.4; writes the files beside this one

The classes of libraries that are not needed for this (PyTorch Lightning, OmegaConf) are stand-ins of their names.
"""
import argparse
import collections
import copy
import datetime
import enum
import functools
import pathlib
import sys
import types
import uuid

import numpy as np
import torch
from torch import nn

folder = pathlib.Path(__file__).parent
torch.manual_seed(7)


class Block(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.conv1 = nn.Conv2d(width, width, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)

    def forward(self, x):
        y = torch.relu(self.bn1(self.conv1(x)))
        return torch.relu(self.bn2(self.conv2(y)) + x)


class Net(nn.Module):
    def __init__(self, width=2):
        super().__init__()
        self.conv1 = nn.Conv2d(3, width, 7, stride=2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.layer1 = nn.Sequential(Block(width))
        self.linear_reg = nn.Linear(width, 6)

    def forward(self, x):
        x = torch.max_pool2d(torch.relu(self.bn1(self.conv1(x))), 3, 2, 1)
        return self.linear_reg(self.layer1(x).mean((2, 3)))


def stand_in(name, base):
    """A class under the name of a library's."""
    module, _, last = name.rpartition(".")
    parts = module.split(".")
    for count in range(1, len(parts) + 1):
        sys.modules.setdefault(".".join(parts[:count]), types.ModuleType(".".join(parts[:count])))
    made = type(last, (base,), {"__module__": module})
    setattr(sys.modules[module], last, made)
    return made


AttributeDict = stand_in("pytorch_lightning.utilities.parsing.AttributeDict", dict)
ModelCheckpoint = stand_in("pytorch_lightning.callbacks.model_checkpoint.ModelCheckpoint", object)
DictConfig = stand_in("omegaconf.dictconfig.DictConfig", object)
Stage = enum.Enum("Stage", ["train", "test"])
Stage.__module__ = "project.config"
sys.modules.setdefault("project", types.ModuleType("project"))
sys.modules.setdefault("project.config", types.ModuleType("project.config"))
sys.modules["project.config"].Stage = Stage

net = Net().train()
optimizer = torch.optim.Adam(net.parameters(), lr=1e-3)
scheduler = torch.optim.lr_scheduler.MultiStepLR(optimizer, milestones=[3, 3, 9])
scaler = torch.amp.GradScaler("cpu")
for _ in range(2):
    optimizer.zero_grad()
    net(torch.randn(2, 3, 16, 16)).square().mean().backward()
    optimizer.step()
    scheduler.step()
net.eval()
weights = net.state_dict()
averaged = {name: tensor * 0.5 if tensor.is_floating_point() else tensor for name, tensor in weights.items()}
broken = copy.deepcopy(optimizer.state_dict())
broken["state"][0]["exp_avg"].fill_(float("nan"))

rng = {"torch": torch.get_rng_state(), "numpy": np.random.get_state(), "generator": torch.Generator().get_state()}
args = argparse.Namespace(lr=1e-3, data=pathlib.PurePosixPath("/data/300W_LP"), device=torch.device("cuda:0"), arch="r18")


def save(name, value, **options):
    torch.save(value, folder / name, **options)


save("plain.pth", weights)
# yakhyo/head-pose-estimation: last_checkpoint.ckpt
save("namespace.ckpt", {"epoch": 3, "model": weights, "optimizer": broken, "lr_scheduler": scheduler.state_dict(), "args": args})
save(
    "lightning.ckpt",
    {
        "epoch": 3,
        "global_step": 12,
        "pytorch-lightning_version": "1.9.5",
        "state_dict": collections.OrderedDict((f"model.{name}", tensor) for name, tensor in weights.items()),
        "loops": {"fit_loop": {"state_dict": {}, "epoch_progress": {"current": {"ready": 4}}}},
        "callbacks": {ModelCheckpoint: {"best_model_score": torch.tensor(0.5), "best": np.float64(0.5)}},
        "optimizer_states": [optimizer.state_dict()],
        "lr_schedulers": [scheduler.state_dict()],
        "hparams_name": "hparams",
        "hyper_parameters": AttributeDict(criterion=nn.MSELoss(), config=DictConfig(), activation=functools.partial(torch.nn.functional.relu)),
    },
)
save(
    "everything.pt",
    {
        "state_dict": weights,
        "scaler": scaler.state_dict(),
        "scheduler": scheduler.state_dict(),
        "rng": rng,
        "best": np.float32(1.5),
        "errors": np.arange(6.0).reshape(2, 3),
        "when": datetime.datetime(2024, 5, 17, 12, tzinfo=datetime.timezone.utc),
        "took": datetime.timedelta(hours=3),
        "stage": Stage.train,
        "dtype": torch.float32,
        "seen": {1, 2, 3},
        "kept": frozenset({"a"}),
        "history": collections.defaultdict(list, loss=[0.5, 0.25]),
        "last": collections.deque([1, 2], maxlen=2),
        "counts": collections.Counter(a=2),
        "id": uuid.UUID(int=5),
        "z": 2 + 3j,
        "window": slice(1, 2),
        "spectrum": torch.zeros(2, dtype=torch.complex64),
        "eight": torch.zeros(2, dtype=torch.float8_e4m3fn),
        "mask": torch.eye(2).to_sparse(),
    },
)
# The same data in the format and protocol of old files, and in the newest protocol.
save("everything_legacy.pt", torch.load(folder / "everything.pt", weights_only=False), _use_new_zipfile_serialization=False)
save("everything_protocol5.pt", torch.load(folder / "everything.pt", weights_only=False), pickle_protocol=5)
save("defaultdict.pth", collections.defaultdict(dict, model=weights))
save("averaged.pth", {"ema": {"decay": 0.999, "state_dict": averaged}, "network": weights, "optimizer": optimizer.state_dict()})


class Noted(nn.Parameter):
    pass


class Marked(torch.Tensor):
    pass


Noted.__module__ = Marked.__module__ = "project.config"
Noted.__qualname__, Marked.__qualname__ = "Noted", "Marked"
sys.modules["project.config"].Noted, sys.modules["project.config"].Marked = Noted, Marked
subclassed = collections.OrderedDict(weights)
subclassed["conv1.weight"] = Noted(weights["conv1.weight"].clone())
subclassed["linear_reg.bias"] = weights["linear_reg.bias"].clone().as_subclass(Marked)
subclassed["bn1.weight"] = nn.Parameter(weights["bn1.weight"].clone())
subclassed["bn1.weight"].note = "kept"
save("subclasses.pth", subclassed)
# Buffers that no layer of a network reads.
save("buffers.pth", {**weights, "index": torch.arange(4), "mask": torch.ones(2, dtype=torch.bool), "wild": torch.tensor([float("nan")])})
whole = Net().eval()
Net.__module__ = Block.__module__ = "project.config"
sys.modules["project.config"].Net, sys.modules["project.config"].Block = Net, Block
save("whole_model.pt", whole)
save("whole_model_in_dict.pt", {"epoch": 1, "model": whole, "ema": None})


def with_weight(name, tensor):
    return {**weights, name: tensor}


weight = weights["conv1.weight"]
save("float8.pth", with_weight("conv1.weight", weight.to(torch.float8_e4m3fn)))
save("quantised.pth", with_weight("conv1.weight", torch.quantize_per_tensor(weight, 0.1, 0, torch.qint8)))
save("per_channel.pth", with_weight("conv1.weight", torch.quantize_per_channel(weight, torch.ones(2), torch.zeros(2), 0, torch.qint8)))
save("sparse.pth", with_weight("linear_reg.weight", weights["linear_reg.weight"].to_sparse()))
save("sparse_rows.pth", with_weight("linear_reg.weight", weights["linear_reg.weight"].to_sparse_csr()))
save("meta.pth", with_weight("conv1.weight", weight.to("meta")))
save("complex.pth", with_weight("conv1.weight", weight.to(torch.complex64)))
save("int8.pth", with_weight("conv1.weight", (weight * 100).to(torch.int8)))
save("int8_bias.pth", with_weight("linear_reg.bias", (weights["linear_reg.bias"] * 100).to(torch.int8)))
nested = torch.nested.nested_tensor([torch.zeros(2), torch.zeros(3)])
save("nested.pth", with_weight("linear_reg.weight", nested))
dynamic = torch.ao.quantization.quantize_dynamic(Net(), {nn.Linear}, dtype=torch.qint8)
save("dynamic.pth", dynamic.state_dict())
