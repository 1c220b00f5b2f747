"""Small ONNX graphs for tests."""

import onnx
from onnx import TensorProto, helper


def save(path, nodes, inputs, outputs, values=(), opset=13, domain=""):
    """Write a graph; ``inputs`` and ``outputs`` are names with shapes, ``values`` names with arrays."""
    graph = helper.make_graph(
        nodes,
        "test",
        [helper.make_tensor_value_info(name, kind, shape) for name, shape, kind in inputs],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in outputs],
        [onnx.numpy_helper.from_array(array, name) for name, array in values],
    )
    imports = [helper.make_opsetid("", opset), *([helper.make_opsetid(domain, 1)] if domain else [])]
    onnx.save(helper.make_model(graph, opset_imports=imports, ir_version=8), path)


def constant(path, shape, outputs, node_input="picture"):
    """A graph that gives fixed arrays by name, whatever the picture of this shape (its sum times zero is added)."""
    nodes = [
        helper.make_node("ReduceSum", [node_input], ["sum"], keepdims=0),
        helper.make_node("Mul", ["sum", "nothing"], ["zero"]),
    ]
    import numpy as np

    values = [("nothing", np.zeros((), np.float32))]
    for name, array in outputs.items():
        values.append((f"fixed-{name}", array.astype(np.float32)))
        nodes.append(helper.make_node("Add", [f"fixed-{name}", "zero"], [name]))
    shapes = [(name, array.shape) for name, array in outputs.items()]
    save(path, nodes, [(node_input, shape, TensorProto.FLOAT)], shapes, values)


def mean_of_channels(path, height, width, layout="NCHW", kind=TensorProto.FLOAT):
    """Depth that is the mean over the channels of each pixel, (1, height, width)."""
    shape, axis = ([1, 3, height, width], 1) if layout == "NCHW" else ([1, height, width, 3], 3)
    nodes = [
        helper.make_node("Cast", ["picture"], ["numbers"], to=TensorProto.FLOAT),
        helper.make_node("ReduceMean", ["numbers"], ["depth"], axes=[axis], keepdims=0),
    ]
    save(path, nodes, [("picture", shape, kind)], [("depth", [1, height, width])])
