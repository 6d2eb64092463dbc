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
    "shared": 7,
}

FUNCTION_BUDGETS: Final[Mapping[str, int]] = {
    "authorize_request": 76,
    "manage_identity": 76,
    "manage_organizations": 106,
    "describe_api": 76,
    "manage_bots": 56,
    "manage_documents": 57,
    "manage_conversations": 56,
    "answer_question": 75,
    "register_object": 57,
    "extract_document": 93,
    "embed_chunks": 57,
    "purge_deleted": 57,
    "fetch_pages": 95,
    "reconcile_stores": 57,
    "send_mail": 56,
    "reap_stalled": 56,
    "migrate_database": 114,
}
