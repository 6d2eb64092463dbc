"""Who did what to which object, from where, when."""
