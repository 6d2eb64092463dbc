"""Plans, and who takes the money for them."""

from collections.abc import Mapping
from typing import Self

from pydantic import model_validator

from chatsphere.settings.environment import Environment, VendorKey


class PlanSettings(Environment):
    """The plan of a new organization, by its name; it is also the one that is left when nobody pays any more.

    `owners_choose_plan`: whether, where no payments are taken, an owner may put the organization on any plan. Else
    another plan is given by whoever runs the deployment.
    """

    default_plan: str = "Free"
    owners_choose_plan: bool = False


class StripeSettings(Environment):
    """Stripe; billing is off without a key.

    `stripe_price_ids` says what is for sale: `Basic=price_1,Pro=price_2`, a plan's name and the id of its recurring
    price at Stripe. `stripe_endpoint` is set only where Stripe is not Stripe's own. `billing_return_url` is where a
    person comes back to after paying.
    """

    stripe_api_key: VendorKey = None
    stripe_webhook_secret: VendorKey = None
    stripe_price_ids: str = ""
    stripe_endpoint: str | None = None
    billing_return_url: str | None = None

    @property
    def prices(self) -> Mapping[str, str]:
        """Return the id of each plan's price at Stripe, by the plan's name."""
        pairs = [pair.partition("=") for pair in self.stripe_price_ids.split(",") if pair.strip()]
        return {name.strip(): price.strip() for name, _, price in pairs}

    @model_validator(mode="after")
    def _is_complete(self) -> Self:
        if self.stripe_api_key is None:
            return self
        for name in ("stripe_webhook_secret", "stripe_price_ids", "billing_return_url"):
            if not getattr(self, name):
                raise ValueError(f"STRIPE_API_KEY requires {name.upper()}, too")
        if not all(name and price for name, price in self.prices.items()):
            raise ValueError("STRIPE_PRICE_IDS must read: plan=price,plan=price")
        return self
