"""How large a layer, and a function with all its layers, may be: megabytes (1,000,000 bytes) unzipped.

AWS stops at 250 MB for a function. These stand some 15 to 20 % above what is needed today (`make sizes` prints both),
so that a dependency that grows, or a new one, is a decision and no accident.
"""

from collections.abc import Mapping
from typing import Final

LAYER_BUDGETS: Final[Mapping[str, int]] = {
    "core": 36,
    "identity": 20,
    "parsers": 24,
    "streaming": 6,
    "providers": 2,
    "migrations": 38,
    "shared": 3,
}

FUNCTION_BUDGETS: Final[Mapping[str, int]] = {
    "authorize_request": 58,
    "manage_identity": 58,
    "describe_api": 58,
    "manage_bots": 38,
    "manage_documents": 39,
    "manage_conversations": 38,
    "answer_question": 45,
    "register_object": 39,
    "extract_document": 61,
    "embed_chunks": 39,
    "purge_deleted": 39,
    "reap_stalled": 38,
    "migrate_database": 96,
}
