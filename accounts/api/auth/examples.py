"""Example bodies of ``/auth`` for the OpenAPI document."""

USER = {
    "id": "019aaf1e-5d2c-7a31-9c0e-6f1b7a1d2c3e",
    "userId": 1,
    "email": "admin@acme.com",
    "firstName": "John",
    "lastName": "Doe",
    "displayName": "John Doe",
    "role": "tenant_admin",
    "profile": {"id": 1, "name": "Administrator"},
    "status": "active",
    "emailVerified": True,
    "avatarUrl": None,
    "timezone": None,
    "locale": None,
    "lastSignInAt": "2026-11-23T09:14:00.000Z",
    "createdAt": "2026-11-20T08:00:00.000Z",
}
TENANT = {
    "id": "019aaf1e-5d2c-7a31-9c0e-000000000001",
    "name": "Acme Corp",
    "slug": "acme-corp",
    "status": "active",
    "plan": "trial",
    "timezone": "UTC",
    "locale": "en",
    "logoUrl": None,
    "createdAt": "2026-11-20T08:00:00.000Z",
}
TOKENS = {
    "accessToken": "eyJhbGciOiJIUzI1NiJ9.e30.c2lnbmF0dXJl",
    "refreshToken": "rt_019aaf1e5d2c7a319c0e000000000001.019aaf1e5d2c7a319c0e6f1b7a1d2c3e.c2VjcmV0",
    "expiresIn": 600,
}
SIGN_IN = {"email": "user@company.com", "password": "your-password", "tenantSlug": "your-tenant"}
MFA_TOKEN = "eyJ0IjoiMDE5YWFmMWUifQ:1vNx2k:Wk1zc2lnbmF0dXJl"  # noqa: S105 - an example
SET_UP = {
    "secret": "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP",
    "otpauthUri": "otpauth://totp/Acme%20Corp:Core%20Platform%20%28admin%40acme.com%29"
    "?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP&issuer=Acme%20Corp",
    "qrSvg": '<svg xmlns="http://www.w3.org/2000/svg" width="212px" height="212px" viewBox="0 0 212 212"></svg>',
}
RECOVERY_CODES = [
    "8k3mq-x72vd",
    "p0w5t-hn4ra",
    "zc1je-69gbf",
    "t7d2y-mk8sv",
    "4hq0x-wr5pn",
    "ae6vb-3zj9c",
    "n2t8g-y1fdk",
    "x5s7m-qh0pw",
    "r9cz4-e8vtj",
    "b3gyn-6d1fa",
]
RESET_TOKEN = (
    "rst_019aaf1e5d2c7a319c0e000000000001.019aaf1e5d2c7a319c0e6f1b7a1d2c3e"  # noqa: S105 - an example
    ".aW4gYW4gZXhhbXBsZSBub2JvZHkgY2FuIHJlc2V0Ly9f"
)
