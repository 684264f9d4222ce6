"""The long-running process: when to run what, how it is, and how it ends."""
