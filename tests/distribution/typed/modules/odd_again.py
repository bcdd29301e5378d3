import os
from os import path
from os import path as path

sep = 1
from os import getcwd
from os import sep

getcwd = 2
