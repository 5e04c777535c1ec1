"""Examples that several operations show."""

NOTIFICATION = {
    "id": "019aaf1e-5d2c-7a31-9c0e-000000000007",
    "eventKey": "sales.lead_assigned",
    "module": "sales",
    "severity": "normal",
    "title": "New lead: Acme Corp",
    "body": "Jane Doe assigned Acme Corp to you.",
    "actionUrl": "/sales/leads/42",
    "data": {"leadName": "Acme Corp", "assignedBy": "Jane Doe", "leadId": 42},
    "actor": None,
    "isRead": False,
    "readAt": None,
    "createdAt": "2026-11-23T08:00:00.000Z",
}
PREFERENCE = {
    "eventKey": "sales.lead_assigned",
    "channel": "email",
    "enabled": False,
    "source": "user",
    "locked": False,
    "isOverridden": True,
    "updatedAt": "2026-11-23T08:00:00.000Z",
}
QUIET_HOURS = {
    "enabled": True,
    "startTime": "22:00",
    "endTime": "08:00",
    "timezone": "America/New_York",
    "timezoneSource": "own",
    "days": [1, 2, 3, 4, 5, 6, 7],
    "snoozeUntil": None,
    "allowUrgent": True,
    "isActive": True,
    "until": "2026-11-23T13:00:00.000Z",
    "nextStart": "2026-11-24T03:00:00.000Z",
}
_COUNTED = {
    "created": 1200,
    "suppressed": 140,
    "deferred": 6,
    "queued": 2,
    "sent": 1040,
    "delivered": 1010,
    "bounced": 9,
    "failed": 12,
    "opened": 700,
    "machineOpened": 210,
    "clicked": 180,
    "complained": 0,
    "unsubscribed": 3,
    "deliveryRate": 0.9712,
    "openRate": 0.6931,
    "clickRate": 0.3529,
    "failureRate": 0.02,
}
_DAY = {
    "date": "2026-11-01",
    "created": 40,
    "suppressed": 2,
    "sent": 38,
    "delivered": 37,
    "failed": 0,
    "opened": 20,
    "clicked": 4,
}
_PERIOD = {"from": "2026-11-01", "to": "2026-11-23", "timezone": "Europe/Paris"}
ANALYTICS = {
    "period": _PERIOD,
    "scope": "tenant",
    "overview": _COUNTED,
    "suppressedByReason": {"preference": 90, "already_read": 30, "suppression_list": 20},
    "byEvent": [{"eventKey": "sales.lead_assigned", **_COUNTED}],
    "byChannel": [{"channel": "email", **_COUNTED, "tracking": {"delivered": True, "opens": True, "clicks": True}}],
    "dailyTrend": [_DAY],
    "meta": {
        "generatedAt": "2026-11-23T08:00:00.000Z",
        "attribution": "created",
        "tracking": {"opens": True, "clicks": True},
    },
}
_DIGESTS = {
    "digestsSent": 60,
    "itemsDelivered": 250,
    "skippedEmpty": 4,
    "failed": 0,
    "opened": 31,
    "clicked": 12,
}
DIGEST_ANALYTICS = {
    "period": _PERIOD,
    "scope": "tenant",
    **_DIGESTS,
    "avgItemsPerDigest": 4.17,
    "subscribers": {"off": 80, "hourly": 1, "daily": 14, "weekly": 5},
    "dailyTrend": [{"date": "2026-11-01", **_DIGESTS}],
}
