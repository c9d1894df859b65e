"""Single words about agents ↔ values: names, hosts, users, key files, public keys.

``parse_`` functions as in ``scalars``. A private key that was put where a path or a public key belongs is refused
without repeating any of it.
"""

from __future__ import annotations

import binascii
import ipaddress
import re

from ajs.agents import NAME_BYTES, PRIORITIES, Member
from ajs.definition.problems import listed, shown
from ajs.definition.scalars import NotThis, parse_line, parse_name_of, parse_number

KEY_FIELDS = {
    "ssh-ed25519": 2,
    "ecdsa-sha2-nistp256": 3,
    "ecdsa-sha2-nistp384": 3,
    "ecdsa-sha2-nistp521": 3,
    "ssh-rsa": 3,
}
"""The types of host keys, and of how many fields the blob of each consists."""
HOST_BYTES = 253

_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?")
_USER = re.compile(r"[^\s:/@-][^\s:/@]*")
_PRIVATE = re.compile("PRIVATE KEY|PuTTY-User-Key-File|b3BlbnNzaC1rZXktdjE")
"""What a private key begins with: the usual headers, and OpenSSH's own without one."""
_LENGTH = 4
"""Bytes that say how long a field of a key's blob is."""


def parse_agent_name(text: str) -> str:
    """Return the name of an agent, agent group or destination, composed as Unicode NFC."""
    name = parse_name_of("such a name", text, NAME_BYTES)
    if name.startswith("-"):
        raise NotThis(why="begins with '-'", hint="begin it with a letter or digit")
    return name


def parse_member(text: str) -> Member:
    """Return ``AGT1`` or ``AGT1:8`` as a member of an agent group."""
    name, colon, priority = text.partition(":")
    low, high = PRIORITIES
    if not colon:
        return Member(parse_agent_name(name))
    try:
        return Member(parse_agent_name(name), parse_number(priority, low, high))
    except NotThis as wrong:
        if wrong.why:
            raise
        raise NotThis(
            why=f"has no priority from {low} to {high} after the colon",
            hint=f"write {name}:{high} to try it first, {name}:{low} to try it last",
        ) from None


def member_text(member: Member) -> str:
    """Return a member of a group as it is written; its priority only when it is not the highest."""
    if member.priority == PRIORITIES[1]:
        return member.agent
    return f"{member.agent}:{member.priority}"


def parse_host(text: str) -> str:
    """Return a host name or an IP address."""
    if text.lower() == "null":
        raise NotThis(hint="write the name or address; null is YAML's word for nothing")
    if _HOST.fullmatch(text) and len(text) <= HOST_BYTES:
        return text
    if "@" in text:
        raise NotThis(hint="write user: and host: as two keys")
    try:
        ipaddress.IPv6Address(text)
    except ValueError:
        if ":" in text:
            raise NotThis(hint="write host: and port: as two keys") from None
        raise NotThis from None
    return text


def parse_principal(text: str) -> str:
    """Return a name that certificates are made for."""
    if set(text) & set("*?!"):
        raise NotThis(
            why="is a pattern",
            hint="write the name as it stands in the certificates; it is compared to the letter",
        )
    return parse_line(text)


def parse_user(text: str) -> str:
    """Return the name of a user on another machine."""
    if not _USER.fullmatch(text) or not text.isprintable():
        raise NotThis(hint="write the name alone, without host, spaces and colons")
    return text


def parse_key_file(text: str) -> str:
    """Return the path of a private key, absolute or beginning with ``~``, which stays as it is."""
    if _PRIVATE.search(text):
        raise NotThis(
            why="holds a private key, which does not belong into a definition",
            hint="write the path of its file, such as ~/.ssh/ajs; and take that key for known to others",
            secret=True,
        )
    if text.split(" ", maxsplit=1)[0] in KEY_FIELDS:
        raise NotThis(
            why="is a public key", hint="write the path of the private key's file, ~/.ssh/ajs"
        )
    path = parse_line(text)
    if not path.startswith(("/", "~")):
        raise NotThis(
            why="is not a full path", hint="begin it with / or with ~, the manager's home folder"
        )
    if path.endswith(".pub"):
        raise NotThis(
            why="is the file of a public key", hint=f"write {shown(path.removesuffix('.pub'))}"
        )
    return path


def parse_public_key(text: str) -> str:
    """Return a public key as OpenSSH writes it: type, base64, perhaps a comment, one space between them."""
    if _PRIVATE.search(text):
        raise NotThis(
            why="holds a private key, which does not belong into a definition",
            hint="write the public key, from the .pub file; and take that key for known to others",
            secret=True,
        )
    words = parse_line(text).split()
    if words[0] not in KEY_FIELDS:
        raise _no_public_key(words)
    if len(words) == 1 or not _is_blob(words[0], words[1]):
        raise NotThis(
            why=f"is not a whole {words[0]} key",
            hint="copy the line from the .pub file once more; a part of it is missing or damaged",
        )
    return " ".join(words)


def _no_public_key(words: list[str]) -> NotThis:
    """Return why a line does not begin with the type of a public key, and what to do about it."""
    if words[0].endswith("-cert-v01@openssh.com"):
        return NotThis(
            why="is a certificate", hint="write the public key of who signed it into host_ca"
        )
    hint = f"the types are {listed(KEY_FIELDS)}"
    if any(word in KEY_FIELDS for word in words[1:]):
        hint = "leave out what stands before the type, such as host names"
    return NotThis(why="does not begin with the type of a public key", hint=hint)


def _is_blob(kind: str, text: str) -> bool:
    """Return whether base64 holds a key of this type: all its fields, and nothing after them."""
    try:
        rest = binascii.a2b_base64(text.encode(), strict_mode=True)
    except (ValueError, UnicodeEncodeError):
        return False
    fields = []
    while len(rest) >= _LENGTH:
        end = _LENGTH + int.from_bytes(rest[:_LENGTH])
        if end > len(rest):
            return False
        fields.append(rest[_LENGTH:end])
        rest = rest[end:]
    return not rest and len(fields) == KEY_FIELDS[kind] and fields[0] == kind.encode()
