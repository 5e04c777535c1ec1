"""Examples that several operations show."""

from typing import Any

WINNER_ID = "019aaf1e-5d2c-7a31-9c0e-0000000000e1"
LOSER_ID = "019aaf1e-5d2c-7a31-9c0e-0000000000e2"
MERGE_ID = "019aaf1e-5d2c-7a31-9c0e-0000000000f1"
LINK_ID = "019aaf1e-5d2c-7a31-9c0e-0000000000d1"
ACTOR_ID = "019aaf1e-5d2c-7a31-9c0e-000000000005"
AT = "2026-11-28T09:00:00.000Z"
ENTITY = {
    "canonicalId": WINNER_ID,
    "name": "Jane Doe",
    "email": "jane@company.com",
    "entityClass": "person",
    "status": "active",
    "mergedInto": None,
    "locked": False,
    "version": 1,
    "linksCount": 1,
    "orphaned": False,
    "createdAt": AT,
    "updatedAt": AT,
}
OTHER = {**ENTITY, "canonicalId": LOSER_ID, "name": "J. Doe", "email": "jane.doe@company.com"}
LINK = {
    "linkId": LINK_ID,
    "app": "sales",
    "entityType": "lead",
    "entityId": "42",
    "snapshot": {"name": "Jane Doe", "email": "jane@company.com"},
    "observedAt": AT,
    "method": "register",
    "confidence": None,
    "originCanonicalId": WINNER_ID,
    "createdAt": AT,
}
IDENTIFIER = {"kind": "email", "value": "jane@company.com", "raw": "jane@company.com", "linkId": LINK_ID}
DETAIL: dict[str, Any] = {
    **ENTITY,
    "attributes": {},
    "requestedId": WINNER_ID,
    "resolved": False,
    "mergedIds": [],
    "identifiers": [IDENTIFIER],
    "links": [LINK],
}
RECORD = {"app": "sales", "entityType": "lead", "entityId": 42}
REGISTERED = {
    "canonicalId": WINNER_ID,
    "linkId": LINK_ID,
    "created": True,
    "entity": ENTITY,
    "possibleDuplicates": [],
    "erasedBefore": False,
}
CANDIDATE = {
    "canonicalId": LOSER_ID,
    "name": "J. Doe",
    "email": "jane.doe@company.com",
    "score": 0.83,
    "reasons": [{"code": "similar", "field": "name", "weight": 3.1}],
}
HISTORY = {
    "id": "019aaf1e-5d2c-7a31-9c0e-0000000000b1",
    "seq": 1,
    "at": AT,
    "op": "registered",
    "actorId": ACTOR_ID,
    "reason": "",
    "canonicalIdAtTime": WINNER_ID,
    "payload": {
        "linkId": LINK_ID,
        "app": "sales",
        "entityType": "lead",
        "entityId": "42",
        "method": "register",
        "entityClass": "person",
    },
}
FIELDS = {
    "name": {"kept": "winner", "value": "Jane Doe", "winnerValue": "Jane Doe", "loserValue": "J. Doe"},
    "phone": {"kept": "loser", "value": "+12125550100", "winnerValue": None, "loserValue": "+12125550100"},
}
MERGED = {
    "mergeId": MERGE_ID,
    "dryRun": False,
    "alreadyMerged": False,
    "winnerId": WINNER_ID,
    "loserId": LOSER_ID,
    "winner": {**ENTITY, "version": 2, "linksCount": 2},
    "moved": {"links": 1, "identifiers": 1, "openDuplicates": 0},
    "fields": FIELDS,
    "blockers": [],
}
