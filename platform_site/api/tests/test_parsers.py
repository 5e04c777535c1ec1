"""The JSON that is refused, because two parsers could read it differently."""

import pytest

from platform_site.api.parsers import MAX_DEPTH, loads
from platform_site.errors import MALFORMED_JSON, PlatformError

pytestmark = pytest.mark.no_django

REFUSED = {
    "a key twice": b'{"a": 1, "a": 1}',
    "a key twice, once escaped": b'{"a": 1, "\\u0061": 2}',
    "a key twice, deep inside": b'{"x": [{"a": 1, "a": 2}]}',
    "NUL in a value": b'{"a": "x\\u0000y"}',
    "NUL in a key": b'{"x\\u0000y": 1}',
    "a raw NUL": b'{"a": "\x00"}',
    "a raw line break in a text": b'{"a": "x\ny"}',
    "a lone high surrogate": b'{"a": "\\ud800"}',
    "a lone low surrogate": b'{"a": "\\udc00"}',
    "a lone surrogate in a key": b'{"\\ud800": 1}',
    "surrogates in the wrong order": b'{"a": "\\udc00\\ud800"}',
    "a surrogate in bytes": b'{"a": "\xed\xa0\x80"}',
    "bytes that are not UTF-8": b'{"a": "\xff"}',
    "an overlong encoding": b'{"a": "\xc0\xaf"}',
    "UTF-16": '{"a": 1}'.encode("utf-16"),
    "a byte order mark": b'\xef\xbb\xbf{"a": 1}',
    "NaN": b'{"a": NaN}',
    "Infinity": b'{"a": Infinity}',
    "minus Infinity": b'{"a": -Infinity}',
    "a number that becomes infinite": b'{"a": 1e999}',
    "a whole number of 65 bits": b'{"a": 18446744073709551616}',
    "a whole number just too large": b'{"a": 9223372036854775808}',
    "a whole number of 5000 digits": b'{"a": ' + b"9" * 5000 + b"}",
    "a deep list": b"[" * (MAX_DEPTH + 1) + b"]" * (MAX_DEPTH + 1),
    "a deep object": b'{"a":' * (MAX_DEPTH + 1) + b"1" + b"}" * (MAX_DEPTH + 1),
    "a depth that exhausts the stack": b"[" * 100_000,
    "nothing": b"",
    "only space": b"   ",
    "a comma too many": b'{"a": 1,}',
    "single quotes": b"{'a': 1}",
    "a comment": b'{"a": 1} // yes',
    "two values": b"{} {}",
    "an open end": b'{"a": 1',
    "an octal number": b'{"a": 01}',
    "a plus sign": b'{"a": +1}',
    "an unknown escape": b'{"a": "\\x41"}',
    "a word": b"undefined",
}


@pytest.mark.parametrize("body", REFUSED.values(), ids=REFUSED.keys())
def test_it_is_refused(body: bytes) -> None:
    with pytest.raises(PlatformError) as refusal:
        loads(body)
    assert refusal.value.code is MALFORMED_JSON


def test_a_refusal_does_not_repeat_the_body() -> None:
    with pytest.raises(PlatformError) as refusal:
        loads(b'{"password": "hunter2')
    assert "hunter2" not in refusal.value.message


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (b"{}", {}),
        (b'{"a": "\\ud83d\\ude00"}', {"a": "\U0001f600"}),
        ('{"a": "\U0001f600 ä"}'.encode(), {"a": "\U0001f600 ä"}),
        (b'{"a": 9223372036854775807, "b": -9223372036854775808}', {"a": 2**63 - 1, "b": -(2**63)}),
        (b'{"a": {"a": 1}}', {"a": {"a": 1}}),
        (b'{"a": "x\\ny"}', {"a": "x\ny"}),
        (b"[" * MAX_DEPTH + b"]" * MAX_DEPTH, None),
        (b' {"a": 1.5e3}\r\n', {"a": 1500.0}),
    ],
)
def test_it_is_taken(body: bytes, value: object) -> None:
    parsed = loads(body)
    assert value is None or parsed == value
