import sys

if sys.platform == "win32":
    import winreg as winreg

    def of_windows() -> int:
        return 1
else:

    def of_others() -> int:
        return 1
