"""Outputs of the golden networks as angles in degrees, differentiable. Formulas by their sources, not by headlight's."""

import math

import torch

ANGLES = ("yaw", "pitch", "roll")


def binned(outputs, names, step, offset):
    """The expected angle over the bins: Ruiz et al. 2018, arXiv 1710.00925."""
    angles = {}
    for angle, name in zip(ANGLES, names, strict=True):
        logits = outputs[name]
        centres = torch.arange(logits.shape[1], dtype=logits.dtype) * step + offset
        angles[angle] = (torch.softmax(logits, 1) * centres).sum(1)
    return angles


def rotation6d(outputs, name):
    """6DRepNet, sixdrepnet/utils.py: two columns of a rotation made orthogonal; R = Rz(roll) Ry(yaw) Rx(pitch)."""
    numbers = outputs[name]
    a, b = numbers[:, 0:3], numbers[:, 3:6]
    x = a / a.norm(dim=1, keepdim=True)
    z = torch.linalg.cross(x, b)
    z = z / z.norm(dim=1, keepdim=True)
    y = torch.linalg.cross(z, x)
    across = torch.sqrt(x[:, 0] ** 2 + x[:, 1] ** 2)
    return degrees(torch.atan2(-x[:, 2], across), torch.atan2(y[:, 2], z[:, 2]), torch.atan2(x[:, 1], x[:, 0]))


def matrix(outputs, name):
    """A rotation of nine numbers, row by row; R = Rz(roll) Ry(yaw) Rx(pitch)."""
    m = outputs[name].reshape(-1, 3, 3)
    across = torch.sqrt(m[:, 0, 0] ** 2 + m[:, 1, 0] ** 2)
    return degrees(
        torch.atan2(-m[:, 2, 0], across), torch.atan2(m[:, 2, 1], m[:, 2, 2]), torch.atan2(m[:, 1, 0], m[:, 0, 0])
    )


def pose3dmm(outputs, name, mean, std):
    """
    3DDFA_V2's whitened numbers: the first twelve are a scaled rotation of three rows with the translation as a fourth
    column. The angles are those of the labels of 300W-LP (RotationMatrix.m: R = Rx Ry Rz, left-handed in y and z).
    """
    numbers = outputs[name]
    rows = (numbers[:, :12] * numbers.new_tensor(std) + numbers.new_tensor(mean)).reshape(-1, 3, 4)
    r0 = rows[:, 0, :3] / rows[:, 0, :3].norm(dim=1, keepdim=True)
    r1 = rows[:, 1, :3] / rows[:, 1, :3].norm(dim=1, keepdim=True)
    r2 = torch.linalg.cross(r0, r1)
    yaw = torch.atan2(-r0[:, 2], torch.sqrt(r1[:, 2] ** 2 + r2[:, 2] ** 2))
    return degrees(yaw, torch.atan2(r1[:, 2], r2[:, 2]), torch.atan2(r0[:, 1], r0[:, 0]))


def degrees(yaw, pitch, roll):
    return {"yaw": yaw * 180 / math.pi, "pitch": pitch * 180 / math.pi, "roll": roll * 180 / math.pi}
