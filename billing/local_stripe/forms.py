"""Stripe's nested forms: `items[0][price]=price_1&expand[]=customer` as a tree of dicts and strings."""

import re
from urllib.parse import parse_qsl

from billing.local_stripe.errors import Refusal

Tree = dict[str, "str | Tree"]

_PART = re.compile(r"\[([^\[\]]*)\]")
_MOST_FIELDS = 2000


def decode(text: str) -> Tree:
    """Lists stay dicts with numbers as keys: only the schema knows which of them are lists."""
    tree: Tree = {}
    try:
        pairs = parse_qsl(text, keep_blank_values=True, strict_parsing=bool(text), max_num_fields=_MOST_FIELDS)
    except ValueError as error:
        raise Refusal(f"Invalid form: {error}.") from None
    for key, value in pairs:
        _put(tree, _path(key), key, value)
    return tree


def _path(key: str) -> list[str]:
    head, bracket, rest = key.partition("[")
    return [head, *_PART.findall(bracket + rest)]


def _put(tree: Tree, path: list[str], key: str, value: str) -> None:
    for part in path[:-1]:
        below = tree.setdefault(part or str(len(tree)), {})
        if not isinstance(below, dict):
            raise Refusal(f"Invalid form: {key} is both a value and a group of values.", param=key)
        tree = below
    tree[path[-1] or str(len(tree))] = value
