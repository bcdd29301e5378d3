import json as json
import os.path
import os.path as p
import xml.dom

from os import path as path
from os import sep

from . import helpers
from . import views as views
from .views import View as V
from .views import View as View
