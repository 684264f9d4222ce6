"""What both API clients share: one attempt at a request, the rate, repetition, redaction."""
