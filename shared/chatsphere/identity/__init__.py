"""Who may use ChatSphere: people, their organizations, and the credentials that stand for them."""
