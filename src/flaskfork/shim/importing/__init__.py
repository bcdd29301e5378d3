"""Makes ``import flask`` and ``import flaskfork`` load one module, not two."""
