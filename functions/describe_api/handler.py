"""The API about itself: OpenAPI document, try-it page, keys, health."""

from chatsphere.archive.routes import router as archive
from chatsphere.audit.routes import router as audit
from chatsphere.billing.routes import router as billing
from chatsphere.bots.member_routes import router as bot_members
from chatsphere.bots.public_routes import router as public_bots
from chatsphere.bots.routes import router as bots
from chatsphere.bots.state_routes import router as bot_states
from chatsphere.bots.version_routes import router as bot_versions
from chatsphere.chat.cache.routes import router as cache
from chatsphere.chat.end_users.routes import router as end_users
from chatsphere.chat.feedback.routes import router as feedback
from chatsphere.chat.openapi import paths_and_schemas as streamed
from chatsphere.chat.routes import router as conversations
from chatsphere.chat.unanswered.routes import router as unanswered
from chatsphere.evaluation.case_routes import router as evaluation_cases
from chatsphere.evaluation.routes import router as evaluation_sets
from chatsphere.http.description import description_router
from chatsphere.http.health import router as health
from chatsphere.http.rest_api import lambda_handler, rest_api
from chatsphere.identity.api_key_routes import router as api_keys
from chatsphere.identity.email_routes import router as email_addresses
from chatsphere.identity.mfa_routes import router as second_factor
from chatsphere.identity.password_routes import router as passwords
from chatsphere.identity.routes import router as identity
from chatsphere.identity.session_routes import router as sessions
from chatsphere.insights.listing_routes import router as insight_lists
from chatsphere.insights.routes import router as insights
from chatsphere.knowledge.calibration.routes import router as calibrations
from chatsphere.knowledge.deletion_routes import router as deletions
from chatsphere.knowledge.document_routes import router as sources_of_documents
from chatsphere.knowledge.history.routes import router as ingestion_history
from chatsphere.knowledge.reconciliation.routes import router as reconciliations
from chatsphere.knowledge.redrive_routes import router as redrive
from chatsphere.knowledge.routes import router as documents
from chatsphere.knowledge.training.routes import router as training
from chatsphere.knowledge.web.routes import router as web_sources
from chatsphere.organizations.invitation_routes import router as invitations
from chatsphere.organizations.member_routes import router as members
from chatsphere.organizations.routes import router as organizations
from chatsphere.privacy.erasure_routes import router as erasures
from chatsphere.privacy.routes import router as privacy
from chatsphere.retention.hold_routes import router as legal_holds
from chatsphere.retention.routes import router as retention
from chatsphere.transfers.export_routes import router as exports
from chatsphere.transfers.import_routes import router as imports
from chatsphere.webhooks.delivery_routes import router as webhook_deliveries
from chatsphere.webhooks.routes import router as webhooks

description = description_router(
    [
        identity,
        email_addresses,
        passwords,
        second_factor,
        sessions,
        api_keys,
        organizations,
        members,
        invitations,
        billing,
        bots,
        bot_states,
        bot_members,
        bot_versions,
        public_bots,
        cache,
        evaluation_sets,
        evaluation_cases,
        exports,
        imports,
        documents,
        sources_of_documents,
        deletions,
        training,
        calibrations,
        ingestion_history,
        reconciliations,
        redrive,
        web_sources,
        conversations,
        end_users,
        feedback,
        unanswered,
        webhooks,
        webhook_deliveries,
        insights,
        insight_lists,
        audit,
        retention,
        legal_holds,
        archive,
        privacy,
        erasures,
        health,
    ],
    streamed,
)

handler = lambda_handler(rest_api(description, health))
