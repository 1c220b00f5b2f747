"""Parts of this program as code that stands alone: functions and classes with all that they use, under their names.

A part is taken from the source with what it refers to, and so on, in an order in which it can run. Annotations and all
but the first line of docstrings are left out; imports of this program, also those within functions, become the parts
themselves. Two parts of one name get the name of their module before it.
"""

from __future__ import annotations

import ast
import copy
import importlib.util
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

_OWN = "guiapp"
_BLOCK = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)


@dataclass(frozen=True)
class _Module:
    """Top level of a module: statements by the names that they define, and where imported names come from."""

    name: str
    defined: dict[str, ast.stmt] = field(default_factory=dict)
    imported: dict[str, tuple[str, str]] = field(default_factory=dict)


@cache
def _module(name: str) -> _Module:
    found = importlib.util.find_spec(name)
    if found is None or found.origin is None:
        raise ImportError(name)
    made = _Module(name)
    for node in ast.parse(Path(found.origin).read_text()).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            made.defined[node.name] = node
        elif isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            made.defined.update({n.id: node for t in targets for n in ast.walk(t) if isinstance(n, ast.Name)})
        elif isinstance(node, ast.Import | ast.ImportFrom):
            made.imported.update(_imports(node))
    return made


def _imports(node: ast.Import | ast.ImportFrom) -> Iterator[tuple[str, tuple[str, str]]]:
    """Names that an import binds, with module and name there; no name where it is the module itself."""
    for alias in node.names:
        if isinstance(node, ast.ImportFrom):
            yield alias.asname or alias.name, (node.module or "", alias.name)
        elif alias.asname or "." not in alias.name:
            yield alias.asname or alias.name, (alias.name, "")
        else:
            yield alias.name.partition(".")[0], (alias.name.partition(".")[0], "")


class Bundle:
    """Code of several parts.

    Attributes:
        imports: Lines that import what others wrote.
        code: Source of each part, in an order in which they can run.
    """

    def __init__(self, reserved: Iterable[str] = ()) -> None:
        self.imports: set[str] = set()
        self.code: list[str] = []
        self._names: dict[tuple[str, str], str] = {}
        self._taken = set(reserved)
        self._written: set[int] = set()

    def add(self, reference: Any) -> str:
        """Add a function or a class of this program, or ``"module:name"``; its name in the code."""
        if isinstance(reference, str):
            module, _, name = reference.partition(":")
        else:
            module, name = reference.__module__, reference.__qualname__
        return self._part(module, name)

    def _part(self, module: str, name: str) -> str:
        """The name of a part in the code, which is written where it is new."""
        source = _module(module)
        if name in source.imported and name not in source.defined:
            return self._part(*source.imported[name])
        if (module, name) in self._names:
            return self._names[module, name]
        if name not in source.defined:
            raise ImportError(f"{module} defines no {name}")
        node = source.defined[name]
        others = [other for other, its in source.defined.items() if its is node]
        for other in others:
            chosen = other if other not in self._taken else f"{module.rpartition('.')[2]}_{other.lstrip('_')}"
            self._names[module, other] = chosen
            self._taken.add(chosen)
        renamed = _Taken(self, source).visit(_bare(copy.deepcopy(node)))
        if isinstance(renamed, ast.FunctionDef | ast.ClassDef):
            renamed.name = self._names[module, name]
        self.code.append(ast.unparse(ast.fix_missing_locations(renamed)))
        return self._names[module, name]

    def outside(self, name: str, module: str, inner: str) -> None:
        """Note an import of something that is not of this program."""
        if inner:
            self.imports.add(f"from {module} import {inner}" + (f" as {name}" if name != inner else ""))
        else:
            self.imports.add(f"import {module}" + (f" as {name}" if name != module else ""))


class _Taken(ast.NodeTransformer):
    """Gives names of the top level their names in the bundle, and adds what they stand for."""

    def __init__(self, bundle: Bundle, module: _Module) -> None:
        self._bundle, self._module = bundle, module
        self._local: list[dict[str, tuple[str, str] | None]] = []  # names of the functions around: own, or imported

    def visit_Name(self, node: ast.Name) -> ast.AST:
        place = self._place(node.id)
        if place is None:
            return node
        module, name = place
        if not _ours(module):
            return node
        return ast.copy_location(ast.Name(self._bundle._part(module, name), node.ctx), node)

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        if isinstance(node.value, ast.Name):
            place = self._place(node.value.id, quiet=True)
            if place is not None and _ours(place[0]) and _is_module(f"{place[0]}.{place[1]}"):
                name = self._bundle._part(f"{place[0]}.{place[1]}", node.attr)
                return ast.copy_location(ast.Name(name, node.ctx), node)
        return self.generic_visit(node)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        node.decorator_list = [self.visit(d) for d in node.decorator_list]
        node.args.defaults = [self.visit(d) for d in node.args.defaults]
        node.args.kw_defaults = [self.visit(d) if d is not None else None for d in node.args.kw_defaults]
        self._local.append(_bound(node))
        node.body = self._statements(node.body)
        self._local.pop()
        return node

    def visit_Lambda(self, node: ast.Lambda) -> ast.AST:
        self._local.append(_bound(node))
        node.body = self.visit(node.body)
        self._local.pop()
        return node

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        node.decorator_list = [self.visit(d) for d in node.decorator_list]
        node.bases = [self.visit(b) for b in node.bases]
        node.keywords = [self.visit(k) for k in node.keywords]
        node.body = self._statements(node.body)
        return node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST | None:
        value = self.visit(node.value) if node.value is not None else None
        if self._local or not isinstance(node.target, ast.Name):  # in a function it says nothing
            return None if value is None else ast.Assign([self.visit(node.target)], value, lineno=node.lineno)
        node.value = value
        return node

    def visit_Import(self, node: ast.Import) -> ast.AST | None:
        return None if any(_ours(alias.name) for alias in node.names) else node

    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.AST | None:
        return None if _ours(node.module or "") else node

    def _statements(self, body: list[ast.stmt]) -> list[ast.stmt]:
        found = [new for statement in body if (new := self.visit(statement)) is not None]
        return found or [ast.Pass()]

    def _place(self, name: str, quiet: bool = False) -> tuple[str, str] | None:
        """Module and name there of what a name stands for at the top level; None for what is local or built in."""
        for scope in reversed(self._local):
            if name in scope:
                place = scope[name]
                return place if place is not None and _ours(place[0]) else None
        if name in self._module.defined:
            return self._module.name, name
        if name in self._module.imported:
            module, inner = self._module.imported[name]
            if not _ours(module) and not quiet:
                self._bundle.outside(name, module, inner)
            return module, inner
        return None


def _bound(node: Any) -> dict[str, tuple[str, str] | None]:
    """Names that a function binds; with where they come from for those that it imports."""
    arguments = node.args
    every = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, arguments.vararg, arguments.kwarg]
    found: dict[str, tuple[str, str] | None] = {a.arg: None for a in every if a is not None}
    rest: list[ast.AST] = list(node.body) if isinstance(node.body, list) else [node.body]
    while rest:
        one = rest.pop()
        if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Store):
            found[one.id] = None
        elif isinstance(one, ast.ExceptHandler) and one.name:
            found[one.name] = None
        elif isinstance(one, ast.Import | ast.ImportFrom):
            found.update(_imports(one))
        if isinstance(one, _BLOCK):
            if not isinstance(one, ast.Lambda):
                found[one.name] = None
            continue
        rest.extend(ast.iter_child_nodes(one))
    return found


def _bare(node: Any) -> Any:
    """Without annotations of functions, and of docstrings the first line alone."""
    for one in ast.walk(node):
        if isinstance(one, ast.FunctionDef):
            one.returns = None
            for argument in ast.walk(one.args):
                if isinstance(argument, ast.arg):
                    argument.annotation = None
        if isinstance(one, ast.FunctionDef | ast.ClassDef):
            text = ast.get_docstring(one)
            if text is not None:
                one.body[0] = ast.Expr(ast.Constant(text.strip().splitlines()[0]))
    if isinstance(node, ast.AnnAssign) and node.value is not None:
        return ast.Assign([node.target], node.value, lineno=node.lineno)
    return node


def _ours(module: str) -> bool:
    return module.partition(".")[0] == _OWN


@cache
def _is_module(name: str) -> bool:
    try:
        return importlib.util.find_spec(name) is not None
    except ModuleNotFoundError:
        return False
