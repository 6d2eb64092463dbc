"""Who may do what: the permission table, the principal, and what every request passes before its use case."""
