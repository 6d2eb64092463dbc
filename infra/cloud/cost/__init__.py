"""What a deployment costs, computed from its synthesized templates and one dated list of prices."""
