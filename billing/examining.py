"""What ``manage.py doctor`` looks at of billing."""

from django.conf import settings

from billing.stripe_api import key_is_live
from platform_site.doctor.catalog import Finding, fine, problem, skipped, warning


def key() -> Finding:
    """Whether the key fits what this installation is for."""
    if not settings.BILLING_CONFIGURED:
        return skipped("Billing is not configured.")
    if settings.DEBUG:
        if key_is_live():
            return problem("STRIPE_SECRET_KEY moves real money while DEBUG is on.", "Use a key of test mode.")
        return fine("A key of test mode, for development.")
    if settings.STRIPE_API_BASE:
        return problem("STRIPE_API_BASE leads elsewhere than to Stripe.", "Unset it: nobody pays there.")
    if not key_is_live():
        return warning("STRIPE_SECRET_KEY is of test mode: nobody pays.", "Use a live key, unless this is a trial.")
    return fine("A live key.")


def webhook() -> Finding:
    # Not at the top: the services import the catalogue, which imports this.
    from billing.services.webhook_endpoint import webhook_endpoint, webhook_url

    if not settings.STRIPE_WEBHOOK_SECRETS:
        return problem("STRIPE_WEBHOOK_SECRETS is not set.", "manage.py billing_webhook --create prints the secret.")
    endpoint = webhook_endpoint(url=webhook_url())
    if not endpoint.id:
        return problem(f"Stripe has no endpoint for {endpoint.url}.", "manage.py billing_webhook --create")
    if endpoint.status != "enabled":
        return problem(f"The endpoint {endpoint.id} is switched off.", "Switch it on in Stripe's dashboard.")
    if endpoint.version != endpoint.our_version:
        return problem(
            f"The endpoint {endpoint.id} speaks {endpoint.version or 'the version of the account'}, this code"
            f" {endpoint.our_version}.",
            "manage.py billing_webhook --create after removing it in Stripe's dashboard; then its new secret first.",
        )
    if endpoint.missing:
        return problem(
            f"The endpoint {endpoint.id} is not told of {endpoint.missing[0]}"
            + (f" and {len(endpoint.missing) - 1} more events." if len(endpoint.missing) > 1 else "."),
            "Add them in Stripe's dashboard; manage.py billing_webhook names all.",
        )
    return fine(f"Stripe tells {endpoint.url}.")


def prices() -> Finding:
    from billing.services.catalogue_sync import catalogue_sync

    report = catalogue_sync(create=False)
    if report.missing:
        return problem(f"Stripe lacks the price {report.missing[0]}.", "manage.py billing_sync_catalogue --create")
    if report.different:
        return problem(
            f"{report.different[0]} costs something else at Stripe.",
            "manage.py billing_sync_catalogue --replace, or put the old price back into the plans.",
        )
    return fine(f"Stripe has all {len(report.present)} prices.")
