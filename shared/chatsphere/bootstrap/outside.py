"""A part of the container; see `chatsphere.bootstrap`."""

from functools import cached_property

from chatsphere import settings
from chatsphere.bootstrap.environment import EnvironmentParts
from chatsphere.ports.mail import Mailer
from chatsphere.ports.payments import Payments
from chatsphere.ports.web import PageFetcher, WebPoster


class Outside(EnvironmentParts):
    """Mail, payments, and the web."""

    @cached_property
    def mail_settings(self) -> settings.MailSettings:
        """Where the links of mails lead."""
        return self._load(settings.MailSettings)

    @cached_property
    def mailer(self) -> Mailer:
        """What sends mail."""
        if self.mail_settings.mailer == "ses":
            from chatsphere.adapters.ses import SesMailer

            return SesMailer(self.mail_settings)
        if self.mail_settings.mailer == "none":
            from chatsphere.adapters.no_mail import NoMailer

            return NoMailer()
        from chatsphere.adapters.mail_files import FileMailer

        return FileMailer(self.mail_settings)

    @cached_property
    def operator_settings(self) -> settings.OperatorSettings:
        """Who runs the deployment."""
        return self._load(settings.OperatorSettings)

    @cached_property
    def plan_settings(self) -> settings.PlanSettings:
        """The plan of a new organization."""
        return self._load(settings.PlanSettings)

    @cached_property
    def stripe_settings(self) -> settings.StripeSettings:
        """Whether, and how, plans are paid for."""
        return self._load(settings.StripeSettings)

    @cached_property
    def payments(self) -> Payments:
        """What takes money.

        Raises:
            BillingOffError: nothing does.
        """
        from chatsphere.errors import BillingOffError

        if self.stripe_settings.stripe_api_key is None:
            raise BillingOffError
        from chatsphere.adapters.stripe_payments import StripePayments

        return StripePayments(self.stripe_settings)

    @cached_property
    def web_settings(self) -> settings.WebSettings:
        """How pages of the web are fetched."""
        return self._load(settings.WebSettings)

    @cached_property
    def page_fetcher(self) -> PageFetcher:
        """What asks web servers."""
        from chatsphere.adapters.web import WebPages

        return WebPages(self.web_settings)

    @cached_property
    def web_poster(self) -> WebPoster:
        """What sends to web servers."""
        from chatsphere.adapters.web import WebPosts

        return WebPosts(self.web_settings)

    @cached_property
    def browser_settings(self) -> settings.BrowserSettings:
        """Which pages may read answers."""
        return self._load(settings.BrowserSettings)

    @cached_property
    def api_settings(self) -> settings.ApiSettings:
        """What the API says of itself."""
        return self._load(settings.ApiSettings)
