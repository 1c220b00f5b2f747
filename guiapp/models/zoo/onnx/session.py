"""Opens ONNX files with onnxruntime: data, no code. Operators that ONNX does not have are refused."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from guiapp.core.notices import UserError


def open_session(path: Path, threads: int, cuda: bool = False) -> Any:
    """An ``onnxruntime.InferenceSession``.

    Args:
        path: The file.
        threads: Threads of an operation.
        cuda: Whether to use a GPU where this onnxruntime can.

    Raises:
        UserError: If onnxruntime is not installed, or the file is missing, damaged, or needs code from elsewhere.
    """
    try:
        import onnxruntime
    except ImportError:
        raise UserError('ONNX files need onnxruntime, which is not installed: pip install "guiapp[onnx]"') from None
    if not path.is_file():
        raise UserError(f"there is no ONNX file {path}")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = max(1, threads), 1
    options.log_severity_level = 4
    # Threads that wait for each other awake within a run make YOLOX-nano 1.7 times as fast (7.5 against 12.8 ms on two
    # cores); after it they would take the cores from the window and from a network that trains.
    options.add_session_config_entry("session.force_spinning_stop", "1")
    providers = ["CPUExecutionProvider"]
    if cuda and "CUDAExecutionProvider" in onnxruntime.get_available_providers():
        providers.insert(0, "CUDAExecutionProvider")
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=providers)
    except Exception as error:  # noqa: BLE001 - its exceptions have no common class but this
        raise UserError(_refusal(path, str(error))) from None


def _refusal(path: Path, text: str) -> str:
    foreign = re.search(r"([\w.]+:\w+)\(-?\d+\) is not a registered function/op", text) or re.search(
        r"No Op registered for (\w+) with domain_version", text
    )
    if foreign:
        return (
            f"{path.name} needs the operator {foreign[1]}, which this onnxruntime does not have; code for operators is "
            "not loaded from elsewhere: export the network with standard operators"
        )
    if "external data" in text.lower() or "external_data" in text.lower():
        return f"{path.name} keeps its weights in another file that is missing or not beside it: put that file there"
    if "opset" in text.lower() and "support" in text.lower():
        return f"{path.name} is written for a newer ONNX than this onnxruntime knows: update onnxruntime"
    reason = " ".join(text.rpartition(" : ")[2].split())[:120]
    return f"{path} is damaged or not an ONNX file ({reason}): copy or fetch it again"
