__all__: list[str] = ["spelled"]
spelled = "a"
unlisted = 2
