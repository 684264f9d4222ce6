"""The history of the schema. A migration that has been released is never changed."""
