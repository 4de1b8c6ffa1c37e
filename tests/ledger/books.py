"""Books in memory: four accounts, and any command on them at the next moment."""

from uuid import UUID

from hypothesis import strategies as st

from ledger import (
    AMOUNT_ALL,
    AccountFlag,
    Transfer,
    TransferCode,
    TransferFlag,
    TransferResult,
    core,
    hold,
    post,
    void,
)
from ledger.core import AccountState, LedgerState

PI, ANA, BEA, OWN, EUR = (UUID(int=number) for number in (1, 2, 3, 4, 5))
LIMITS = {
    PI: AccountFlag.NONE,
    ANA: AccountFlag.DEBITS_MUST_NOT_EXCEED_CREDITS,
    BEA: AccountFlag.DEBITS_MUST_NOT_EXCEED_CREDITS,
    OWN: AccountFlag.CREDITS_MUST_NOT_EXCEED_DEBITS,
    EUR: AccountFlag.NONE,
}
LEDGER_EUR = 978
SECOND_NS = 1_000_000_000
STEP_NS = SECOND_NS // 4
SEED = 4_003
CODE = TransferCode.PIX_OUT


def new_state() -> LedgerState:
    state = LedgerState(first_timestamp=SECOND_NS)
    for account_id, flags in LIMITS.items():
        state.accounts[account_id.int] = AccountState(account_id, int(flags))
    state.accounts[EUR.int].ledger = LEDGER_EUR
    return state


def apply(state: LedgerState, transfer: Transfer) -> TransferResult:
    """Apply a transfer a quarter of a second after the one before."""
    state.first_timestamp += STEP_NS
    return core.apply(state, transfer, state.first_timestamp)


def snapshot(state: LedgerState) -> tuple[object, ...]:
    accounts = {
        account: (state.accounts[account.int].balance(), state.accounts[account.int].flags)
        for account in LIMITS
    }
    return accounts, dict(state.holds), dict(state.journal), dict(state.resolutions)


def check_invariants(state: LedgerState) -> None:
    balances = {account: state.accounts[account.int].balance() for account in LIMITS}
    held = sum(each.amount_cents for each in state.holds.values())
    assert sum(b.debits_posted for b in balances.values()) == sum(
        b.credits_posted for b in balances.values()
    )
    assert sum(b.debits_pending for b in balances.values()) == held
    assert sum(b.credits_pending for b in balances.values()) == held
    assert all(min(balance) >= 0 for balance in balances.values())
    assert balances[ANA].available_cents >= 0
    assert balances[BEA].available_cents >= 0
    own = balances[OWN]
    assert own.credits_pending + own.credits_posted <= own.debits_posted
    assert state.oldest_open_hold() == min((h.id for h in state.holds.values()), default=None)
    expiries = [h.expires_at for h in state.holds.values() if h.timeout_seconds]
    assert state.next_expiry() == min(expiries, default=None)


# A command is made of small numbers, so that ids repeat and holds are found.
ids = st.integers(100, 130).map(lambda number: UUID(int=number))
accounts = st.sampled_from([PI, PI, ANA, BEA, OWN, EUR, UUID(int=99)])
amounts = st.one_of(st.integers(0, 50), st.just(AMOUNT_ALL))
plain = st.one_of(
    st.builds(Transfer, ids, accounts, accounts, st.integers(1, 50), st.just(CODE)),
    st.builds(hold, ids, accounts, accounts, st.integers(1, 50), st.just(CODE)),
    st.builds(post, ids, ids, amounts),
    st.builds(void, ids, ids),
)
odd = st.builds(
    Transfer,
    id=ids,
    debit_account_id=st.one_of(accounts, st.just(UUID(int=0))),
    credit_account_id=st.one_of(accounts, st.just(UUID(int=0))),
    amount_cents=amounts,
    code=st.integers(0, 2),
    flags=st.one_of(st.sampled_from([int(flag) for flag in TransferFlag]), st.integers(0, 511)),
    pending_id=st.one_of(st.none(), ids),
    timeout_seconds=st.sampled_from([0, 0, 1, 3]),
    ledger=st.sampled_from([986, 986, LEDGER_EUR, 0]),
    user_data_128=st.integers(0, 1),
    user_data_64=st.integers(0, 1),
    user_data_32=st.integers(0, 1),
)
commands = st.lists(st.one_of(plain, plain, odd), max_size=60)
