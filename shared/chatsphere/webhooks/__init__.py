"""Events that reach other systems: endpoints, an outbox, deliveries that are signed and tried again."""
