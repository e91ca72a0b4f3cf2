"""Reads a folder drawn by `cargo run --release -p chimera-models --example draw -- set ...`."""

import csv
import os

import numpy as np
from PIL import Image

from tower import LOAD_PX, SIZE_PX


def loaded(path):
    """One picture as the tower takes it before cropping: uint8 (LOAD_PX, LOAD_PX, 3)."""
    picture = Image.open(path).convert("RGB")
    return np.asarray(picture.resize((LOAD_PX, LOAD_PX), Image.BILINEAR) if picture.size != (LOAD_PX, LOAD_PX) else picture)


def cropped(pictures):
    """The middle of each, float32 in 0..1."""
    edge = (LOAD_PX - SIZE_PX) // 2
    return pictures[:, edge : edge + SIZE_PX, edge : edge + SIZE_PX].astype(np.float32) / 255.0


class Folder:
    def __init__(self, folder):
        with open(os.path.join(folder, "manifest.csv"), newline="") as file:
            self.rows = list(csv.DictReader(file))
        self.pixels = np.stack([loaded(os.path.join(folder, row["path"])) for row in self.rows])
        column = lambda name: np.array([row[name] for row in self.rows])
        self.product, self.design = column("product").astype(int), column("design").astype(int)
        self.studio, self.train = column("kind") == "studio", column("split") == "train"
