"""The numbers that people and agents know generations and attempts by, made from database ids and back.

An execution ID is ``@[mmmm]{A-Z}nnnn``: ``@A1`` .. ``@A9999``, ``@B1`` .. ``@Z9999``, ``@1A1`` and so on
(commands.md 1). An execution registration number is the execution date that a generation was made for and a serial
number within it.
"""

from __future__ import annotations

PER_LETTER = 9999
PER_ROUND = 26 * PER_LETTER
LAST = 10_000 * PER_ROUND
"""The highest generation number that has an execution ID: ``@9999Z9999``."""


GREATEST = 2**63 - 1
"""The greatest number that the database can hold, so no entry has a higher one."""
SERIAL_DIGITS = 9
"""More runs than these digits count are not registered for one date."""


def execution_id(number: int) -> str:
    """Return the execution ID of a generation number.

    >>> execution_id(1), execution_id(10000), execution_id(259975)
    ('@A1', '@B1', '@1A1')
    """
    if not 1 <= number <= LAST:
        raise ValueError(f"no execution ID for generation number {number}")
    rounds, rest = divmod(number - 1, PER_ROUND)
    letter, last = divmod(rest, PER_LETTER)
    return f"@{rounds or ''}{chr(ord('A') + letter)}{last + 1}"


def generation_number(text: str) -> int | None:
    """Return the generation number of an execution ID, None when the text is not one.

    >>> generation_number("@1A1"), generation_number("@A0"), generation_number("@01A1")
    (259975, None, None)
    """
    if not text.startswith("@") or not text.isascii():
        return None
    rounds = text[1:].rstrip("0123456789")
    digits = text[1 + len(rounds) :]
    letter, rounds = rounds[-1:], rounds[:-1]
    if not (letter.isupper() and _counts(digits) and (not rounds or _counts(rounds))):
        return None
    return int(rounds or 0) * PER_ROUND + (ord(letter) - ord("A")) * PER_LETTER + int(digits)


def _counts(text: str) -> bool:
    """Whether the text is 1..9999 as written by us: no leading zero, at most four digits."""
    return text.isdigit() and len(text) <= 4 and text[0] != "0"  # noqa: PLR2004


def registration_number(registered_for: str, serial: int) -> str:
    """Return the execution registration number: the date's digits and three or more of the serial number.

    >>> registration_number("2026-08-11", 2)
    '20260811002'
    """
    return f"{registered_for.replace('-', '')}{serial:03d}"


def registration_parts(text: str) -> tuple[str, int] | None:
    """Return date text and serial number of a registration number, None when the text is not one.

    >>> registration_parts("20260811002"), registration_parts("20260811")
    (('2026-08-11', 2), None)
    """
    day, serial = text[:8], text[8:]
    if not (text.isascii() and text.isdigit() and len(serial) >= 3 and serial.strip("0")):  # noqa: PLR2004
        return None
    if len(serial) > SERIAL_DIGITS or (len(serial) > 3 and serial[0] == "0"):  # noqa: PLR2004
        return None
    return f"{day[:4]}-{day[4:6]}-{day[6:]}", int(serial)


def attempt_id(uuid: str, incarnation: str, number: int) -> str:
    """Return the name of an attempt on its agent; made from numbers only, never from names (design.md, Dispatch)."""
    return f"{uuid}-{incarnation}-{number}"
