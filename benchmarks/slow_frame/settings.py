"""The product with one more kind of frame."""

from benchmarks.settings import *
from benchmarks.settings import INSTALLED_APPS as _APPS

INSTALLED_APPS = [*_APPS, "benchmarks.slow_frame"]
