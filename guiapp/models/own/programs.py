"""Files that are programs: TorchScript and torch.export, looked through before they are loaded; Python, if allowed.

Loading either of the first two can do more than load: ``torch.export.load`` falls back to unpickling anything, and
evaluates the expressions for sizes as Python; TorchScript knows operations that read and write files. What such a file
would run is read first, as text, and refused where it is more than arithmetic on tensors.
"""

from __future__ import annotations

import ast
import contextlib
import io
import json
import logging
import re
import warnings
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import nn

from guiapp.core.compiler import load_whole
from guiapp.core.notices import UserError
from guiapp.models.own.running import called
from guiapp.models.zoo.weights import refuse_bomb

_NAMESPACES = ("torch.ops.aten.", "torch.ops.torchvision.", "torch.ops.higher_order.", "torch.ops.prim.")
_PLAIN = re.compile(
    r"(_operator\.(add|sub|mul|truediv|floordiv|mod|pow|neg|getitem|eq|ne|lt|le|gt|ge|and_|or_|not_)"
    r"|math\.(ceil|floor|trunc|sqrt)|torch\.sym_\w+)$"
)
_FILES = re.compile(r"\b(from_file|save|load|_pickle\w*|import_ir_module|open|exec|eval|system|popen)\b")
_CALLS = re.compile(r"\btorch\.(from_file|save|load\w*|_C\w*)\s*\(|\bops\.(?!prim\.|aten\.|torchvision\.)\w+\.")
_SYMBOL = re.compile(r"(?:[suz]|zuf|zf)\d+$")
_SIZE_WORDS = """
    Symbol Integer Rational Float Add Mul Pow Max Min Mod Abs PythonMod FloorDiv CeilDiv CleanDiv ModularIndexing
    TrueDiv IntTrueDiv FloatTrueDiv FloorToInt CeilToInt RoundToInt TruncToInt TruncToFloat ToFloat PowByNatural
    FloatPow Eq Ne Lt Le Gt Ge Equality Unequality StrictLessThan LessThan StrictGreaterThan GreaterThan And Or Not
    Piecewise Where Identity floor ceiling true false L
"""
"""What expressions for sizes are made of."""
_WORDS = frozenset(_SIZE_WORDS.split())
_ATTRIBUTES = frozenset(("size", "shape", "stride", "ndim", "dim", "storage_offset", "numel"))
_NODES = (
    *(ast.Expression, ast.Call, ast.keyword, ast.Constant, ast.Name, ast.Load, ast.Attribute, ast.Subscript, ast.Tuple),
    *(ast.BinOp, ast.UnaryOp, ast.BoolOp, ast.Compare, ast.operator, ast.unaryop, ast.boolop, ast.cmpop),
)
_MOST_TEXT = 64_000_000  # bytes of what is read as text: a program's, not its weights'


def load_script(path: Path) -> nn.Module:
    """A TorchScript file, on the CPU, in evaluation mode.

    Raises:
        UserError: If it is damaged, or would do more than compute.
    """
    with _archive(path) as archive:
        for name in archive.namelist():
            if "/code/" in name and name.endswith(".py"):
                found = _CALLS.search(_text(archive, name, path))
                if found:
                    raise UserError(
                        f"{path.name} is not opened: its code calls {found[0].strip(' (')}, beyond arithmetic"
                    )
    with _quiet(path, "a TorchScript file"):
        module: nn.Module = torch.jit.load(str(path), map_location="cpu")  # type: ignore[no-untyped-call]
    for parameter in module.parameters():
        parameter.requires_grad_(False)
    return module.eval()


def load_program(path: Path) -> tuple[nn.Module, tuple[int, ...] | None]:
    """A ``torch.export`` program, with its modules under their names.

    Returns:
        The module, and the shape of its input with the batch: sizes that may change are given as 0.

    Raises:
        UserError: If it is damaged, would do more than compute, or takes something else than one tensor.
    """
    _check_program(path)
    with _quiet(path, "a torch.export program"):
        load_whole()
        program = torch.export.load(str(path))
        inputs = [
            node.meta["val"]
            for node in program.graph.nodes
            if node.op == "placeholder" and node.name in program.graph_signature.user_inputs
        ]
        module: nn.Module = torch.export.unflatten(program)
    if len(inputs) != 1 or not isinstance(inputs[0], torch.Tensor):
        raise UserError(f"{path.name} takes {len(inputs)} inputs: a network of pictures takes one tensor")
    shape = tuple(size if isinstance(size, int) else 0 for size in inputs[0].shape)
    return module.requires_grad_(False), shape


def _check_program(path: Path) -> None:
    """Refuse what would run other code than operations on tensors, by reading the archive alone."""
    with _archive(path) as archive:
        names, pickled = archive.namelist(), set()
        if not any(name.endswith(".json") and "/models/" in name for name in names):
            raise UserError(f"{path.name} is no torch.export program of torch 2.8 or newer: save it again")
        for name in names:
            if name.endswith(".json") and "/extra/" not in name:
                try:
                    pickled |= _check_graph(json.loads(_text(archive, name, path)), path)
                except (ValueError, RecursionError):
                    raise UserError(f"{path.name} is damaged: {name} cannot be read") from None
            elif "custom_obj" in name or "opaque" in name or name.endswith((".so", ".cpp", ".pkl", ".py")):
                raise UserError(f"{path.name} is not opened: {name} in it is code")
        for name in names:
            if name.endswith(".pt") or name.rpartition("/")[2] in pickled:
                _check_tensors(archive, name, path)


def _check_tensors(archive: zipfile.ZipFile, name: str, path: Path) -> None:
    """Refuse what is not plain tensors: it would be unpickled whatever it is."""
    if not archive.getinfo(name).file_size:
        return
    try:
        torch.load(io.BytesIO(archive.read(name)), "cpu", weights_only=True)
    except Exception:  # noqa: BLE001 - whatever cannot be read like this may run code
        raise UserError(f"{path.name} is not opened: {name} in it holds more than tensors and could run code") from None


def _check_graph(found: Any, path: Path) -> set[str]:
    """Look at every operation that is called and every expression that would be evaluated; names of pickled tensors."""
    pickled = set()
    stack = [found]
    while stack:
        item = stack.pop()
        if isinstance(item, list):
            stack += item
        if not isinstance(item, dict):
            continue
        target, guards = item.get("target"), item.get("guards_code") or ()
        if item.get("use_pickle"):
            pickled.add(str(item.get("path_name")))
        if isinstance(target, str) and "inputs" in item and not _is_arithmetic(target):
            raise UserError(f"{path.name} is not opened: it calls {target[:60]}, which is no operation on tensors")
        for expression in (item.get("expr_str"), *(guards if isinstance(guards, list) else (guards,))):
            if expression is not None and not _is_size(expression):
                raise UserError(f"{path.name} is not opened: a size in it is code: {str(expression)[:60]}")
        stack += item.values()
    return pickled


def _is_arithmetic(target: str) -> bool:
    if _FILES.search(target.replace(".", " ")):
        return False
    return target.startswith(_NAMESPACES) or bool(_PLAIN.match(target))


def _is_size(expression: Any) -> bool:
    """Whether a text is arithmetic on sizes and nothing else: it is evaluated as Python."""
    try:
        tree = ast.parse(str(expression), mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    for node in ast.walk(tree):
        if not isinstance(node, _NODES):
            return False
        if isinstance(node, ast.Name) and node.id not in _WORDS and not _SYMBOL.match(node.id):
            return False
        if isinstance(node, ast.Attribute) and node.attr not in _ATTRIBUTES:
            return False
        if isinstance(node, ast.Constant) and isinstance(node.value, str | bytes) and not _is_name(node.value):
            return False
    return True


def _is_name(text: str | bytes) -> bool:
    return isinstance(text, str) and bool(re.fullmatch(r"[A-Za-z]\w{0,60}", text)) and "__" not in text


def functions_of(path: Path) -> list[str]:
    """Functions and classes of a Python file that can be called without arguments; read, not run.

    Raises:
        UserError: If it is no Python.
    """
    try:
        tree = ast.parse(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror or error}") from None
    except (SyntaxError, ValueError, RecursionError) as error:
        raise UserError(f"{path.name} is no Python that can be read: {' '.join(str(error).split())[:120]}") from None
    found = []
    for item in tree.body:
        if isinstance(item, ast.FunctionDef) and not item.name.startswith("_") and _needs_nothing(item, 0):
            found.append(item.name)
        elif isinstance(item, ast.ClassDef) and any("Module" in ast.unparse(base) for base in item.bases):
            starts = [part for part in item.body if isinstance(part, ast.FunctionDef) and part.name == "__init__"]
            if not starts or _needs_nothing(starts[0], 1):
                found.append(item.name)
    usual = ("build", "make", "model", "network", "net", "create", "get")
    return sorted(found, key=lambda name: not name.lower().startswith(usual))


def _needs_nothing(function: ast.FunctionDef, self: int) -> bool:
    given = function.args
    needed = len(given.posonlyargs) + len(given.args) - len(given.defaults) - self
    return needed <= 0 and all(default is not None for default in given.kw_defaults)


def run_python(path: Path, function: str) -> nn.Module:
    """Run a Python file and call the function that gives the network. Only after the person has said so.

    Args:
        path: The file.
        function: Its name; empty takes the first of ``functions_of``.

    Raises:
        UserError: If it fails, or gives something else.
    """
    names = functions_of(path)
    name = function or (names[0] if names else "")
    if not name:
        raise UserError(f"{path.name} has no function without arguments that could give a network: write one")
    made = called(path, name, names)
    if not isinstance(made, nn.Module):
        raise UserError(f"{name} of {path.name} gives {type(made).__name__}, not a torch.nn.Module")
    try:
        return made.eval().requires_grad_(False)
    except Exception as error:  # noqa: BLE001 - lazy layers, or a module that is no whole one
        reason = " ".join(str(error).split())[:120] or type(error).__name__
        raise UserError(f"{name} of {path.name} gives a network that is not ready to run ({reason})") from None


@contextlib.contextmanager
def _archive(path: Path) -> Iterator[zipfile.ZipFile]:
    refuse_bomb(path)
    try:
        with zipfile.ZipFile(path) as archive:
            yield archive
    except PermissionError as error:
        raise UserError(f"{path} cannot be read: {error.strerror or error}") from None
    except UserError:
        raise
    except (OSError, zipfile.BadZipFile, ValueError, NotImplementedError, EOFError, RuntimeError) as error:
        reason = " ".join(str(error).split())[:100]
        raise UserError(f"{path} is damaged ({reason}): copy or fetch it again") from None


def _text(archive: zipfile.ZipFile, name: str, path: Path) -> str:
    if archive.getinfo(name).file_size > _MOST_TEXT:
        raise UserError(f"{path.name} is not opened: {name} in it is larger than any program")
    return archive.read(name).decode("utf-8", errors="replace")


@contextlib.contextmanager
def _quiet(path: Path, what: str) -> Iterator[None]:
    """Without warnings of torch to programmers; any failure in one line."""
    try:
        log, level = logging.getLogger("torch.export"), logging.getLogger("torch.export").level
        log.setLevel(logging.CRITICAL)  # it writes whole tracebacks to the terminal
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                yield
        finally:
            log.setLevel(level)
    except UserError:
        raise
    except Exception as error:  # noqa: BLE001 - a damaged file fails in any way
        lines: Sequence[str] = [line.strip() for line in str(error).splitlines() if line.strip()]
        reason = (lines[0] if lines else type(error).__name__)[:140]
        if re.search(r"archive version|schema version|deserializing the saved file", reason):
            reason = f"it is damaged or of another torch than {torch.__version__}: save it again with this one"
        raise UserError(f"{path.name} cannot be opened as {what}: {reason}") from None
