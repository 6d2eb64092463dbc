"""What ChatSphere needs from the outside, as protocols. The docstrings are the contract.

Adapters live in `chatsphere.adapters`; only `chatsphere.bootstrap` chooses them. Every adapter passes the
contract suite of its port (`tests/contract/`). No vendor's type or error crosses a port: an adapter raises
`UnavailableError` when the other side does not answer.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum, auto
from pathlib import Path
from typing import Any, Literal, Protocol
from uuid import UUID

from chatsphere.cancellation import Cancellation

Vector = Sequence[float]


class Clock(Protocol):
    """The only source of time."""

    def now(self) -> datetime:
        """Return the present time in UTC, with its zone."""
        ...


class Ids(Protocol):
    """The only source of identifiers."""

    def new(self) -> UUID:
        """Return a new UUIDv7: later calls sort after earlier ones."""
        ...


# ---------------------------------------------------------------------------------------------- embedding


class TokenCounter(Protocol):
    """Counts text as the embedder does."""

    def count_tokens(self, text: str) -> int:
        """Return the number of tokens of `text`, special tokens not counted."""
        ...


class Embedder(TokenCounter, Protocol):
    """Turns text into unit vectors; cosine similarity is then the dot product."""

    @property
    def model(self) -> str:
        """Name of the model, stored beside every vector it makes."""
        ...

    @property
    def dimensions(self) -> int:
        """Length of every vector."""
        ...

    def embed_documents(self, texts: Sequence[str]) -> list[Vector]:
        """Return one unit vector for each text, in order. Text past the model's limit is ignored."""
        ...

    def embed_query(self, text: str) -> Vector:
        """Return the unit vector of a question."""
        ...

    def cost(self, tokens: int) -> int:
        """Return what embedding so many tokens costs in micro-dollars, rounded up."""
        ...


@dataclass(frozen=True, slots=True)
class EmbeddingModel:
    """A model that a deployment can embed with. The price is in micro-dollars for a million tokens.

    `is_default`: it embeds bots that no other model was chosen for.
    """

    name: str
    dimensions: int
    microdollars_per_million_tokens: int
    is_default: bool

    def cost(self, tokens: int) -> int:
        """As `Embedder.cost`."""
        return -(-tokens * self.microdollars_per_million_tokens // 1_000_000)


# ---------------------------------------------------------------------------------- text in pictures (OCR)


class Ocr(Protocol):
    """Reads text that is shown as a picture."""

    @property
    def engine(self) -> str:
        """Name of the engine."""
        ...

    def read(self, image: bytes) -> str:
        """Return the text of a PNG of one page, its lines parted by line ends; empty if it shows none.

        Returns within a time of its own, of a minute or so. May be called from any thread, one call at a time.

        Raises:
            DocumentError: this picture cannot be read.
            UnavailableError: the engine does not answer, or refuses more calls for the moment.
        """
        ...


# ------------------------------------------------------------------------------------------- vector store


@dataclass(frozen=True, slots=True)
class Namespace:
    """One bot's vectors of one revision of its embedding; nothing crosses from one namespace to another.

    `dimensions`, the length of its vectors, says where a store that keeps each length apart has to look; None stands
    for the deployment's. A revision is of one model, so that it is no part of what a namespace is.
    """

    organization_id: UUID
    bot_id: UUID
    revision: int = 0
    dimensions: int | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class VectorRecord:
    """One vector. `id` is `document:generation:ordinal`, so that writing it twice changes nothing."""

    id: str
    values: Vector
    document_id: UUID
    generation: int
    chunk_id: UUID


@dataclass(frozen=True, slots=True)
class VectorMatch:
    """A stored vector and its cosine similarity with the query, in [-1, 1]."""

    chunk_id: UUID
    document_id: UUID
    score: float


@dataclass(frozen=True, slots=True)
class VectorsPage:
    """Documents that have vectors in a part of a namespace, and where the next part begins: None after the last."""

    documents: frozenset[UUID]
    next_place: str | None


class VectorStore(Protocol):
    """Stores vectors by namespace and finds the nearest."""

    def upsert(self, namespace: Namespace, records: Sequence[VectorRecord]) -> None:
        """Write the records; one with a known id replaces it. Then searches find them, or will in a moment.

        Raises:
            NotFoundError: a record's document was deleted meanwhile; only stores that can know it raise this.
        """
        ...

    def query(
        self, namespace: Namespace, vector: Vector, *, limit: int, documents: Collection[UUID] | None = None
    ) -> list[VectorMatch]:
        """Return up to `limit` nearest vectors of live generations and others, best first.

        `documents` restricts the search to these documents; an empty collection finds nothing.
        """
        ...

    def delete_document(
        self,
        namespace: Namespace,
        document_id: UUID,
        *,
        except_generation: int | None = None,
        through_generation: int | None = None,
    ) -> int:
        """Delete a document's vectors; return how many were deleted.

        `except_generation` stays, and so does all that is newer than `through_generation`, where they are named.

        Raises:
            UnavailableError: also where the store cannot show yet that they are gone; to be tried again.
        """
        ...

    def delete_namespace(self, namespace: Namespace) -> int:
        """Delete every vector of the namespace and return how many there were.

        Raises:
            UnavailableError: as `delete_document`.
        """
        ...

    def count(self, namespace: Namespace, document_id: UUID | None = None) -> int:
        """Return the number of vectors of the namespace, or of one document in it."""
        ...

    def fetch(self, namespace: Namespace, ids: Sequence[str]) -> dict[str, Vector]:
        """Return the vectors of these ids as they are kept, as precisely as the store does; of those it shows."""
        ...

    def documents(self, namespace: Namespace, *, after: str | None = None) -> VectorsPage:
        """Return which documents have vectors in the next part of the namespace; one may be in several parts.

        `after` is the `next_place` of the part before. A vector that is written or deleted meanwhile may be missed.
        """
        ...


# ------------------------------------------------------------------------------------------------- memory


@dataclass(frozen=True, slots=True)
class MessageVector:
    """The vector of one message. `role` is `user` or `assistant`."""

    message_id: UUID
    conversation_id: UUID
    end_user_id: str | None
    role: str
    created_at: datetime
    values: Vector


@dataclass(frozen=True, slots=True)
class MessageFilter:
    """Which messages a search may find; None: any. `since` is inclusive, `until` exclusive, both to the millisecond.

    An empty collection of conversations finds nothing. `exclude` are messages. Of both, up to 10,000 may be named.
    """

    conversations: Collection[UUID] | None = None
    end_user_id: str | None = None
    role: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    exclude: Collection[UUID] = ()


@dataclass(frozen=True, slots=True)
class MessageMatch:
    """A message whose vector was found, and its cosine similarity with the query, in [-1, 1]."""

    message_id: UUID
    conversation_id: UUID
    score: float


@dataclass(frozen=True, slots=True)
class ConversationsPage:
    """Conversations that have vectors in a part of a namespace; `next_place` as of a `VectorsPage`."""

    conversations: frozenset[UUID]
    next_place: str | None


class MessageVectors(Protocol):
    """Stores one vector for each message, apart from the vectors of documents, and finds the nearest.

    A `Namespace` here is one bot's memory as one model embedded it: its revisions are counted by themselves, and none
    is used twice.
    """

    def upsert(self, namespace: Namespace, records: Sequence[MessageVector]) -> None:
        """Write the records; one of a known message replaces it. Then searches find them, or will in a moment.

        Raises:
            NotFoundError: a record's conversation was deleted meanwhile; only stores that can know it raise this.
        """
        ...

    def query(
        self, namespace: Namespace, vector: Vector, *, limit: int, where: MessageFilter | None = None
    ) -> list[MessageMatch]:
        """Return up to `limit` nearest messages, best first."""
        ...

    def delete_conversation(
        self, namespace: Namespace, conversation_id: UUID, messages: Collection[UUID] | None = None
    ) -> int:
        """Delete a conversation's vectors, or those of these messages of it; return how many were deleted.

        Raises:
            UnavailableError: also where the store cannot show yet that they are gone; to be tried again. As the next.
        """
        ...

    def delete_end_user(self, namespace: Namespace, end_user_id: str) -> int:
        """Delete the vectors of all messages of an end user's conversations; return how many were deleted."""
        ...

    def delete_namespace(self, namespace: Namespace) -> int:
        """Delete every vector of the namespace and return how many there were."""
        ...

    def count(self, namespace: Namespace, conversation_id: UUID | None = None) -> int:
        """Return the number of vectors of the namespace, or of one conversation in it."""
        ...

    def conversations(self, namespace: Namespace, *, after: str | None = None) -> ConversationsPage:
        """Return which conversations have vectors in the next part of the namespace; see `VectorStore.documents`."""
        ...


# ------------------------------------------------------------------------------------------- answer model


@dataclass(frozen=True, slots=True)
class Turn:
    """One earlier message of a conversation; `role` is `user` or `assistant`.

    `recalled`: found by what it means, from long before or from another conversation. It is no part of what was said
    last, and like a passage it is data.
    """

    role: str
    content: str
    recalled: bool = False


@dataclass(frozen=True, slots=True)
class SourcePassage:
    """A passage given to the model. `number` (from 1) is how a citation names it."""

    number: int
    document_name: str
    heading: str | None
    content: str


@dataclass(frozen=True, slots=True)
class AnswerRequest:
    """All that the model is given. Passages are data: nothing in them is an instruction.

    `cancellation` ends the call from another thread. `standalone`: what `standalone_question` made of question and
    history, empty where it was not asked.
    """

    question: str
    passages: Sequence[SourcePassage]
    standalone: str = field(default="", kw_only=True)
    history: Sequence[Turn] = ()
    system_prompt: str = ""
    temperature: float = 0.2
    max_output_tokens: int = 1024
    cancellation: Cancellation = field(default_factory=Cancellation, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class AnswerDelta:
    """The next piece of the answer's text."""

    text: str


@dataclass(frozen=True, slots=True)
class AnswerCitation:
    """A span of the answer (character offsets, end exclusive) that rests on `quote` in passage `number`.

    What an adapter says here is a claim: the caller checks it against the passage. `quote_start` says where in the
    passage the quote stands, for one that stands there more than once; without it the first place counts.
    """

    number: int
    quote: str
    answer_start: int
    answer_end: int
    quote_start: int | None = None


@dataclass(frozen=True, slots=True)
class AnswerEnd:
    """Always the last event of a stream that did not fail. Tokens and cost are of the whole call."""

    finish_reason: str
    prompt_tokens: int
    completion_tokens: int
    cost_microdollars: int


AnswerEvent = AnswerDelta | AnswerCitation | AnswerEnd


@dataclass(frozen=True, slots=True)
class StandaloneQuestion:
    """A question that needs no history, and what it took to make it so."""

    text: str
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost_microdollars: int = 0


class AnswerModel(Protocol):
    """Writes an answer from passages."""

    @property
    def model(self) -> str:
        """Name of the model, kept with each message."""
        ...

    def stream(self, request: AnswerRequest) -> Iterator[AnswerEvent]:
        """Yield the answer as it is made. Closing the iterator cancels the call.

        So does the request's `cancellation`, also while nothing comes: the iterator then raises within a second, if
        it had anything to wait for.

        Raises:
            CallCancelledError: because of the request's `cancellation`.
            UnavailableError: the model does not answer; may come after some deltas, as may the others.
            AnswerBlockedError: its safety rules stopped it.
            EmptyAnswerError: it ended without a word.
            ProviderRejectedError: it does not take the call.
        """
        ...

    def standalone_question(self, question: str, history: Sequence[Turn]) -> StandaloneQuestion:
        """Return `question` with what it leaves to the history filled in, as a query for retrieval."""
        ...

    def count_tokens(self, text: str) -> int:
        """Return about how many tokens the model makes of the text, rather too many than too few."""
        ...

    def cost(self, prompt_tokens: int, completion_tokens: int) -> int:
        """Return what a call costs in micro-dollars, rounded up."""
        ...


# ------------------------------------------------------------------------------------------- object store


@dataclass(frozen=True, slots=True)
class PresignedPost:
    """Where and with which form fields a client may upload one object."""

    url: str
    fields: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class StoredObject:
    """What the store says of an object. `version_id` is None where the bucket is not versioned."""

    key: str
    size: int
    etag: str
    content_type: str | None
    version_id: str | None
    metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ObjectVersion:
    """One version of an object; a delete marker has no `etag`.

    In a bucket without versions every `id` is "null": only `etag` and `modified_at` tell one object from the next.
    """

    id: str
    etag: str | None
    modified_at: datetime


@dataclass(frozen=True, slots=True)
class ListedObject:
    """What a listing says of an object."""

    key: str
    etag: str


class ObjectStore(Protocol):
    """The uploads bucket."""

    @property
    def bucket(self) -> str:
        """Name of the bucket."""
        ...

    def presign_upload(
        self, key: str, *, content_type: str, max_bytes: int, expires_seconds: int, metadata: Mapping[str, str]
    ) -> PresignedPost:
        """Permit one upload to exactly this key, of at most `max_bytes`."""
        ...

    def presign_download(
        self,
        key: str,
        version_id: str | None,
        *,
        content_type: str,
        file_name: str,
        inline: bool,
        expires_seconds: int,
    ) -> str:
        """Return a URL by which anybody may read this object; nobody asks whether there is one.

        A browser is told that it is of this type, and to save it under the name, or `inline`: to show it.
        """
        ...

    def head(self, key: str, version_id: str | None = None) -> StoredObject | None:
        """Return what is known of the object, or None where there is none."""
        ...

    def put(self, key: str, body: bytes, *, content_type: str, metadata: Mapping[str, str]) -> StoredObject:
        """Store an object, replacing the present version."""
        ...

    def put_stream(
        self, key: str, blocks: Iterable[bytes], *, content_type: str, metadata: Mapping[str, str]
    ) -> StoredObject:
        """Store an object, of any size, as its bytes come; nothing of it is there before the last one.

        Where the iterator raises, nothing is stored.
        """
        ...

    def read(self, key: str, version_id: str | None, *, start: int, length: int) -> bytes:
        """Return up to `length` (at least 1) bytes from `start`, fewer only at the object's end.

        Raises:
            NotFoundError: there is no such object or version.
        """
        ...

    def download(self, key: str, version_id: str | None, target: Path, *, max_bytes: int) -> StoredObject:
        """Write the object's bytes to `target`.

        Raises:
            NotFoundError: there is no such object or version.
            DocumentTooLargeError: it holds more than `max_bytes`; nothing more than that is read.
        """
        ...

    def delete(self, key: str) -> int:
        """Delete every version and delete marker of the key; return how many versions with data were deleted."""
        ...

    def versions(self, key: str) -> list[ObjectVersion]:
        """Return every version and delete marker of exactly this key, in no particular order."""
        ...

    def delete_versions(self, key: str, versions: Collection[ObjectVersion]) -> int:
        """Delete those of the versions that are still there, and nothing that was stored later; as `delete`."""
        ...

    def delete_prefix(self, prefix: str) -> int:
        """Delete every version and delete marker under the prefix, also of keys that listings hide; as `delete`."""
        ...

    def keys(self, prefix: str) -> Iterator[str]:
        """Yield the key of each present object (latest version not deleted) under the prefix."""
        ...

    def listing(self, prefix: str, *, after: str | None = None) -> Iterator[ListedObject]:
        """Yield each present object under the prefix whose key follows `after`, in the order of the keys' UTF-8."""
        ...

    def count_versions(self, prefix: str) -> int:
        """Return how many versions, delete markers included, are left under the prefix."""
        ...


class ScanVerdict(Enum):
    """What a malware scanner found out about an object."""

    CLEAN = auto()
    INFECTED = auto()
    NOT_SCANNED = auto()
    """It tried and could not: the object is encrypted, too large, or not to be read."""


class MalwareScanner(Protocol):
    """Knows which objects of the uploads bucket were scanned."""

    def verdict(self, key: str, version_id: str | None) -> ScanVerdict | None:
        """Return what the scan of this object found, or None where it has not ended (or the object is gone).

        Raises:
            UnavailableError: the verdict cannot be asked for at the moment.
        """
        ...


@dataclass(frozen=True, slots=True)
class TemporaryCredentials:
    """AWS credentials that may put objects under one prefix until they expire, and do nothing else."""

    access_key_id: str
    secret_access_key: str
    session_token: str
    expires_at: datetime


class UploadCredentials(Protocol):
    """Lends people and programs the right to put files into the bucket with any S3 client."""

    def lend(self, prefix: str, *, session_name: str) -> TemporaryCredentials:
        """Return credentials for the keys under `prefix` (`{organization}/{bot}/`).

        `session_name` stands in CloudTrail beside what was done with them: 2 to 64 of letters, digits and `_+=,.@-`.

        Raises:
            UnavailableError: the token service does not answer.
        """
        ...


# ------------------------------------------------------------------------------------------------- queues


class MessageQueue(Protocol):
    """One queue that a function may send to. Delivery is at least once and in no order."""

    def send(self, messages: Iterable[Mapping[str, Any]], *, group: str, delay_seconds: int = 0) -> None:
        """Send JSON objects; `group` (the organization) keeps one tenant from delaying the others.

        Nobody gets them before `delay_seconds`, from 0 to 900, are over.

        Raises:
            UnavailableError: at least one message was not accepted; the caller may send all again.
        """
        ...


@dataclass(frozen=True, slots=True)
class QueueLength:
    """About how many messages wait in a queue, and how many in its dead-letter queue; None: that cannot be seen."""

    waiting: int
    dead: int | None = None


class QueueGauges(Protocol):
    """Sees how long queues are."""

    def lengths(self) -> Mapping[str, QueueLength]:
        """Return the length of each queue by its name, each about a minute old.

        Raises:
            UnavailableError: the queues do not answer.
        """
        ...


# ------------------------------------------------------------------------------------------ what is far away


class Reachable(Protocol):
    """A service of somebody else that can be asked, at no cost, whether it would serve us."""

    def reach(self) -> None:
        """Ask it once, for two seconds at most.

        Raises:
            UnavailableError, ProviderOverloadedError: it does not answer, or wants to be left alone.
            ProviderRejectedError: it does not take our key, or does not know what we want of it.
        """
        ...


# ------------------------------------------------------------------------------------------------- cache


@dataclass(frozen=True, slots=True)
class CacheSpace:
    """Whose entries, and of what: of another space nothing can be read or overwritten. `kind` is a plain word."""

    organization_id: UUID
    bot_id: UUID
    kind: str


class Cache(Protocol):
    """Keeps small values for a while. It may forget any of them at any time."""

    def get(self, space: CacheSpace, key: bytes) -> bytes | None:
        """Return what was kept last under the key (32 bytes, a digest), None where it is not there, or too old.

        Raises:
            UnavailableError: the cache does not answer; so does `put`.
        """
        ...

    def put(self, space: CacheSpace, key: bytes, value: bytes, *, seconds: int) -> None:
        """Keep the value, of 64 KiB at most, for so long."""
        ...

    def count(self, organization_id: UUID, bot_id: UUID) -> int:
        """Return how many entries of the bot there are, of any kind; those that are too old may be among them.

        Raises:
            UnavailableError: the cache does not answer; so does `clear`.
        """
        ...

    def clear(self, organization_id: UUID, bot_id: UUID) -> int:
        """Forget every entry of the bot; return how many there were."""
        ...


# ---------------------------------------------------------------------------------------------- the web


@dataclass(frozen=True, slots=True)
class WebAnswer:
    """What a web server answered. `body` is unpacked, and empty unless the status is 2xx.

    `location`, `etag`, `last_modified` and `retry_after` are headers as they were sent, None where they were not;
    `robots` are the rules of `X-Robots-Tag`.
    """

    status: int
    content_type: str | None = None
    body: bytes = b""
    location: str | None = None
    etag: str | None = None
    last_modified: str | None = None
    retry_after: str | None = None
    robots: str = ""


class PageFetcher(Protocol):
    """Asks web servers that somebody else named, and reaches none that is not on the public internet."""

    def fetch(
        self, url: str, *, seconds: float, etag: str | None = None, last_modified: str | None = None
    ) -> WebAnswer:
        """Make one GET request, in `seconds` at most, without cookies or credentials; no redirect is followed.

        With `etag` or `last_modified`, of an earlier answer, it may be answered with 304.

        Raises:
            UrlNotAllowedError: the URL, or an address that its name leads to, is none that may be asked.
            UrlUnreachableError: no answer, or none that can be read.
            UrlTooLargeError: the body is larger than allowed.
        """
        ...


@dataclass(frozen=True, slots=True)
class PostAnswer:
    """What a web server answered to a POST; `excerpt` is the beginning of its body: bytes that nobody vouches for."""

    status: int
    excerpt: bytes = b""


class WebPoster(Protocol):
    """Sends to web servers that somebody else named, and reaches none that is not on the public internet."""

    def check(self, url: str) -> str:
        """Return the URL as it is used, if it may be sent to: https, or http where a private host is permitted.

        A host that is unknown at present is no error: it may become known.

        Raises:
            UrlNotAllowedError: it may not.
        """
        ...

    def post(
        self, url: str, body: bytes, headers: Mapping[str, str], *, seconds: float, excerpt_bytes: int
    ) -> PostAnswer:
        """Make one POST request, in `seconds` at most with its answer; no redirect is followed.

        Raises:
            UrlNotAllowedError: the URL, or an address that its name leads to, is none that may be asked.
            UrlTimedOutError: no answer in time, or not the beginning of its body.
            UrlUntrustedError: the host does not prove who it is.
            UrlUnreachableError: no answer, or none that can be read.
        """
        ...


# ---------------------------------------------------------------------------------------- passwords, tokens


class PasswordHasher(Protocol):
    """Hashes passwords so that a stolen table is of little use."""

    def hash(self, password: str) -> str:
        """Return an encoded hash with its own salt and parameters."""
        ...

    def verify(self, encoded: str | None, password: str) -> bool:
        """Return whether the password fits. With None (unknown user) it takes as long and returns False."""
        ...

    def needs_rehash(self, encoded: str) -> bool:
        """Return whether the hash was made with other parameters than today's."""
        ...


class TokenSigner(Protocol):
    """Signs access tokens (JWT, asymmetric)."""

    def sign(self, claims: Mapping[str, Any], *, now: datetime) -> str:
        """Return a token with the claims, issued at `now` and expiring after the set time."""
        ...


class TokenVerifier(Protocol):
    """Verifies access tokens; it holds no private key."""

    def verify(self, token: str, *, now: datetime) -> Mapping[str, Any]:
        """Return the claims of a valid token.

        Raises:
            TokenExpiredError: the signature is right and the token has expired.
            UnauthorizedError: anything else is wrong with it.
        """
        ...

    def public_keys(self) -> Mapping[str, Any]:
        """Return the JWK set with which others can verify."""
        ...


@dataclass(frozen=True, slots=True)
class SignedText:
    """A JWS (compact serialization) and the public key, as JWK with its `kid`, that verifies it."""

    text: str
    key: Mapping[str, Any]


class ReceiptSigner(Protocol):
    """Signs receipts, so that they are no access tokens."""

    def sign(self, content: Mapping[str, Any]) -> SignedText:
        """Return the content, as JSON, with a signature."""
        ...


# ---------------------------------------------------------------------------------------------------- secrets


@dataclass(frozen=True, slots=True)
class StoredSecret:
    """A secret's present value, and since when it has it."""

    value: str
    stored_at: datetime


class Vault(Protocol):
    """One secret of the secret store, for whoever may replace it."""

    def read(self) -> StoredSecret | None:
        """Return the present value, None before the first.

        Raises:
            UnavailableError: the secret store does not answer.
        """
        ...

    def write(self, value: str) -> None:
        """Replace the value.

        Raises:
            UnavailableError: the secret store does not answer; whether the value was taken is not known.
        """
        ...


# ------------------------------------------------------------------------------------------------- people


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail to one person, as plain text."""

    to: str
    subject: str
    text: str


class Mailer(Protocol):
    """Sends mail."""

    def send(self, mail: Mail) -> None:
        """Hand the mail over; a second hand-over of the same mail sends it twice.

        Raises:
            MailRejectedError: the address or the sender is refused; trying again changes nothing.
            UnavailableError: it may succeed later.
        """
        ...


class SecretBox(Protocol):
    """Encrypts small secrets that the database keeps."""

    def seal(self, text: str) -> str:
        """Return the text encrypted and authenticated, printable."""
        ...

    def open(self, sealed: str) -> str:
        """Return the text.

        Raises:
            ConfigurationError: it was sealed with another key, or changed.
        """
        ...


# ------------------------------------------------------------------------------------------------ payment


@dataclass(frozen=True, slots=True)
class Subscription:
    """What an organization pays for. `status` is Stripe's word; `price_id` names the plan.

    `organization_id` is None where it was not made by a checkout of ours.
    """

    id: str
    customer_id: str
    organization_id: UUID | None
    status: str
    price_id: str
    current_period_end: datetime | None


@dataclass(frozen=True, slots=True)
class PaymentEvent:
    """Something that the payment provider tells, once its signature was checked. `id` is the same on each delivery.

    Events come late, twice and in any order: `subscription_id` only says where to look.
    """

    id: str
    kind: str
    subscription_id: str | None


class Payments(Protocol):
    """Takes money for plans."""

    def create_customer(self, organization_id: UUID, *, name: str, email: str) -> str:
        """Return the id of the organization's customer; asked twice for one organization, the same.

        Raises, as the next two do:
            UnavailableError: it may succeed later.
            ProviderRejectedError: the key or the request is refused.
        """
        ...

    def checkout_url(self, customer_id: str, *, price_id: str, organization_id: UUID, return_url: str) -> str:
        """Return the page on which a person pays for a plan."""
        ...

    def portal_url(self, customer_id: str, *, return_url: str) -> str:
        """Return the page on which a person changes or ends what they pay for."""
        ...

    def subscription(self, subscription_id: str) -> Subscription:
        """Return the subscription as it is now."""
        ...

    def read_event(self, body: str, signature: str) -> PaymentEvent:
        """Return what a webhook's body tells.

        Raises:
            InvalidSignatureError: it was not signed by the provider, or too long ago.
            MalformedBodyError: it is no event.
        """
        ...


PersonalDataKind = Literal["email", "phone", "iban", "credit_card", "ip", "national_id"]
"""What can be found by a rule. `national_id`: tax and social security numbers of people."""


@dataclass(frozen=True, slots=True)
class PersonalData:
    """Where in a text something personal stands, and of which kind it is."""

    start: int
    end: int
    kind: PersonalDataKind


class PersonalDataFinder(Protocol):
    """Finds in texts what names a person."""

    def find(self, text: str, kinds: Collection[PersonalDataKind]) -> Sequence[PersonalData]:
        """Return what is found of these kinds, in the order of the text; spans may overlap."""
        ...


class ColumnType(Enum):
    """What the values of a column are in Python."""

    TEXT = auto()
    BIGINT = auto()
    """`int` of 64 bits."""
    BOOLEAN = auto()
    TIMESTAMP = auto()
    """`datetime` in UTC, to the microsecond."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a file; its name is in lower case, and any value may be None."""

    name: str
    type: ColumnType


class RowFiles(Protocol):
    """Files of typed rows that tools of analysis read."""

    def write(
        self, target: Path, columns: Sequence[Column], rows: Iterable[Mapping[str, Any]], *, metadata: Mapping[str, str]
    ) -> int:
        """Write a file and return how many rows it has; `rows` are taken one after the other, never all at once.

        Raises:
            ValueError: a value is not its column's type, or no text that UTF-8 knows.
        """
        ...

    def read(self, source: Path, columns: Collection[str] | None = None) -> Iterator[dict[str, Any]]:
        """Yield the rows in their order, with these columns, or with all that the file has.

        Raises:
            CorruptDocumentError: it is no such file.
        """
        ...
