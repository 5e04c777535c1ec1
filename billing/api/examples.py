"""One example of everything that billing shows."""

from typing import Any

STATUS: dict[str, Any] = {
    "configured": True,
    "plan": {
        "id": "pro",
        "name": "Pro",
        "interval": "monthly",
        "currency": "usd",
        "unitAmount": 1200,
        "features": ["chat", "notifications", "registry", "own_mail_server", "custom_profiles"],
        "limits": {"entities": 1000000},
    },
    "status": "active",
    "stripeStatus": "active",
    "access": "full",
    "accessReason": None,
    "seats": {"mode": "per_seat", "purchased": 10, "used": 7, "pending": 2, "available": 3, "overBy": 0},
    "trial": {
        "active": False,
        "startedAt": "2026-11-01T09:30:00.000Z",
        "endsAt": "2026-11-15T09:30:00.000Z",
        "daysLeft": 0,
        "hasPaymentMethod": True,
    },
    "period": {"start": "2026-11-15T09:30:00.000Z", "end": "2026-12-15T09:30:00.000Z"},
    "cancellation": {"scheduled": False, "effectiveAt": None, "canResume": False},
    "payment": {
        "pastDueSince": None,
        "graceEndsAt": None,
        "nextAttemptAt": None,
        "last4": "4242",
        "invoiceUrl": None,
    },
    "pendingChange": None,
    "duplicate": False,
    "canManage": True,
    "updatedAt": "2026-11-28T09:30:00.000Z",
}
CANCELED: dict[str, Any] = {
    **STATUS,
    "cancellation": {"scheduled": True, "effectiveAt": "2026-12-15T09:30:00.000Z", "canResume": True},
}
PLAN: dict[str, Any] = {
    "id": "pro",
    "name": "Pro",
    "description": "For a company that grows.",
    "currency": "usd",
    "prices": {"monthly": 1200, "yearly": 12000},
    "seats": {"mode": "per_seat", "included": None, "min": 1, "max": 500},
    "features": ["chat", "notifications", "registry", "own_mail_server", "custom_profiles"],
    "limits": {"entities": 1000000},
    "purchasable": True,
}
CHECKOUT: dict[str, Any] = {
    "url": "https://checkout.stripe.com/c/pay/cs_test_a1b2c3",
    "sessionId": "cs_test_a1b2c3",
    "expiresAt": "2026-11-29T09:30:00.000Z",
}
INVOICE: dict[str, Any] = {
    "id": "in_1Qa2b3c4d5",
    "number": "A1B2C3-0001",
    "status": "paid",
    "amountDue": 12000,
    "amountPaid": 12000,
    "currency": "usd",
    "createdAt": "2026-11-15T09:30:00.000Z",
    "url": "https://invoice.stripe.com/i/acct_1/test_YWNjdF8x",
    "pdfUrl": "https://pay.stripe.com/invoice/acct_1/test_YWNjdF8x/pdf",
}
