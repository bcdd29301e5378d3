"""The verbs of the maintainer's command: thin, over functions of the tools."""
