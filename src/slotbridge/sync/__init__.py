"""Read, plan, apply, verify, remember: one pass over the pairs."""
