-- The state of one scheduler service.
--
-- Wall-clock times are text, 2026-08-11T22:00:00, in the service's time zone; instants are UTC text with
-- milliseconds, 2026-08-11T13:00:05.123Z; dates 2026-08-11. Both sort like the times they stand for. Ids come from
-- AUTOINCREMENT, so that a number that was once given out never stands for anything else.

-- One row: whose state this is. The incarnation is new at ajs init and at every ajs restore, so that attempts begun
-- after a restore can never be taken for attempts that the lost state knew of.
CREATE TABLE service (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    uuid TEXT NOT NULL CHECK (length(uuid) = 32),
    incarnation TEXT NOT NULL CHECK (length(incarnation) = 12),
    name TEXT NOT NULL CHECK (name <> ''),
    created_utc TEXT NOT NULL CHECK (created_utc GLOB '????-??-??T??:??:??.???Z'),
    created_by_version TEXT NOT NULL CHECK (created_by_version <> '')
) STRICT;

-- The JSON form of a root jobnet with everything below it, under the SHA-256 of that form. Never changed: a running
-- generation keeps the definition that it started with.
CREATE TABLE definition (
    hash TEXT PRIMARY KEY CHECK (length(hash) = 64),
    body TEXT NOT NULL CHECK (json_valid(body))
) STRICT, WITHOUT ROWID;

-- Files that jobs run, read when they were defined, under the SHA-256 of their content.
CREATE TABLE script (
    sha256 TEXT PRIMARY KEY CHECK (length(sha256) = 64),
    content BLOB NOT NULL
) STRICT;

-- Every unit by its full path. "root" is the root jobnet that a unit belongs to (itself, for a root jobnet) and NULL
-- for job groups. "position" is the order below the upper unit; "body" a job group's own calendar settings.
CREATE TABLE unit (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    path TEXT NOT NULL UNIQUE CHECK (path GLOB '/*'),
    name TEXT NOT NULL CHECK (name <> ''),
    kind TEXT NOT NULL CHECK (kind IN ('group', 'root', 'jobnet', 'job')),
    upper INTEGER REFERENCES unit (id) DEFERRABLE INITIALLY DEFERRED CHECK ((upper IS NULL) = (path = '/')),
    root INTEGER REFERENCES unit (id) DEFERRABLE INITIALLY DEFERRED CHECK ((root IS NULL) = (kind = 'group')),
    position INTEGER NOT NULL CHECK (position >= 0),
    comment TEXT NOT NULL,
    body TEXT CHECK (body IS NULL OR (kind = 'group' AND json_valid(body))),
    definition TEXT REFERENCES definition (hash) CHECK ((definition IS NOT NULL) = (kind = 'root')),
    version INTEGER NOT NULL CHECK (version > 0)
) STRICT;
CREATE INDEX unit_upper ON unit (upper, position);
CREATE INDEX unit_root ON unit (root);

-- A root jobnet's registration for execution. Every change of its plan counts the version up, also one that only adds
-- or takes away generations: whoever changes a plan has seen all of it.
CREATE TABLE registration (
    root INTEGER PRIMARY KEY REFERENCES unit (id),
    method TEXT NOT NULL CHECK (method IN ('planned', 'fixed', 'immediate')),
    registered TEXT NOT NULL CHECK (registered GLOB '????-??-??T??:??:??'),
    registered_utc TEXT NOT NULL CHECK (registered_utc GLOB '????-??-??T??:??:??.???Z'),
    registered_by TEXT NOT NULL,
    catch_up INTEGER NOT NULL CHECK (catch_up IN (0, 1)),
    floor_start TEXT CHECK (floor_start GLOB '????-??-??T??:??:??'),
    floor_exec_date TEXT CHECK (floor_exec_date GLOB '????-??-??' AND (floor_exec_date IS NULL) = (floor_start IS NULL)),
    done TEXT NOT NULL CHECK (json_valid(done)),
    version INTEGER NOT NULL CHECK (version > 0)
) STRICT;

-- The last number given out within an execution date of a root jobnet: registration numbers are not given twice, also
-- when the generation that bore one is gone.
CREATE TABLE serial (
    root INTEGER NOT NULL REFERENCES unit (id),
    registered_for TEXT NOT NULL CHECK (registered_for GLOB '????-??-??'),
    last INTEGER NOT NULL CHECK (last > 0),
    PRIMARY KEY (root, registered_for)
) STRICT, WITHOUT ROWID;

-- One run of a root jobnet, planned, running or ended. The id gives the execution ID; registered_for and serial the
-- registration number; neither changes when the run is moved. "definition" is set when it starts; "interrupted" is the
-- operation that interrupted the run.
CREATE TABLE generation (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    root INTEGER NOT NULL REFERENCES unit (id),
    registered_for TEXT NOT NULL CHECK (registered_for GLOB '????-??-??'),
    serial INTEGER NOT NULL CHECK (serial > 0),
    method TEXT NOT NULL CHECK (method IN ('planned', 'fixed', 'immediate')),
    phase TEXT NOT NULL CHECK (phase IN ('waiting', 'running', 'ended', 'prohibited')),
    status TEXT NOT NULL CHECK (status IN (
        'NOPLAN', 'TIMEWAIT', 'TERMWAIT', 'HOLDING', 'EXECWAIT', 'QUEUING', 'RUNNING', 'WACONT', 'ABCONT', 'NORMAL',
        'WARNING', 'ABNORMAL', 'UNEXEC', 'BYPASS', 'EXECDEFFER', 'INTERRUPT', 'KILL', 'FAIL', 'UNKNOWN')),
    start TEXT NOT NULL CHECK (start GLOB '????-??-??T??:??:??'),
    exec_date TEXT NOT NULL CHECK (exec_date GLOB '????-??-??'),
    original_start TEXT NOT NULL CHECK (original_start GLOB '????-??-??T??:??:??'),
    original_exec_date TEXT NOT NULL CHECK (original_exec_date GLOB '????-??-??'),
    ties TEXT NOT NULL CHECK (json_valid(ties)),
    kept TEXT CHECK (kept IS NULL OR json_valid(kept)),
    added INTEGER NOT NULL CHECK (added IN (0, 1)),
    nested TEXT NOT NULL CHECK (json_valid(nested)),
    holds TEXT NOT NULL CHECK (json_valid(holds)),
    prohibited_units TEXT NOT NULL CHECK (json_valid(prohibited_units)),
    interrupted INTEGER REFERENCES operation (id),
    definition TEXT REFERENCES definition (hash),
    started_utc TEXT CHECK (started_utc GLOB '????-??-??T??:??:??.???Z'),
    ended_utc TEXT CHECK (ended_utc GLOB '????-??-??T??:??:??.???Z'),
    version INTEGER NOT NULL CHECK (version > 0),
    UNIQUE (root, registered_for, serial)
) STRICT;
CREATE INDEX generation_due ON generation (phase, start);
CREATE INDEX generation_root ON generation (root, phase, start);

-- A unit inside a generation that has started; path '' is the root jobnet itself, the others are relative to it.
-- "kill_asked" is the operation that asked for it to be killed.
CREATE TABLE unit_run (
    generation INTEGER NOT NULL REFERENCES generation (id),
    path TEXT NOT NULL,
    position INTEGER NOT NULL CHECK (position >= 0),
    kind TEXT NOT NULL CHECK (kind IN ('root', 'jobnet', 'job')),
    status TEXT NOT NULL CHECK (status IN (
        'NOPLAN', 'TIMEWAIT', 'TERMWAIT', 'HOLDING', 'EXECWAIT', 'QUEUING', 'RUNNING', 'WACONT', 'ABCONT', 'NORMAL',
        'WARNING', 'ABNORMAL', 'UNEXEC', 'BYPASS', 'EXECDEFFER', 'INTERRUPT', 'KILL', 'FAIL', 'UNKNOWN')),
    planned TEXT CHECK (planned GLOB '????-??-??T??:??:??'),
    scheduled INTEGER NOT NULL CHECK (scheduled IN (0, 1)),
    prohibited INTEGER NOT NULL CHECK (prohibited IN (0, 1)),
    held INTEGER NOT NULL CHECK (held IN (0, 1)),
    kill_asked INTEGER REFERENCES operation (id),
    attempt INTEGER NOT NULL CHECK (attempt >= 0),
    return_code INTEGER,
    started_utc TEXT CHECK (started_utc GLOB '????-??-??T??:??:??.???Z'),
    ended_utc TEXT CHECK (ended_utc GLOB '????-??-??T??:??:??.???Z'),
    PRIMARY KEY (generation, path)
) STRICT, WITHOUT ROWID;
CREATE INDEX unit_run_killed ON unit_run (kill_asked) WHERE kill_asked IS NOT NULL;

-- One start of one job. The service's uuid, the incarnation under which it was made and the id are the attempt's name at
-- its place: a restore does not rename it, so that its place, if it ever had it, still knows it. "result" is the one
-- ending; "late" is another one that arrived after it.
CREATE TABLE attempt (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    incarnation TEXT NOT NULL CHECK (length(incarnation) = 12),
    generation INTEGER NOT NULL,
    path TEXT NOT NULL,
    number INTEGER NOT NULL CHECK (number > 0),
    state TEXT NOT NULL CHECK (state IN (
        'QUEUED', 'PLACED', 'STARTED', 'ENDED', 'STORED', 'ACKED', 'UNKNOWN', 'LOST')),
    place TEXT NOT NULL,
    placed_utc TEXT CHECK (placed_utc GLOB '????-??-??T??:??:??.???Z'),
    started_utc TEXT CHECK (started_utc GLOB '????-??-??T??:??:??.???Z'),
    ended_utc TEXT CHECK (ended_utc GLOB '????-??-??T??:??:??.???Z'),
    result TEXT CHECK (result IS NULL OR json_valid(result)),
    why TEXT NOT NULL,
    silent_since_utc TEXT CHECK (silent_since_utc GLOB '????-??-??T??:??:??.???Z'),
    late TEXT CHECK (late IS NULL OR json_valid(late)),
    UNIQUE (generation, path, number),
    FOREIGN KEY (generation, path) REFERENCES unit_run (generation, path)
) STRICT;
CREATE INDEX attempt_open ON attempt (id) WHERE state <> 'ACKED';

-- Every change of a unit's status with its cause; rows are only added.
CREATE TABLE event (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    generation INTEGER NOT NULL REFERENCES generation (id),
    path TEXT NOT NULL,
    at_utc TEXT NOT NULL CHECK (at_utc GLOB '????-??-??T??:??:??.???Z'),
    at_wall TEXT NOT NULL CHECK (at_wall GLOB '????-??-??T??:??:??'),
    status TEXT NOT NULL CHECK (status IN (
        'NOPLAN', 'TIMEWAIT', 'TERMWAIT', 'HOLDING', 'EXECWAIT', 'QUEUING', 'RUNNING', 'WACONT', 'ABCONT', 'NORMAL',
        'WARNING', 'ABNORMAL', 'UNEXEC', 'BYPASS', 'EXECDEFFER', 'INTERRUPT', 'KILL', 'FAIL', 'UNKNOWN')),
    cause TEXT NOT NULL CHECK (json_valid(cause))
) STRICT;
CREATE INDEX event_run ON event (generation, path);

-- What an operator did: one row a command that changed something.
CREATE TABLE operation (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at_utc TEXT NOT NULL CHECK (at_utc GLOB '????-??-??T??:??:??.???Z'),
    at_wall TEXT NOT NULL CHECK (at_wall GLOB '????-??-??T??:??:??'),
    os_user TEXT NOT NULL CHECK (os_user <> ''),
    verb TEXT NOT NULL CHECK (verb <> ''),
    command TEXT NOT NULL CHECK (json_valid(command)),
    reason TEXT NOT NULL,
    undoes INTEGER REFERENCES operation (id),
    undone_by INTEGER REFERENCES operation (id),
    summary TEXT NOT NULL CHECK (json_valid(summary))
) STRICT;
CREATE INDEX operation_at ON operation (at_wall);

-- The whole of a row before and after the operation, NULL where there was none; every row of registration, generation
-- and unit that it touched, as json_object() made it. "unit" is the root jobnet or job group that the row belongs to.
CREATE TABLE operation_row (
    seq INTEGER PRIMARY KEY,
    operation INTEGER NOT NULL REFERENCES operation (id),
    tbl TEXT NOT NULL CHECK (tbl IN ('unit', 'registration', 'generation')),
    key INTEGER NOT NULL,
    unit INTEGER NOT NULL,
    before TEXT,
    after TEXT,
    UNIQUE (operation, tbl, key)
) STRICT;
CREATE INDEX operation_row_key ON operation_row (tbl, key, operation);
CREATE INDEX operation_row_unit ON operation_row (unit, operation);

-- What became of planned runs that did not run, dummies that were lost included.
CREATE TABLE fate (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    root INTEGER NOT NULL REFERENCES unit (id),
    exec_date TEXT NOT NULL CHECK (exec_date GLOB '????-??-??'),
    start TEXT NOT NULL CHECK (start GLOB '????-??-??T??:??:??'),
    ties TEXT NOT NULL CHECK (json_valid(ties)),
    fate TEXT NOT NULL CHECK (fate IN ('skipped', 'prohibited', 'missed', 'passed')),
    why TEXT NOT NULL CHECK (why <> ''),
    operation INTEGER REFERENCES operation (id),
    generation INTEGER,
    at_utc TEXT NOT NULL CHECK (at_utc GLOB '????-??-??T??:??:??.???Z')
) STRICT;
CREATE INDEX fate_root ON fate (root, start);
