"""Redis and Valkey, spoken to without a vendor's package (docs/decisions/0099-caches.md)."""
