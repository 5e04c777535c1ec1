"""The settings of the benchmarks, with one more migration in each tenant."""

from benchmarks.filling_settings import *

MIGRATION_MODULES = {"journal": "benchmarks.ahead.journal"}
