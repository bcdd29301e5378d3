from os.path import *

from .odd_listed import *
from .views import *
