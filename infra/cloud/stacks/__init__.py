"""The stacks: each only wires constructs together."""
