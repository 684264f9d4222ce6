"""The three-way merge of base and both views into a plan, and the guards that hold parts of it back."""
