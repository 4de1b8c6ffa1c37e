"""What is looked at: the order of the rows, the one that is selected, a question that is open."""

from enum import Enum

from corrente.observe.keyboard import Key
from corrente.observe.rates import Answer

PAGE_ROWS = 10


class Sort(Enum):
    """Order of the rows; the values are those of the interface."""

    TREE = "tree"
    MAILBOX = "mailbox"
    MESSAGES = "messages"
    TIME = "time"


_MEMBERS = {
    Sort.MAILBOX: "mailbox_length",
    Sort.MESSAGES: "messages_per_second",
    Sort.TIME: "handler_share",
}


class View:
    """State of the screen, changed by keys and by fresh answers.

    Args:
        sort: Order to begin with.

    Attributes:
        sort: Order of the rows.
        rows: Rows as they are shown.
        index: Which one is selected.
        opened: Pid of the process that is looked at alone, if any.
        asked: Pid of the process that is to be killed, while the question is open.
        note: One line for the person: what was done, or what is wrong.
        is_over: True when the person has had enough.
    """

    def __init__(self, sort: Sort = Sort.TREE) -> None:
        self.sort = sort
        self.rows: list[Answer] = []
        self.index = 0
        self.opened: str | None = None
        self.asked: str | None = None
        self.note = ""
        self.is_over = False

    @property
    def selected(self) -> Answer | None:
        """The row that the keys act on."""
        return self.rows[self.index] if self.rows else None

    def show(self, answer: Answer) -> None:
        """Take fresh rows; the selection stays with its process, or with its line."""
        kept = _identity(self.selected) if self.selected else None
        self.rows = self._sorted(answer["processes"])
        found = [number for number, row in enumerate(self.rows) if _identity(row) == kept]
        index = found[0] if found else self.index
        self.index = max(0, min(index, len(self.rows) - 1))

    def press(self, key: Key) -> str | None:
        """Obey one key; gives the pid to kill when the person has said yes to that."""
        if self.asked is not None:
            pid, self.asked = self.asked, None
            return pid if key is Key.YES else None
        self.note = ""
        if key is Key.QUIT:
            self.is_over = True
        elif key is Key.KILL:
            self.asked = self.opened or (self.selected or {}).get("pid")
        elif self.opened is not None:
            if key in {Key.BACK, Key.ENTER}:
                self.opened = None
        elif key is Key.ENTER:
            self.opened = (self.selected or {}).get("pid")
        elif key is Key.SORT:
            order = list(Sort)
            self.sort = order[(order.index(self.sort) + 1) % len(order)]
        else:
            self._move(key)
        return None

    def _move(self, key: Key) -> None:
        steps = {Key.UP: -1, Key.DOWN: 1, Key.PAGE_UP: -PAGE_ROWS, Key.PAGE_DOWN: PAGE_ROWS}
        self.index = max(0, min(self.index + steps.get(key, 0), len(self.rows) - 1))

    def _sorted(self, rows: list[Answer]) -> list[Answer]:
        if self.sort is Sort.TREE:
            return rows
        member = _MEMBERS[self.sort]
        return sorted(rows, key=lambda row: -(row[member] or 0))


def _identity(row: Answer) -> tuple[object, object, object]:
    return row["pid"], row["child"], row["depth"]
