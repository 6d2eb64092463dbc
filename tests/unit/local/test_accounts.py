"""What accounts are given on one machine."""

import stat
from pathlib import Path

from chatsphere.settings import AccountSettings, CredentialThrottleSettings, MailSettings, MfaSettings, PlanSettings
from infra.local.accounts import account_values
from infra.local.home import Home


def test_every_group_of_their_settings_loads_and_no_mail_leaves_the_machine(tmp_path: Path) -> None:
    values = account_values(Home(tmp_path))

    mail = MailSettings.load(values)
    assert (mail.mailer, mail.mail_folder) == ("files", str(tmp_path / "mail"))
    assert AccountSettings.load(values).require_verified_email is False
    assert CredentialThrottleSettings.load(values).credential_tries_per_minute == 6000
    assert PlanSettings.load(values).default_plan == "Pro"


def test_the_key_of_second_factors_is_made_once_in_each_home_an_old_one_too(tmp_path: Path) -> None:
    old = Home(tmp_path)
    old.secret("chatsphere_app")

    key = MfaSettings.load(account_values(old)).mfa_encryption_key

    assert MfaSettings.load(account_values(Home(tmp_path))).mfa_encryption_key == key
    assert len(key) >= 32
    (tmp_path / "other").mkdir()
    assert account_values(Home(tmp_path / "other"))["MFA_ENCRYPTION_KEY"] != key
    assert stat.S_IMODE((tmp_path / "secrets.json").stat().st_mode) == 0o600
