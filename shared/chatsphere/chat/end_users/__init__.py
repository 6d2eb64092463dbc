"""End users: whom a bot talks with, as its owner's clients name them."""
