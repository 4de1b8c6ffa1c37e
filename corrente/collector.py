"""The garbage collector of a program that serves.

What start-up made lives as long as the process, and what a payment makes is freed by its reference
counts. The collector is needed for the few cycles in between, seldom: with Python's defaults it
walks everything that is young several times a second and takes a tenth of the time.
"""

import gc

COLLECT_AFTER = (100_000, 20, 100)  # objects made and not freed; then generations


def settle() -> None:
    """Keep the collector from walking what is there now, and from coming often; after start-up."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*COLLECT_AFTER)
