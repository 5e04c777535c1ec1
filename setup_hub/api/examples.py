"""Examples of the set-up hub's answers."""

PROGRESS = {"percent": 54, "completed": 5, "skipped": 1, "total": 9, "requiredRemaining": 1}
TASK = {
    "code": "accounts.invite_team",
    "app": "accounts",
    "title": "Invite your team",
    "description": "Invite at least one colleague. It is done when somebody has accepted.",
    "category": "team",
    "order": 30,
    "required": True,
    "weight": 2,
    "minRole": "tenant_admin",
    "estimateMinutes": 5,
    "status": "completed",
    "source": "auto",
    "checkable": True,
    "autoDetected": True,
    "dependsOn": [],
    "blockedBy": [],
    "actionUrl": "/users",
    "completedAt": "2026-11-27T09:00:00.000Z",
    "completedBy": None,
    "reason": None,
    "lastCheckedAt": "2026-11-27T09:00:00.000Z",
    "detail": "2 active, 0 invited",
}
SETUP = {
    "status": "in_progress",
    "progress": PROGRESS,
    "completedAt": None,
    "completedBy": None,
    "canComplete": False,
    "newTasks": [],
    "nextTask": "notifications.sender",
    "tasks": [TASK],
}
COMPLETED = {
    **SETUP,
    "status": "completed",
    "progress": {**PROGRESS, "percent": 100, "completed": 8, "requiredRemaining": 0},
    "completedAt": "2026-11-27T10:00:00.000Z",
    "completedBy": {"id": "019aaf1e-5d2c-7a31-9c0e-000000000001", "userId": 1, "displayName": "John Doe"},
    "canComplete": True,
    "nextTask": None,
}
CHECKED = {
    "checked": 9,
    "changed": [{"code": "accounts.invite_team", "from": "in_progress", "to": "completed"}],
    "errors": [],
    "progress": PROGRESS,
    "durationMs": 21,
}
