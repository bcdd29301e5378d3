try:
    import tomllib
    import tomllib as toml
except ImportError as missing:
    tomllib = None
    import json as toml
else:
    fine = 1
finally:
    last = 2

try:
    from os import getcwdb
except ImportError:

    def getcwdb() -> bytes:
        return b""


try:
    from decimal import Decimal as Decimal
except ImportError:

    class Decimal: ...
