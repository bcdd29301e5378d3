# -*- coding: utf-8 -*-
"""How it was run."""
from __future__ import print_function
from __future__ import unicode_literals

from flask import current_app
from flask import json
from flask.ext.script import Command
from flask.ext.script import Manager
from flask.ext.script import Option
from flask.ext.script import Server

from guestbook import Price
from guestbook import app


class ShowPrice(Command):
    "Show a price as the API does."

    option_list = (Option("amount"),)

    def run(self, amount):
        print(current_app.name, json.dumps(Price(amount)))


class Greet(Command):
    "Greet somebody."

    option_list = (Option("--name", "-n", dest="name", default="nobody"),)

    def run(self, name):
        print("hello", name)


manager = Manager(app)
manager.add_command("greet", Greet())
manager.add_command("price", ShowPrice())
manager.add_command("serve", Server(use_debugger=False, use_reloader=False))

if __name__ == "__main__":
    manager.run()
