import os

FLAG = bool(os.environ.get("FLAG"))

if FLAG:

    def chosen(x: int) -> int:
        return x
else:

    def chosen(x: int) -> int:
        return 1


if not FLAG:
    extra = 1

if os.environ:
    from json import dumps
else:

    def dumps(x: int) -> int:
        return x


if os.environ:
    from json import loads as loads
else:
    loads = None
