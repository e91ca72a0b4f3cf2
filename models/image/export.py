"""Writes trained weights as ONNX: normalisations folded into the convolutions, mean, deviation and unit length inside the graph.

    python export.py tower.npz tower.onnx
Input  `picture`: float32 (batch, 3, 64, 64) in 0..1.  Output `embedding`: float32 (batch, 128), each of length 1.
"""

import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from tower import DEVIATION, DIMENSIONS, MEAN, SIZE_PX, Tower


class Graph:
    def __init__(self):
        self.nodes, self.constants = [], []

    def constant(self, name, value, kind=np.float32):
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(value, kind), name))
        return name

    def node(self, operator, inputs, output, **attributes):
        self.nodes.append(helper.make_node(operator, inputs, [output], name=output, **attributes))
        return output

    def convolution(self, x, layer):
        weight, bias = layer.folded()
        inputs = [x, self.constant(f"{layer.name}.weight", weight), self.constant(f"{layer.name}.bias", bias)]
        border = [layer.kernel // 2] * 4
        return self.node("Conv", inputs, layer.name, kernel_shape=[layer.kernel] * 2, strides=[layer.stride] * 2, pads=border)


def exported(tower):
    graph = Graph()
    x = graph.node("Sub", ["picture", graph.constant("mean", MEAN)], "centred")
    x = graph.node("Div", [x, graph.constant("deviation", DEVIATION)], "scaled")
    x = graph.node("Relu", [graph.convolution(x, tower.stem)], "stem.relu")
    for i, (first, second, skip) in enumerate(tower.blocks):
        through = graph.node("Relu", [graph.convolution(x, first)], f"{first.name}.relu")
        through = graph.convolution(through, second)
        around = graph.convolution(x, skip) if skip is not None else x
        x = graph.node("Relu", [graph.node("Add", [through, around], f"block{i}.sum")], f"block{i}.relu")
    average, largest = graph.node("GlobalAveragePool", [x], "average"), graph.node("GlobalMaxPool", [x], "largest")
    x = graph.node("Flatten", [graph.node("Concat", [average, largest], "pooled", axis=1)], "features", axis=1)
    head = [x, graph.constant("head.weight", tower.head.numpy()), graph.constant("head.bias", tower.head_bias.numpy())]
    x = graph.node("Gemm", head, "head")
    length = graph.node("ReduceL2", [x], "length", axes=[1], keepdims=1)
    graph.node("Div", [x, graph.node("Max", [length, graph.constant("least", 1e-6)], "divisor")], "embedding")
    picture = helper.make_tensor_value_info("picture", TensorProto.FLOAT, ["batch", 3, SIZE_PX, SIZE_PX])
    embedding = helper.make_tensor_value_info("embedding", TensorProto.FLOAT, ["batch", DIMENSIONS])
    body = helper.make_graph(graph.nodes, "image-tower", [picture], [embedding], graph.constants)
    model = helper.make_model(body, opset_imports=[helper.make_opsetid("", 17)], producer_name="chimera")
    model.ir_version = 8
    onnx.checker.check_model(model, full_check=True)
    return model


if __name__ == "__main__":
    weights, out = sys.argv[1:]
    model = exported(Tower().load(weights))
    onnx.save(model, out)
    print(f"{out}: {model.ByteSize() / 1e6:.2f} MB")
