"""How each side's own items are read as windows (view) and how wanted windows are written back into them (put)."""
