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
