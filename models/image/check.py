"""Checks an exported tower against the trained weights, and writes the vector that the Rust tests compare with.

    python check.py tower.npz PICTURE.jpg FIXTURE.json
Runs the TensorFlow network, not the ONNX graph, so that both the export and the Rust preparation are under test.
"""

import json
import sys

from pictures import cropped, loaded
from tower import Tower

if __name__ == "__main__":
    weights, picture, out = sys.argv[1:]
    vector = Tower().load(weights)(cropped(loaded(picture)[None])).numpy()[0]
    with open(out, "w") as file:
        json.dump([round(float(number), 6) for number in vector], file)
        file.write("\n")
