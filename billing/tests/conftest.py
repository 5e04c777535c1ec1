from typing import Any

import pytest

from billing.tests.support import NOWHERE, SECRET


@pytest.fixture
def stripe_away(settings: Any) -> None:
    """Billing is set up, and nobody answers."""
    settings.STRIPE_SECRET_KEY = "sk_test_of_the_tests"
    settings.BILLING_CONFIGURED = True
    settings.STRIPE_API_BASE = NOWHERE
    settings.STRIPE_WEBHOOK_SECRETS = [SECRET]
