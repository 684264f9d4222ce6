"""From data to lines for people and documents for machines. Pure: nothing here reads or writes anything."""
