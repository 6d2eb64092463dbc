"""A reconciler from what it needs."""

from dataclasses import dataclass

from chatsphere.db.database import Database
from chatsphere.knowledge.ingestion.redrive import Redriver
from chatsphere.knowledge.ingestion.register import Registrar
from chatsphere.knowledge.reconciliation.comparison import Comparison
from chatsphere.knowledge.reconciliation.documents import DocumentComparison
from chatsphere.knowledge.reconciliation.index import IndexComparison
from chatsphere.knowledge.reconciliation.objects import ObjectComparison
from chatsphere.knowledge.reconciliation.reconcile import Reconciler
from chatsphere.knowledge.reconciliation.vectors import VectorComparison
from chatsphere.ports.objects import ObjectStore
from chatsphere.ports.queues import MessageQueue
from chatsphere.ports.system import Clock, Ids
from chatsphere.ports.vectors import VectorStore


@dataclass(frozen=True, slots=True)
class Stores:
    """What a bot's knowledge is kept in."""

    database: Database
    objects: ObjectStore
    vectors: VectorStore


def build_reconciler(
    stores: Stores, registrar: Registrar, redriver: Redriver, reconcile_queue: MessageQueue, clock: Clock, ids: Ids
) -> Reconciler:
    """Return a reconciler that acts through the use cases of ingestion, which look again under locks."""
    database = stores.database
    comparisons: dict[str, Comparison] = {
        "objects": ObjectComparison(database, stores.objects, registrar),
        "documents": DocumentComparison(database, stores.vectors, redriver, clock),
        "vectors": VectorComparison(database, stores.vectors),
        "index": IndexComparison(database),
    }
    return Reconciler(database, comparisons, reconcile_queue, clock, ids)
