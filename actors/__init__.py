"""What runs: one file an actor, each with its own mailbox; they share messages and never import each other."""
