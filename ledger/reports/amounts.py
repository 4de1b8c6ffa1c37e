def signed_text(cents: int) -> str:
    """Write centavos as decimal text with two places and, below zero, a minus: `-10.50`."""
    sign = "-" if cents < 0 else ""
    return f"{sign}{abs(cents) // 100}.{abs(cents) % 100:02d}"
