import os
import sys as sys

value = 1
other = 2
for x in ():
    pass
del value, x, os
del sys
