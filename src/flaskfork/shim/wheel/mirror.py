"""Writes what a type checker sees of a module that has another name at run time.

What the module defines is imported from it. Its own imports, and the branches around
them, are kept as they are: checkers infer from them what may be imported, which
submodules exist, and what is meant for which Python.
"""

from __future__ import annotations

import ast
import importlib.util
import textwrap
import typing as t


def mirror(source: str, module: str, package: str, absent: t.Container[str]) -> str:
    """Write the twin of a module.

    The bodies of functions are ignored: both their imports and their ``global`` names.

    :param source: the source of the module.
    :param module: the name of the module.
    :param package: the name of its package, or its own name if it is a package.
    :param absent: the names of modules that have no twin.
    :return: statements that give a type checker the same names.
    :raises SyntaxError: this Python cannot parse the source.
    """
    return _Mirror(source, module, package, absent).block(ast.parse(source).body)


class _Mirror(ast.NodeVisitor):
    def __init__(
        self, source: str, module: str, package: str, absent: t.Container[str]
    ) -> None:
        self.source = source
        self.module = module
        self.package = package
        self.absent = absent
        # A dict for its order: each statement is written once.
        self.statements: dict[str, None] = {}

    def block(self, body: t.Iterable[ast.AST]) -> str:
        outer, self.statements = self.statements, {}
        for node in body:
            self.visit(node)
        inner, self.statements = self.statements, outer
        return "\n".join(inner)

    def visit_Import(self, node: ast.Import) -> None:
        for alias in node.names:
            self._add(f"import {_as_written(alias)}")

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        origin = "." * node.level + (node.module or "")
        if origin == "__future__":
            return

        full = importlib.util.resolve_name(origin, self.package)
        for alias in node.names:
            wanted = {full, f"{full}.{alias.name}"}
            shown = full if any(name in self.absent for name in wanted) else origin
            self._add(f"from {shown} import {_as_written(alias)}")

    def visit_If(self, node: ast.If) -> None:
        self.visit(node.test)
        body, orelse = self.block(node.body), self.block(node.orelse)
        if body or orelse:
            self._add(
                _clause(f"if {self._text(node.test)}", body),
                _clause("else", orelse) if orelse else "",
            )

    def visit_Try(self, node: ast.Try) -> None:
        self._add(
            _clause("try", self.block(node.body)),
            *map(self._handler, node.handlers),
            _clause("else", self.block(node.orelse)) if node.orelse else "",
            _clause("finally", self.block(node.finalbody)) if node.finalbody else "",
        )

    def _handler(self, node: ast.ExceptHandler) -> str:
        kind = f" {self._text(node.type)}" if node.type else ""
        name = f" as {node.name}" if node.name else ""
        return _clause(f"except{kind}{name}", self.block(node.body))

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> None:
        # Of an except*: the statement around it is not kept.
        self._define(node.name)
        self.generic_visit(node)

    def visit_Assign(self, node: ast.Assign | ast.AugAssign | ast.AnnAssign) -> None:
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        if any(isinstance(x, ast.Name) and x.id == "__all__" for x in targets):
            self._add(self._text(node))
        else:
            self.generic_visit(node)

    visit_AugAssign = visit_Assign
    visit_AnnAssign = visit_Assign

    def visit_Expr(self, node: ast.Expr) -> None:
        value = node.value
        if isinstance(value, ast.Call) and ast.unparse(value).startswith("__all__."):
            self._add(self._text(node))
        else:
            self.generic_visit(node)

    def visit_Delete(self, node: ast.Delete) -> None:
        for target in node.targets:
            if isinstance(target, ast.Name):
                self._add(f"del {target.id}")

    def visit_Name(self, node: ast.Name) -> None:
        if isinstance(node.ctx, ast.Store):
            self._define(node.id)

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        self._define(node.name)
        for child in [*node.decorator_list, node.args]:
            self.visit(child)

    visit_AsyncFunctionDef = visit_FunctionDef

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        self._define(node.name)
        for child in [*node.decorator_list, *node.bases, *node.keywords]:
            self.visit(child)

    def visit_MatchAs(self, node: t.Any) -> None:
        self._define(node.name)
        self.generic_visit(node)

    visit_MatchStar = visit_MatchAs

    def visit_MatchMapping(self, node: t.Any) -> None:
        self._define(node.rest)
        self.generic_visit(node)

    def visit_Lambda(self, node: ast.Lambda) -> None:
        self.visit(node.args)

    def visit_ListComp(self, node: ast.AST) -> None:
        # Its loop variables are not the module's names, but those of := are.
        for child in ast.walk(node):
            if isinstance(child, ast.NamedExpr):
                self.visit(child.target)

    visit_SetComp = visit_ListComp
    visit_DictComp = visit_ListComp
    visit_GeneratorExp = visit_ListComp

    def _define(self, name: str | None) -> None:
        if name is not None:
            self._add(f"from {self.module} import {name} as {name}")

    def _add(self, *clauses: str) -> None:
        self.statements["\n".join(filter(None, clauses))] = None

    def _text(self, node: ast.AST) -> str:
        # Not ast.unparse: its output differs between Pythons, and the wheel must not.
        text = ast.get_source_segment(self.source, node) or ""
        return f"({text})" if isinstance(node, ast.expr) and "\n" in text else text


def _clause(header: str, body: str) -> str:
    return f"{header}:\n{textwrap.indent(body or 'pass', '    ')}"


def _as_written(alias: ast.alias) -> str:
    return f"{alias.name} as {alias.asname}" if alias.asname else alias.name
