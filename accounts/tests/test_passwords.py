"""Which passwords are accepted."""

import pytest

from accounts.services.passwords import password_check
from platform_site.errors import PlatformError

CONTEXT = ["Acme Corp", "acme-corp", "admin@acme.com", "John", "Doe"]


@pytest.mark.parametrize(
    "password",
    [
        "secure-password",
        "your-password",
        "new-password",
        "12 codepoints",
        "ünïcödé pass",
        "x" * 128,
        "😀" * 8,
        "        a",
    ],
)
def test_these_are_fine(password: str) -> None:
    password_check(password, field="password", context=CONTEXT)


@pytest.mark.parametrize(
    ("password", "code"),
    [
        ("seven77", "password_too_short"),
        ("x" * 129, "password_too_long"),
        ("password", "password_common"),
        ("PassWord1", "password_common"),
        ("qwertyuiop", "password_common"),
        ("acme-corp", "password_contains_context"),
        ("AcmeCorp1", "password_contains_context"),
        ("admin@acme.com", "password_contains_context"),
    ],
)
def test_these_are_refused_with_a_reason(password: str, code: str) -> None:
    with pytest.raises(PlatformError) as refused:
        password_check(password, field="password", context=CONTEXT)
    assert refused.value.code.key == code
    assert refused.value.details[0].field == "password"
