"""ONNX files as networks: what a description beside a file says, and the run by onnxruntime. Imports neither."""

from guiapp.models.zoo.onnx.description import Description, read_description
from guiapp.models.zoo.onnx.listing import BUILT_IN, OnnxModel, described_files, of_file

__all__ = ["BUILT_IN", "Description", "OnnxModel", "described_files", "of_file", "read_description"]
