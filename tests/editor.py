"""Asks pyright's language server what an editor asks, and returns its answers."""

from __future__ import annotations

import asyncio
import pathlib
import sys
import typing as t

from lsprotocol import types as lsp
from pygls.lsp.client import BaseLanguageClient

from forkkit.base.venv import Environment

T = t.TypeVar("T")


class Editor:
    """An editor that has one file open.

    :param client: connected to a language server.
    :param file: the file, whose folder is the project.
    """

    def __init__(self, client: BaseLanguageClient, file: pathlib.Path) -> None:
        self.client = client
        self.document = lsp.TextDocumentIdentifier(file.as_uri())

    async def definition(self, line: int, column: int) -> list[tuple[str, int]]:
        """Where the name at this place is defined: URIs, and lines from zero."""
        where = lsp.DefinitionParams(self.document, lsp.Position(line, column))
        found = await self.client.text_document_definition_async(where)
        return [(place.uri, place.range.start.line) for place in found or []]

    async def hover(self, line: int, column: int) -> str:
        """The text that is shown next to the pointer."""
        where = lsp.HoverParams(self.document, lsp.Position(line, column))
        found = await self.client.text_document_hover_async(where)
        return found.contents.value if found else ""

    async def completions(self, line: int, column: int) -> list[tuple[str, str]]:
        """Possible completions, and the module that each would be imported from."""
        where = lsp.CompletionParams(self.document, lsp.Position(line, column))
        found = await self.client.text_document_completion_async(where)
        return [
            (item.label, item.label_details.description)
            for item in found.items
            if item.label_details
        ]


def ask(
    environment: Environment,
    file: pathlib.Path,
    question: t.Callable[[Editor], t.Awaitable[T]],
) -> T:
    """Open a file and ask something about it.

    :param environment: the environment of the project.
    """
    return asyncio.run(_ask(environment, file, question))


async def _ask(
    environment: Environment,
    file: pathlib.Path,
    question: t.Callable[[Editor], t.Awaitable[T]],
) -> T:
    client = BaseLanguageClient("editor", "1")

    @client.feature(lsp.WORKSPACE_CONFIGURATION)
    def configuration(params: lsp.ConfigurationParams) -> list[dict[str, t.Any]]:
        analysis = {"autoImportCompletions": True}
        settings = {"pythonPath": str(environment.python), "analysis": analysis}
        return [settings for _ in params.items]

    @client.feature(lsp.CLIENT_REGISTER_CAPABILITY)
    def register(params: lsp.RegistrationParams) -> None:
        """Do nothing: what it registers is not used."""

    @client.feature(lsp.WINDOW_LOG_MESSAGE)
    def log(params: lsp.LogMessageParams) -> None:
        """Do nothing: its messages at start-up do not matter."""

    await client.start_io(sys.executable, "-m", "pyright.langserver", "--stdio")
    root = file.parent.as_uri()
    await client.initialize_async(
        lsp.InitializeParams(
            capabilities=lsp.ClientCapabilities(
                workspace=lsp.WorkspaceClientCapabilities(configuration=True)
            ),
            workspace_folders=[lsp.WorkspaceFolder(root, "project")],
        )
    )
    client.initialized(lsp.InitializedParams())
    opened = lsp.TextDocumentItem(file.as_uri(), "python", 1, file.read_text())
    client.text_document_did_open(lsp.DidOpenTextDocumentParams(opened))
    try:
        return await question(Editor(client, file))
    finally:
        await client.shutdown_async(None)
        client.exit(None)
        await client.stop()
