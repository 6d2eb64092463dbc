"""An organization is deleted everywhere, and its receipt says what was there and that nothing is left."""

from collections.abc import Iterator
from functools import partial
from uuid import UUID

import pytest

from chatsphere.adapters.stripe_payments import StripePayments
from chatsphere.errors import InsufficientRoleError
from chatsphere.identity.passwords import confirm
from chatsphere.ports.vectors import Namespace
from chatsphere.privacy.requesting import ErasureDesk
from chatsphere.settings import StripeSettings
from tests.builders.running_api import PASSWORD
from tests.integration.privacy.world import IDS, World, deliver
from tests.loopback.scripted_http import Fault
from tests.loopback.stripe_server import API_KEY, RETURN_URL, WEBHOOK_SECRET, FakeStripe, running_stripe


def test_the_receipt_counts_what_was_there_and_nothing_is_left(world: World) -> None:
    # Given two organizations with the same things in them
    account, other = world.api.register(), world.api.register()
    bot_id, other_bot = world.fill(account), world.fill(other)
    namespace = Namespace(UUID(account.organization_id), UUID(bot_id))
    # And something of both in the archive's bucket
    for each, bot in ((account, bot_id), (other, other_bot)):
        world.archive(each, bot)
    others = world.rows_of_organization(other.organization_id)
    # When
    answer = world.delete_organization(account)
    assert answer.status == 202, answer.text
    there = world.rows_of_organization(account.organization_id)
    vectors = world.api.container.vector_store.count(namespace)
    versions = world.objects.count_versions(f"{account.organization_id}/")
    archived = world.api.container.archive_eraser.count(UUID(account.organization_id))
    assert world.purge() == []
    # Then
    erasure = world.receipt(answer)
    assert erasure["status"] == "done"
    stored = {"vectors": vectors, "objects": versions, "archived_objects": archived, "exported_objects": 1}
    assert erasure["receipt"]["removed"] == there | stored
    assert {key.split("/")[1] for key in world.archived()} == {other.organization_id, "v1"}
    assert not any(account.organization_id in key for key in world.archived())
    assert (vectors, versions) == (3, 3)
    assert there.keys() >= {
        "audit_log", "api_keys", "bots", "bot_members", "chunks", "chunk_vectors", "conversations", "documents",
        "error_logs", "lexical_postings", "memberships", "messages", "organizations", "rate_limits", "sessions",
        "usage_events", "bot_versions", "idempotency_keys",
    }  # fmt: skip
    assert set(erasure["receipt"]["left"].values()) == {0}
    assert erasure["receipt"]["left"].keys() >= erasure["receipt"]["removed"].keys()
    assert world.rows_of_organization(account.organization_id) == {}
    assert world.columns_with(account.organization_id) == {"erasures.subject_id"}
    assert world.objects.count_versions(f"{account.organization_id}/") == 0
    assert world.api.container.vector_store.count(namespace) == 0
    # And the other one is as it was
    assert world.rows_of_organization(other.organization_id) == others
    assert world.objects.count_versions(f"{other.organization_id}/{other_bot}/") == 3
    # And the person lives on, and may begin anew
    assert world.columns_with(account.user_id) == {"users.id", "erasures.requested_by"}
    login = {"email": account.email, "password": PASSWORD}
    assert world.api.request("POST", "/v1/auth/login", login).status == 200


def test_from_the_request_on_nothing_of_the_organization_answers(world: World) -> None:
    # Given
    account = world.api.register()
    key = world.api.api_key(account)
    # When
    assert world.delete_organization(account).status == 202
    # Then
    for credential in (account.access_token, key["key"]):
        assert world.api.request("GET", "/v1/bots", token=credential).status == 401
    refresh = {"refresh_token": account.refresh_token}
    assert world.api.request("POST", "/v1/auth/refresh", refresh).status == 401
    assert world.delete_organization(account).status == 401


def test_what_is_paid_for_is_not_deleted_before_the_subscription_ends(world: World) -> None:
    # Given: nobody could end it afterwards
    account = world.api.register()
    subscribe = "UPDATE organizations SET stripe_subscription_id = %s WHERE id = %s"
    world.admin.execute(subscribe, ("sub_1", account.organization_id))
    # When, Then
    for refused in (world.delete_organization(account), world.delete_me(account)):
        assert (refused.status, refused.code) == (409, "subscription_active")
    world.admin.execute(subscribe, (None, account.organization_id))
    assert world.delete_organization(account).status == 202


@pytest.fixture
def stripe(world: World) -> Iterator[FakeStripe]:
    """The deployment takes payments."""
    with running_stripe() as server:
        c = world.api.container
        c.stripe_settings = StripeSettings(
            stripe_api_key=API_KEY,
            stripe_webhook_secret=WEBHOOK_SECRET,
            stripe_price_ids="Pro=price_pro",
            stripe_endpoint=server.server.url,
            billing_return_url=RETURN_URL,
        )
        c.payments = StripePayments(c.stripe_settings)
        yield server


def test_the_customer_at_stripe_is_deleted_with_what_is_paid_for_late(world: World, stripe: FakeStripe) -> None:
    # Given a checkout that was opened before the deletion, and is paid after it
    account, other = world.api.register(), world.api.register()
    pages = []
    for each in (account, other):
        path = f"/v1/organizations/{each.organization_id}/billing/checkout"
        pages.append(world.api.request("POST", path, {"plan": "Pro"}, token=each.access_token).json["url"])
    answer = world.delete_organization(account)
    subscriptions = [stripe.pay(page) for page in pages]
    # When Stripe does not answer at first
    stripe.server.faults.queue(Fault.UNAVAILABLE, Fault.UNAVAILABLE)
    assert world.purge() != []
    assert world.purge() == []
    # Then
    receipt = world.receipt(answer)["receipt"]
    assert (receipt["removed"]["payment_customers"], receipt["left"]["payment_customers"]) == (1, 0)
    assert [stripe.subscriptions[each]["status"] for each in subscriptions] == ["canceled", "active"]
    assert [customer["email"] for customer in stripe.customers.values()] == [other.email]
    assert receipt["unreached"] is None


def test_a_customer_whom_nobody_can_delete_is_said_in_the_receipt(world: World) -> None:
    account = world.api.register()
    customer = "UPDATE organizations SET stripe_customer_id = 'cus_1' WHERE id = %s"
    world.admin.execute(customer, (account.organization_id,))
    answer = world.delete_organization(account)
    assert world.purge() == []
    assert world.receipt(answer)["receipt"]["unreached"] == {"payment_customers": 1}


def test_only_an_owner_with_the_password_deletes_an_organization(world: World) -> None:
    owner, admin = world.api.register(), world.api.register()
    world.join(admin, owner, "admin")
    path = f"/v1/organizations/{owner.organization_id}"
    wrong = world.api.request("DELETE", path, {"password": "another one"}, token=owner.access_token)
    assert (wrong.status, wrong.code) == (403, "not_confirmed")
    key = world.api.api_key(owner)
    assert world.api.request("DELETE", path, {"password": PASSWORD}, token=key["key"]).status == 403
    assert world.api.request("DELETE", path, {"password": PASSWORD}, token=admin.access_token).status == 404
    assert world.api.request("DELETE", path, {}, token=owner.access_token).status == 422
    assert world.api.request("GET", "/v1/me", token=owner.access_token).status == 200


def test_who_owns_it_no_more_when_the_password_is_checked_deletes_nothing(world: World) -> None:
    former, owner = world.api.register(), world.api.register()
    world.join(owner, former, "owner")
    c = world.api.container
    desk = ErasureDesk(c.authenticator_database, c.database, c.purge_queue, c.clock, IDS)
    person = confirm(c.password_checks, UUID(former.user_id), PASSWORD)
    world.admin.execute(
        "UPDATE memberships SET role = 'admin' WHERE organization_id = %s AND user_id = %s",
        (former.organization_id, former.user_id),
    )

    with pytest.raises(InsufficientRoleError):
        desk.request_organization(UUID(former.organization_id), person, c.second_factor, None)

    assert world.api.request("GET", "/v1/me", token=former.access_token).status == 200


def test_the_owners_second_factor_is_asked_for(world: World) -> None:
    owner = world.api.register()
    totp = world.enroll(owner)
    path = f"/v1/organizations/{owner.organization_id}"
    delete = partial(world.api.request, "DELETE", path, token=owner.access_token)

    assert delete({"password": PASSWORD}).code == "not_confirmed"
    assert delete({"password": PASSWORD, "code": "000000"}).code == "not_confirmed"
    world.api.clock.advance(seconds=60)
    assert delete({"password": PASSWORD, "code": totp.at(world.api.clock.now())}).status == 202


def test_an_unknown_receipt_is_not_found(world: World) -> None:
    answer = world.api.request("POST", "/v1/erasures/receipt", {"receipt_token": "cse_" + "x" * 43})
    assert (answer.status, answer.code) == (404, "not_found")


def test_a_message_that_comes_twice_or_too_late_changes_nothing(world: World) -> None:
    # Given
    account = world.api.register()
    world.fill(account)
    answer = world.delete_organization(account)
    ((message, _),) = [sent for sent in world.api.purge_queue.sent if "erasure_id" in sent[0]]
    assert world.purge() == []
    receipt = world.receipt(answer)
    # When
    assert deliver(message)
    assert deliver({"erasure_id": "01970000-0000-7000-8000-0000000000ff"})
    # Then
    assert world.receipt(answer) == receipt


def test_a_lost_message_is_found_by_the_reaper(world: World) -> None:
    account = world.api.register()
    answer = world.delete_organization(account)
    world.api.purge_queue.sent.clear()
    assert world.reap(answer) == 1
    assert world.purge() == []
    assert world.receipt(answer)["status"] == "done"


def test_an_upload_during_the_deletion_is_found_by_the_second_look(world: World) -> None:
    # Given
    account = world.api.register()
    bot_id = world.fill(account)
    answer = world.delete_organization(account)
    delete_prefix = world.objects.delete_prefix

    def then_upload(prefix: str) -> int:
        deleted = delete_prefix(prefix)
        if prefix == f"{account.organization_id}/":
            world.objects.delete_prefix = delete_prefix  # type: ignore[method-assign]
            world.objects.put(f"{prefix}{bot_id}/late.txt", b"Late.", content_type="text/plain", metadata={})
        return deleted

    world.objects.delete_prefix = then_upload  # type: ignore[method-assign]
    # When
    failed = world.purge()
    # Then
    assert [*failed[0]] == ["erasure_id"]
    assert world.receipt(answer)["receipt"] is None
    assert world.purge() == []
    assert world.receipt(answer)["status"] == "done"
    assert world.objects.count_versions(f"{account.organization_id}/") == 0


def test_what_was_permitted_before_and_comes_after_the_receipt_is_deleted_as_well(world: World) -> None:
    # Given a form that was lent before the deletion and is used after it
    account = world.api.register()
    bot_id = world.fill(account)
    answer = world.delete_organization(account)
    assert world.purge() == []
    pipeline = world.pipeline(account, bot_id)
    world.objects.events.clear()
    pipeline.drop("late.txt", "Late.")
    pipeline.deliver_events()
    # When
    assert world.reap(answer) == 0
    world.api.clock.advance(hours=2)
    assert world.reap(answer) == 1
    assert world.purge() == []
    # Then
    receipt = world.receipt(answer)["receipt"]
    assert receipt["late_objects_removed"] == 1
    assert world.objects.count_versions(f"{account.organization_id}/") == 0
    (names,) = world.admin.execute(
        "SELECT count(*) FROM quarantined_objects WHERE starts_with(s3_key, %s)", (account.organization_id,)
    )
    assert names == (0,)
    # And that was it
    world.api.clock.advance(hours=2)
    assert world.reap(answer) == 0
