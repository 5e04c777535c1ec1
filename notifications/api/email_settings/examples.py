"""Examples of the e-mail settings for the OpenAPI document."""

AT = "2026-11-23T08:00:00.000Z"
SENDER = {"fromName": "Acme Support", "replyTo": "support@acme.example"}
TRACKING = {
    "openTracking": False,
    "clickTracking": False,
    "requireConsent": True,
    "trackSecurityEmails": False,
    "anonymizeIp": True,
    "retentionDays": 90,
}
COMPLIANCE = {
    "canSpam": {"enabled": True, "companyName": "Acme Corp", "physicalAddress": "1 Main Street, Springfield"},
    "gdpr": {
        "enabled": True,
        "privacyPolicyUrl": "https://acme.example/privacy",
        "dpoEmail": "dpo@acme.example",
        "lawfulBasis": "legitimate_interest",
        "consentText": "",
        "retentionDays": 90,
    },
    "unsubscribe": {"oneClick": True, "listUnsubscribe": True},
    "suppressOnComplaint": True,
}
FOOTER = {
    "enabled": True,
    "html": "<p>{{ company }}, {{ address }}</p>",
    "text": "{{ company }}, {{ address }}",
    "includeAddress": True,
    "includeUnsubscribe": True,
    "includeSocial": ["https://social.example/acme"],
}
TESTED = {
    "ok": False,
    "stage": "auth",
    "code": "auth_failed",
    "smtpCode": 535,
    "latencyMs": 212,
    "tls": {"version": "TLSv1.3", "cipher": "TLS_AES_256_GCM_SHA384"},
}
SMTP = {
    "configured": True,
    "enabled": True,
    "host": "smtp.acme.example",
    "port": 587,
    "username": "mailer",
    "security": "starttls",
    "fromEmail": "crm@acme.example",
    "hasPassword": True,
    "passwordUpdatedAt": AT,
    "fallbackToPlatform": False,
    "verifiedAt": None,
    "lastTest": {**TESTED, "at": AT},
    "failures": 0,
    "pausedUntil": None,
}
SMTP_IN = {
    "host": "smtp.acme.example",
    "port": 587,
    "username": "mailer",
    "password": "correct horse battery",
    "security": "starttls",
    "fromEmail": "crm@acme.example",
}
DELIVERABILITY = {
    "domain": "acme.example",
    "dkimSelectors": ["pm"],
    "provider": "postmark",
    "dmarcPolicyTarget": "none",
    "expectedSpfInclude": "spf.mtasv.net",
    "status": "fail",
    "records": [
        {
            "purpose": "spf",
            "type": "TXT",
            "host": "acme.example",
            "status": "fail",
            "expected": "v=spf1 include:spf.mtasv.net ~all",
            "found": "v=spf1 include:_spf.google.com -all",
            "message": "The provider's include is missing.",
        }
    ],
    "checks": {
        "spf": {"status": "fail", "lookups": 4, "all": "fail"},
        "dkim": {"status": "pass"},
        "dmarc": {"status": "pass", "policy": "none"},
        "mx": {"status": "pass"},
        "freeMailFrom": False,
    },
    "lastCheckedAt": AT,
    "nextCheckAt": "2026-11-23T08:15:00.000Z",
}
STATUS = {
    "ready": True,
    "mode": "tenant_smtp",
    "sections": {
        "smtp": {"configured": True, "enabled": True, "verified": True, "lastTestOk": True, "paused": False},
        "sender": {"fromNameSet": True, "replyToSet": True},
        "tracking": {"openTracking": False, "clickTracking": False},
        "compliance": {"complete": True, "missing": []},
        "footer": {"enabled": True},
        "deliverability": {"status": "fail", "spf": "fail", "dkim": "pass", "dmarc": "pass"},
    },
    "blocking": [],
    "warnings": ["spf_failed"],
    "suppressed": {"count": 3},
    "last24h": {"sent": 412, "bounced": 2, "complained": 0, "bounceRate": 0.0049, "complaintRate": 0.0},
}
SUPPRESSION = {
    "id": "0197d9c4-2a5b-7c31-9f7e-1b2a3c4d5e6f",
    "email": "gone@acme.example",
    "reason": "hard_bounce",
    "scope": "all",
    "detail": "refused by the mail server",
    "createdAt": AT,
    "expiresAt": None,
}
