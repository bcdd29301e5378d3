try:
    import tomllib
except* ValueError as group:
    handled = 1
