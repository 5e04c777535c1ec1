"""How schemathesis sends its requests, and the count of what came of them.

Loaded by schemathesis (schemathesis.toml names it), in a process of its own.
Of each operation's positive cases three of four get real values (``fills``); the
fourth stays as generated. Negative cases are never touched.
"""

import json
import os
import unicodedata
from collections import Counter
from pathlib import Path
from typing import Any

import django
import schemathesis

django.setup()

from tests.contract.fills import FILLS  # noqa: E402 - it reads models, which are there only now

COUNTS = Path(os.environ["CONTRACT_COUNTS"])

_cases = Counter[str]()
_LARGEST = 2**63


@schemathesis.hook
def before_call(context: Any, case: Any, kwargs: Any) -> None:
    if not _is_positive(case):
        return
    if isinstance(case.body, dict):
        case.body = _plain(case.body)
    operation = _operation_id(case)
    _cases[operation] += 1
    fill = FILLS.get(operation)
    if fill is not None and (_cases[operation] % 4 or fill.always):
        fill.put(case)


@schemathesis.hook
def after_call(context: Any, case: Any, response: Any) -> None:
    line = {
        "operation": _operation_id(case),
        "positive": _is_positive(case),
        "status": response.status_code,
    }
    with COUNTS.open("a") as file:
        file.write(json.dumps(line) + "\n")


def _operation_id(case: Any) -> str:
    return str(case.operation.definition.raw["operationId"])


def _is_positive(case: Any) -> bool:
    """Whether every part of the request is as documented; a case counts as negative when one of them is not."""
    if case.meta is None:
        return True
    modes = [case.meta.generation.mode, *(component.mode for component in case.meta.components.values())]
    return all(mode is schemathesis.GenerationMode.POSITIVE for mode in modes)


def _plain(value: Any) -> Any:
    """Without what every body is refused for and a schema of free-form maps cannot say: control characters, texts of
    spaces alone, and whole numbers of more than 64 bits.
    """
    if isinstance(value, int) and not -_LARGEST <= value < _LARGEST:
        return value % _LARGEST
    if isinstance(value, dict):
        return {name: _plain(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, str) and value:
        plain = "".join("x" if unicodedata.category(character) == "Cc" else character for character in value)
        return plain if plain.strip() else "x" * len(plain)
    return value
