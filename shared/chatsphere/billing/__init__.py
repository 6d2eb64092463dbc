"""Plans, quotas, budgets, usage, and who takes the money."""
