"""The same project without middleware, and with the one path that is written by hand."""

from benchmarks.settings import *

MIDDLEWARE = []
ROOT_URLCONF = "benchmarks.by_hand.urls"
