"""Names that Flask and its libraries removed, restored for old code on request.

Nothing here is loaded before :func:`flaskfork.shim.legacy` is called or
``FLASKFORK_LEGACY`` is set. ``_flask_names`` and ``_werkzeug_names`` are the tables of
what is restored; docs/legacy.md shows them.
"""
