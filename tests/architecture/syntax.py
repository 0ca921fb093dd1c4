"""Who imports whom, read from the syntax tree: nothing is run, and imports inside functions count as well."""

import ast
import functools
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.tools.layout import FOLDERS, ROOT


@dataclass(frozen=True, slots=True)
class Module:
    """One file of the four packages under its installed name."""

    name: str
    path: Path
    is_package: bool


def name_module(path: Path) -> Module:
    parts = path.relative_to(ROOT).with_suffix("").parts
    is_package = parts[-1] == "__init__"
    return Module(".".join(("mizheng", *(parts[:-1] if is_package else parts))), path, is_package)


def find_modules() -> dict[str, Module]:
    """Every Python file of the four packages, by installed name."""
    modules = (name_module(path) for folder in FOLDERS for path in sorted((ROOT / folder).rglob("*.py")))
    return {module.name: module for module in modules if "node_modules" not in module.path.parts}


def _imported_names(module: Module) -> Iterator[str]:
    package = module.name if module.is_package else module.name.rpartition(".")[0]
    for node in ast.walk(ast.parse(module.path.read_bytes())):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                above = package.split(".")[: len(package.split(".")) - node.level + 1]
                base = ".".join([*above, base] if base else above)
            # "from a import b": b may be a module or a value; the caller knows which modules there are.
            for alias in node.names:
                yield f"{base}.{alias.name}"
        elif (
            # importlib.import_module("a.b") and __import__("a.b"), with the name written out.
            isinstance(node, ast.Call)
            and getattr(node.func, "attr", getattr(node.func, "id", "")) in ("import_module", "__import__")
            and node.args
            and isinstance(node.args[0], ast.Constant)
            and isinstance(node.args[0].value, str)
        ):
            yield node.args[0].value


def read_imports(module: Module, modules: dict[str, Module]) -> set[str]:
    """What one file imports: modules of ours under their full name, others under their top-level name."""
    found = set()
    for name in _imported_names(module):
        if name.partition(".")[0] != "mizheng":
            found.add(name.partition(".")[0])
            continue
        while name not in modules and "." in name:
            name = name.rpartition(".")[0]
        found.add(name)
    return found - {module.name}


@functools.cache
def read_graph() -> dict[str, set[str]]:
    """The imports of every module of ours; read once, to be looked at only."""
    modules = find_modules()
    return {name: read_imports(module, modules) for name, module in modules.items()}


def close(graph: dict[str, set[str]], start: str) -> dict[str, str]:
    """All that is reached from a module, each with the module that imports it."""
    reached: dict[str, str] = {}
    queue = [start]
    while queue:
        here = queue.pop()
        # Importing a.b.c runs a and a.b first.
        parents = {here.rsplit(".", depth)[0] for depth in range(1, here.count("."))}
        for name in (graph.get(here, set()) | (parents & graph.keys())) - reached.keys():
            reached[name] = here
            queue.append(name)
    return reached


def find_circles(graph: dict[str, set[str]]) -> list[list[str]]:
    """Groups of modules that import each other (Tarjan's strongly connected components of more than one)."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    circles: list[list[str]] = []

    def visit(name: str) -> None:
        index[name] = low[name] = len(index)
        stack.append(name)
        for other in sorted(graph[name] & graph.keys()):
            if other not in index:
                visit(other)
                low[name] = min(low[name], low[other])
            elif other in stack:
                low[name] = min(low[name], index[other])
        if low[name] == index[name]:
            at = stack.index(name)
            if len(stack) - at > 1:
                circles.append(sorted(stack[at:]))
            del stack[at:]

    for name in sorted(graph):
        if name not in index:
            visit(name)
    return circles
