"""How large a layer, and a function with all its layers, may be: megabytes (1,000,000 bytes) unzipped.

AWS stops at 250 MB for a function. These stand some 15 to 20 % above what is needed today (`make sizes` prints both),
so that a dependency that grows, or a new one, is a decision and no accident.
"""

from collections.abc import Mapping
from typing import Final

LAYER_BUDGETS: Final[Mapping[str, int]] = {
    "core": 54,
    "identity": 20,
    "parsers": 33,
    "streaming": 13,
    "providers": 3,
    "migrations": 38,
    "billing": 30,
    "archive": 35,
    "shared": 9,
}

FUNCTION_BUDGETS: Final[Mapping[str, int]] = {
    "authorize_request": 79,
    "manage_identity": 79,
    "manage_organizations": 106,
    "describe_api": 82,
    "manage_bots": 62,
    "manage_documents": 64,
    "manage_conversations": 62,
    "answer_question": 76,
    "manage_retention": 96,
    "show_insights": 62,
    "manage_webhooks": 64,
    "register_object": 64,
    "extract_document": 93,
    "embed_chunks": 64,
    "purge_deleted": 128,
    "run_jobs": 98,
    "deliver_webhooks": 64,
    "fetch_pages": 95,
    "reconcile_stores": 64,
    "send_mail": 62,
    "reap_stalled": 62,
    "enforce_retention": 96,
    "roll_up_usage": 62,
    "maintain_database": 62,
    "migrate_database": 120,
}
