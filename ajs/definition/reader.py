"""Definition texts → ``Definitions``, or every problem of every file at once."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace

from ajs.agents import RELAYS, AgentKind, Agents
from ajs.definition import relations, tree
from ajs.definition.agent_schema import AGENT_FIELDS, AGENTS_FILE_RECORD
from ajs.definition.agents import AgentsReading
from ajs.definition.jobnet_schema import (
    CALENDAR_OF,
    EXCLUSIVE,
    LOGS,
    OVERLAP,
    PRIORITY,
    REQUIRED_TIME,
    ROOT_HOLD,
    ROOT_PRIORITY,
    VALID_UNTIL,
)
from ajs.definition.kinds import Field, Placed, Record, Spot, Values
from ajs.definition.problems import Problems, shown
from ajs.definition.rule_schema import NESTED_SCHEDULE, ROOT_SCHEDULE
from ajs.definition.schedules import settle
from ajs.definition.siblings import (
    Exclusive,
    UnitsReading,
    check_exclusive,
)
from ajs.definition.text_schema import COMMENT
from ajs.definition.tree import Node, Table, Word
from ajs.definition.unit_schema import (
    ABNORMAL_ABOVE,
    AFTER,
    CALENDAR,
    COMMAND,
    DESTINATION,
    ENVIRONMENT,
    FILE_RECORD,
    FLEXIBLE_RECORD,
    GROUP,
    GROUP_FILE_RECORD,
    GROUP_RECORD,
    GROUPS,
    HOLD,
    JOB_RECORD,
    JOBNETS,
    NESTED_RECORD,
    PARAMETERS,
    PLANNING,
    RECOVERY,
    RELAY,
    ROOT_RECORD,
    SCRIPT,
    STORED,
    TIMEOUT,
    UNITS,
    WARNING_ABOVE,
    WAS,
    WORK_DIR,
)
from ajs.errors import Place
from ajs.model import (
    LOGS_TO_KEEP,
    NOTHING_STORED,
    PATH_BYTES,
    Definitions,
    HoldIf,
    Job,
    JobGroup,
    Jobnet,
    Overlap,
    RootDefinition,
    Script,
    StoredUnits,
    groups_above,
)
from ajs.rules import Rule

ReadScript = Callable[[str, str], bytes]
"""Returns the content of a script: (definition file, what its ``script:`` says); raises ``OSError``."""


def read(
    texts: Sequence[tuple[str, bytes]],
    scripts: ReadScript,
    stored: Agents = Agents(),
    *,
    units: StoredUnits = NOTHING_STORED,
    watch: Callable[[int, int], None] = lambda _done, _total: None,
) -> Definitions:
    """Return what the texts define: (file name for messages, content) each.

    Groups, root jobnets, scripts and agents come in the order of their paths, hashes and names, units in the order
    written. ``scripts`` is asked for every script file once and for ``sha256:...`` as written. ``stored`` are the
    agents, and ``units`` the units, that the texts may refer to besides their own. ``watch`` gets how many of how many
    texts are read. Raises ``DefinitionError`` with all problems of all texts.
    """
    problems = Problems()
    reading = _Reading(
        problems, scripts, AgentsReading(problems, stored), UnitsReading(problems, units)
    )
    nodes = []
    for done, (file, content) in enumerate(texts, 1):
        node = tree.parse(file, content, problems)
        nodes.append(node)
        if node is not None:
            reading.file(node)
        watch(done, len(texts))
    reading.check_paths()
    if None not in nodes:  # what cannot be read may define the names that seem to be missing
        reading.agents.check()
        reading.others.check()
    problems.raise_any([file for file, _ in texts])
    return reading.definitions()


@dataclass(slots=True)
class _Reading:
    """What has been read so far."""

    problems: Problems
    scripts: ReadScript
    agents: AgentsReading
    others: UnitsReading
    groups: dict[str, tuple[JobGroup, Place]] = field(default_factory=dict)
    group_places: dict[str, Place] = field(default_factory=dict)
    roots: dict[str, tuple[RootDefinition, Place]] = field(default_factory=dict)
    renamed: dict[str, str] = field(default_factory=dict)
    contents: dict[str, bytes] = field(default_factory=dict)
    read: dict[tuple[str, str], bytes | OSError] = field(default_factory=dict)
    places: dict[tuple[str, int], Place] = field(default_factory=dict)

    def definitions(self) -> Definitions:
        """Return all that was read."""
        return Definitions(
            groups=tuple(group for _, (group, _) in sorted(self.groups.items())),
            roots=tuple(root for _, (root, _) in sorted(self.roots.items())),
            scripts=tuple(Script(sha, content) for sha, content in sorted(self.contents.items())),
            agents=self.agents.definitions(),
            places=self.places | {(path, 0): at for path, at in self.group_places.items()},
        )

    # -- files and groups --

    def file(self, node: Node) -> None:
        """Read one file: a group, a list of groups, or only agents."""
        spot = Spot(self.problems, key="the file")
        record = _record_of_file(node)
        alone = record is GROUP_FILE_RECORD
        values = self.group(node, spot, record) if alone else record.values(node, spot)
        if values is None:
            return
        for group in values.get(GROUPS, ()):
            self.group(group.value, spot.at("a group"), GROUP_RECORD)
        self.agents.file(values)

    def group(self, node: Node, spot: Spot, record: Record) -> Values | None:
        """Read one job group and its jobnets; return what was said."""
        name = _text_of(node, "group")
        spot = spot.of(name if name.startswith("/") else "")
        values = record.values(node, spot)
        path = values.get(GROUP) if values else None
        if values is None or path is None:
            path = ""
        else:
            self.group_places.setdefault(path, values.at(GROUP))
            self.others.groups.setdefault(path, values.at(GROUP))
            self._describe(path, values, spot.of(path))
        if values:
            for jobnet, below in values.get(JOBNETS, ()):
                self.root(path, jobnet, below)
        return values

    def _describe(self, path: str, values: Values, spot: Spot) -> None:
        """Keep the comment and calendar of a group; an entry that only adds jobnets does not describe it."""
        describing = any(values.given(key) for key in (COMMENT, PLANNING, CALENDAR))
        if values.get(JOBNETS) and not describing:
            return
        group = JobGroup(
            path=path,
            comment=values.get(COMMENT),
            calendar=values.get(CALENDAR),
            planning=values.get(PLANNING),
        )
        if group.planning is not None:
            self.others.planning[path] = group.planning
        first = self.groups.setdefault(path, (group, values.at(GROUP)))[1]
        if first != values.at(GROUP):
            spot.refuse(
                values.at(GROUP),
                f"job group {shown(path)} is described twice",
                hint=f"the first stands at {first}; give comment and calendar in one place only",
                value=path,
            )

    def check_paths(self) -> None:
        """Note paths that are both a job group and a jobnet, or a group inside a jobnet."""
        for path, place in self.group_places.items():
            for jobnet in (path, *groups_above(path)):
                if jobnet in self.roots:
                    self.problems.add(
                        place,
                        f"{shown(jobnet)} is a root jobnet, so {shown(path)} cannot be a job group",
                        hint=f"the jobnet stands at {self.roots[jobnet][1]}; rename one of them",
                        unit=path,
                        value=path,
                    )

    # -- jobnets --

    def root(self, group: str, name: Placed[str], node: Node) -> None:
        """Read one root jobnet."""
        path = f"{group.rstrip('/')}/{name.value}"
        spot = Spot(self.problems, path, key=f"jobnet {shown(name.value)}")
        _check_length(path, name.place, spot)
        self.places[path, 0] = name.place
        values = ROOT_RECORD.values(node, spot)
        if group:
            self.others.roots.setdefault(path, Exclusive(spot, _placed(values, EXCLUSIVE)))
        if values is None:
            return
        rules: tuple[Rule, ...] = (Rule(),)
        numbers: tuple[int, ...] | None = (1,)
        if values.given(ROOT_SCHEDULE):
            rules, numbers = settle(values.get(ROOT_SCHEDULE), spot, self.places)
        hold = values.get(ROOT_HOLD, False)
        jobnet = Jobnet(
            name=name.value,
            comment=values.get(COMMENT, ""),
            hold=hold is True,
            priority=values.get(ROOT_PRIORITY),
            rules=rules,
            units=self.units(values, path, numbers),
            valid_until=values.get(VALID_UNTIL),
            calendar_of=self._calendar_of(values, spot),
            exclusive=values.get(EXCLUSIVE, ""),
            required_time=values.get(REQUIRED_TIME),
            overlap=values.get(OVERLAP, Overlap.SKIP),
            logs_to_keep=values.get(LOGS, LOGS_TO_KEEP),
            hold_if=hold if isinstance(hold, HoldIf) else None,
        )
        root = RootDefinition(path, jobnet, self._was(group, path, values, spot))
        if not group:  # already noted; the path is not known
            return
        first = self.roots.setdefault(path, (root, name.place))[1]
        if first != name.place:
            spot.refuse(
                name.place,
                f"jobnet {shown(path)} is defined twice",
                hint=f"the first stands at {first}; rename or remove one",
                value=path,
            )

    def _calendar_of(self, values: Values, spot: Spot) -> str:
        """Return the path of the group whose calendar a jobnet uses; whether it exists is checked later."""
        path = _placed(values, CALENDAR_OF)
        if path is None:
            return ""
        self.others.calendars.append((path, spot))
        return path.value

    def _was(self, group: str, path: str, values: Values, spot: Spot) -> str:
        """Return the full path that a root jobnet had before; note one that cannot be."""
        was = values.get(WAS, "")
        if was and not was.startswith("/"):
            was = f"{group.rstrip('/')}/{was}"
        if was == path:
            spot.refuse(
                values.at(WAS),
                f"was {shown(was)} is the name that the jobnet has now",
                hint="give the name it had before, or remove was",
                value=was,
            )
        elif was and self.renamed.setdefault(was, path) != path:
            spot.refuse(
                values.at(WAS),
                f"{shown(was)} was renamed to {shown(self.renamed[was])} already",
                hint="one jobnet can become only one other; remove one of the keys was",
                value=was,
            )
        if was:
            self.others.gone.add(was)
        return was

    def units(
        self, values: Values, path: str, numbers: tuple[int, ...] | None
    ) -> tuple[Jobnet | Job, ...]:
        """Return the units of a jobnet; ``numbers`` are its schedule rules, None when not known."""
        units: list[Jobnet | Job] = []
        order: dict[str, relations.Relation] = {}
        exclusive: dict[str, Exclusive] = {}
        for name, node in values.get(UNITS, ()):
            spot = Spot(self.problems, f"{path}/{name.value}", key=f"unit {shown(name.value)}")
            _check_length(spot.unit, name.place, spot)
            self.places[spot.unit, 0] = name.place
            relation = relations.Relation(name, spot, (), recovery=False, ordered=True)
            order[name.value] = relation
            record = _record_of(node)
            if (said := record.values(node, spot)) is None:
                continue
            order[name.value] = replace(
                relation,
                after=said.get(AFTER, ()),
                recovery=said.yes(RECOVERY),
                ordered=said.given(AFTER),
            )
            if record is NESTED_RECORD:
                exclusive[name.value] = Exclusive(spot, _placed(said, EXCLUSIVE))
                units.append(self.nested(name.value, said, spot, numbers))
            else:
                units.append(self.job(name.value, said, spot))
        relations.check(order)
        check_exclusive(exclusive, order.keys() - exclusive.keys())
        return tuple(units)

    def nested(
        self, name: str, values: Values, spot: Spot, upper: tuple[int, ...] | None
    ) -> Jobnet:
        """Return a nested jobnet; without a schedule it has the rules of the jobnet above (rule book 5.1)."""
        rules, numbers = None, upper
        if values.given(NESTED_SCHEDULE):
            drafts = values.get(NESTED_SCHEDULE)
            rules, numbers = settle(drafts, spot, self.places, nested=True, upper=upper)
        return Jobnet(
            name=name,
            comment=values.get(COMMENT, ""),
            after=tuple(p.value for p in values.get(AFTER, ())),
            recovery=values.yes(RECOVERY),
            hold=values.yes(HOLD),
            priority=values.get(PRIORITY),
            rules=rules,
            units=self.units(values, spot.unit, numbers),
            valid_until=values.get(VALID_UNTIL),
            calendar_of=self._calendar_of(values, spot),
            exclusive=values.get(EXCLUSIVE, ""),
            required_time=values.get(REQUIRED_TIME),
        )

    # -- jobs --

    def job(self, name: str, values: Values, spot: Spot) -> Job:
        """Return a job; note keys that do not go together."""
        has_script = values.given(SCRIPT)
        guessed = {SCRIPT.key, COMMAND.key} & values.meant
        if has_script == values.given(COMMAND) and not guessed:
            spot.refuse(
                values.at(COMMAND),
                f"unit {shown(name)} has command and script together"
                if has_script
                else f"unit {shown(name)} has neither command nor script",
                hint="keep one of them; the arguments of a script are its parameters"
                if has_script
                else "give a job command: or script:, and a jobnet units:",
            )
        if values.given(PARAMETERS) and not has_script:
            spot.refuse(
                values.at(PARAMETERS),
                "parameters belong to a script, and there is none",
                hint="write them into command, or add script",
            )
        abnormal, warning = values.get(ABNORMAL_ABOVE, 0), values.get(WARNING_ABOVE)
        if warning is not None and warning >= abnormal and not values.wrong(ABNORMAL_ABOVE):
            spot.refuse(
                values.at(WARNING_ABOVE),
                f"warning_above {warning} is not below abnormal_above {abnormal}",
                hint="raise abnormal_above"
                if values.given(ABNORMAL_ABOVE)
                else f"abnormal_above is 0 when not given; add one above {warning}",
                value=str(warning),
            )
        return Job(
            name=name,
            comment=values.get(COMMENT, ""),
            after=tuple(p.value for p in values.get(AFTER, ())),
            recovery=values.yes(RECOVERY),
            hold=values.yes(HOLD),
            priority=values.get(PRIORITY),
            command=values.get(PARAMETERS if has_script else COMMAND, ""),
            script=self._script(values, spot),
            work_dir=values.get(WORK_DIR, ""),
            environment=tuple(
                sorted((key.value, text) for key, text in values.get(ENVIRONMENT, ()))
            ),
            timeout_s=values.get(TIMEOUT),
            warning_above=warning,
            abnormal_above=abnormal,
            destination=self._place(DESTINATION, {AgentKind.DESTINATION}, values, spot),
            relay=self._place(RELAY, RELAYS, values, spot),
        )

    def _place(
        self, key: Field[str], kinds: Collection[AgentKind], values: Values, spot: Spot
    ) -> str:
        """Return the name of where a flexible job runs, or how it gets there; whether it exists is checked later."""
        name = values.get(key, "")
        if name:
            self.agents.use(Placed(name, values.at(key)), kinds, spot.at(key.key))
        return name

    def _script(self, values: Values, spot: Spot) -> str:
        """Return the SHA-256 of a job's script and keep its content; note one that cannot be had."""
        named = values.get(SCRIPT)
        if named is None:
            return ""
        place = values.at(SCRIPT)
        content = self._content(place.file, named)
        if isinstance(content, OSError):
            spot.refuse(
                place,
                f"script {shown(named)} cannot be read: {_reason(content)}",
                hint="a script is looked for beside the definition file",
                value=named,
            )
            return ""
        sha = hashlib.sha256(content).hexdigest()
        if named.startswith(STORED) and named != STORED + sha:
            spot.refuse(
                place,
                f"script {shown(named)} has another content than its name says",
                hint="name the script file itself",
                value=named,
            )
        self.contents[sha] = content
        return sha

    def _content(self, file: str, named: str) -> bytes | OSError:
        """Return the content of a script, or why there is none; asked for once."""
        if (file, named) not in self.read:
            try:
                self.read[file, named] = self.scripts(file, named)
            except OSError as error:
                self.read[file, named] = error
        return self.read[file, named]


_TYPED = {"job": JOB_RECORD, "flexible": FLEXIBLE_RECORD, "jobnet": NESTED_RECORD}


def _reason(error: OSError) -> str:
    """Return why a file cannot be read, in lower case."""
    return (error.strerror or str(error) or type(error).__name__).lower()


def _placed(values: Values | None, field: Field[str]) -> Placed[str] | None:
    """Return a text with its place."""
    text = values.get(field) if values else None
    return None if values is None or text is None else Placed(text, values.at(field))


def _keys(node: Node) -> dict[str, Node]:
    """Return what stands under each key that is a word."""
    if not isinstance(node, Table):
        return {}
    return {key.text: value for key, value in node.entries if isinstance(key, Word)}


def _text_of(node: Node, key: str) -> str:
    """Return the word under a key, or nothing."""
    value = _keys(node).get(key)
    return value.text if isinstance(value, Word) else ""


def _record_of_file(node: Node) -> Record:
    """Return what a file describes: one group, several, or only agents."""
    keys = _keys(node).keys()
    if "groups" in keys:
        return FILE_RECORD
    agents = {f.key for f in AGENT_FIELDS} & keys
    if agents and not keys & {f.key for f in GROUP_RECORD.fields}:
        return AGENTS_FILE_RECORD
    return GROUP_FILE_RECORD


def _record_of(node: Node) -> Record:
    """Return whether a unit is described as a nested jobnet, a job or a flexible job."""
    said = _text_of(node, "type")
    if said in _TYPED:
        return _TYPED[said]
    keys = _keys(node).keys()
    if "units" in keys or ("schedule" in keys and not keys & {"command", "script"}):
        return NESTED_RECORD
    return JOB_RECORD


def _check_length(path: str, place: Place, spot: Spot) -> None:
    """Note a unit whose full path is too long (commands.md 1)."""
    size = len(path.encode())
    if size > PATH_BYTES:
        spot.refuse(
            place,
            f"the full path of {spot.key} is {size} bytes long",
            hint=f"a full path has at most {PATH_BYTES} bytes; use shorter names or fewer levels",
            value=path,
        )
