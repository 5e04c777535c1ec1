"""Examples that several operations show."""

CANONICAL_ID = "019aaf1e-5d2c-7a31-9c0e-0000000000e1"
EVENT_ID = "019aaf1e-5d2c-7a31-9c0e-0000000000e5"
SENT = {
    "canonicalId": CANONICAL_ID,
    "app": "sales",
    "category": "engagement",
    "action": "email_opened",
    "occurredAt": "2026-11-27T09:00:00Z",
    "messageId": "m-4711",
    "metadata": {"campaign": "autumn"},
}
INGESTED = {
    "id": EVENT_ID,
    "canonicalId": CANONICAL_ID,
    "sentCanonicalId": None,
    "receivedAt": "2026-11-27T09:00:02.000Z",
    "duplicate": False,
}
EVENT = {
    "id": EVENT_ID,
    "canonicalId": CANONICAL_ID,
    "sentCanonicalId": None,
    "app": "sales",
    "category": "engagement",
    "action": "email_opened",
    "occurredAt": "2026-11-27T09:00:00.000Z",
    "receivedAt": "2026-11-27T09:00:02.000Z",
    "messageId": "m-4711",
    "actorId": None,
    "source": None,
    "metadata": {"campaign": "autumn"},
}
REPORT = {
    "received": 2,
    "accepted": 1,
    "duplicates": 0,
    "rejected": 1,
    "ids": [EVENT_ID, None],
    "duplicateIndexes": [],
    "errors": [
        {
            "index": 1,
            "messageId": "m-4712",
            "code": "unknown_canonical",
            "field": "canonicalId",
            "message": "There is no such record.",
        }
    ],
}
SUMMARY = {
    "canonicalId": CANONICAL_ID,
    "timezone": "UTC",
    "total": 42,
    "firstAt": "2026-03-02T10:15:00.000Z",
    "lastAt": "2026-11-25T16:40:00.000Z",
    "daysSinceLast": 2,
    "activeDays30": 9,
    "last30": 12,
    "prev30": 8,
    "deltaPct": 50.0,
    "byApp": {"sales": 40, "chat": 2},
    "byCategory": {"engagement": 42},
    "topActions": [{"app": "sales", "category": "engagement", "action": "email_opened", "count": 31}],
    "linkedApps": ["chat", "sales"],
}
_WINDOW = {
    "from": "2026-10-29",
    "to": "2026-11-27",
    "total": 12,
    "byApp": {"sales": 12},
    "byCategory": {"engagement": 12},
    "matrix": [{"app": "sales", "category": "engagement", "count": 12}],
}
ACTIVITY = {
    "canonicalId": CANONICAL_ID,
    "asOf": "2026-11-27",
    "timezone": "UTC",
    "windows": {
        "30d": _WINDOW,
        "90d": {**_WINDOW, "from": "2026-08-30"},
        "365d": {**_WINDOW, "from": "2025-11-28"},
    },
}
