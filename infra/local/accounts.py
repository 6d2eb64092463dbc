"""Accounts, plans and mail on one machine: no mail leaves it, and no limit stands in the way of trying things out."""

from infra.local.home import Home

PLAN = "Pro"


def account_values(home: Home) -> dict[str, str]:
    """Return the variables of the settings of accounts, which are the same in every home but for its secret and folder.

    The key of second factors is made on the first start; without it, nobody who has one could log in again.
    """
    return {
        "MFA_ENCRYPTION_KEY": home.secret("mfa_encryption_key"),
        "MAILER": "files",
        "MAIL_FOLDER": str(home.mail),
        "REQUIRE_VERIFIED_EMAIL": "false",
        "ORGANIZATIONS_PER_PERSON": "1000",
        "CREDENTIAL_TRIES_PER_MINUTE": "6000",
        "DEFAULT_PLAN": PLAN,
        "OWNERS_CHOOSE_PLAN": "true",
        "OPERATOR_ORGANIZATIONS": "*",
    }
