"""Names of the image networks that `frames.py` builds. Importing it does not import torch."""

from __future__ import annotations

BACKBONES = {
    "none": 0,
    "small": 160,
    "squeezenet1_0": 512,
    "squeezenet1_1": 512,
    "mobilenet_v2": 1280,
    "mobilenet_v3_small": 576,
    "mobilenet_v3_large": 960,
    "efficientnet_b0": 1280,
    "convnext_tiny": 768,
    "resnet18": 512,
    "resnet34": 512,
    "resnet50": 2048,
    "vgg16": 512,
}
"""Features of each network: torchvision's by their names there, our own small one, and none at all."""
