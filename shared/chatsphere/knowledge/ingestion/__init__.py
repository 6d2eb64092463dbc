"""From an object in the bucket to passages that can be found: register → extract → embed → ready.

Each stage is one function of the catalog, started by a message, and safe to start twice. A document's row says
how far it is: `generation` fences off work on older content, a lease says that somebody is at it, and `reap`
brings back what nobody is at. docs/decisions/0030-ingestion-stages-and-leases.md says why.
"""
