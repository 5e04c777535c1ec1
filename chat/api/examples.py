"""Examples that several operations show."""

CHANNEL_ID = "019aaf1e-5d2c-7a31-9c0e-0000000000c1"
JANE = {
    "id": "019aaf1e-5d2c-7a31-9c0e-000000000005",
    "userId": 5,
    "displayName": "Jane Doe",
    "avatarUrl": None,
    "active": True,
}
JOHN = {**JANE, "id": "019aaf1e-5d2c-7a31-9c0e-000000000002", "userId": 2, "displayName": "John Smith"}
PERSON = {
    "id": JANE["id"],
    "userId": 5,
    "displayName": "Jane Doe",
    "firstName": "Jane",
    "lastName": "Doe",
    "avatarUrl": None,
    "online": True,
    "email": "jane@company.com",
}
LAST_MESSAGE = {
    "id": "019aaf1e-5d2c-7a31-9c0e-0000000000a1",
    "seq": 414,
    "sender": JANE,
    "preview": "Hello team!",
    "createdAt": "2026-11-27T09:00:00.000Z",
    "deleted": False,
}
CHANNEL = {
    "id": CHANNEL_ID,
    "type": "group",
    "name": "Project Alpha",
    "otherUser": None,
    "memberCount": 2,
    "members": [JOHN, JANE],
    "lastSeq": 414,
    "changeSeq": 2,
    "lastMessage": LAST_MESSAGE,
    "lastReadSeq": 409,
    "unreadCount": 5,
    "mentionCount": 1,
    "muted": False,
    "mutedUntil": None,
    "hidden": False,
    "archived": False,
    "role": "owner",
    "canPost": True,
    "createdAt": "2026-11-26T09:00:00.000Z",
}
NEW_GROUP = {**CHANNEL, "lastSeq": 0, "changeSeq": 0, "lastMessage": None, "lastReadSeq": 0, "unreadCount": 0,
             "mentionCount": 0}  # fmt: skip
DIRECT = {**NEW_GROUP, "type": "direct", "name": "Jane Doe", "otherUser": JANE, "role": "member", "created": True}
MEMBER = {**JANE, "role": "member", "joinedAt": "2026-11-26T09:00:00.000Z", "lastReadSeq": 412}
