-- A state as version 1 of the schema left it: two groups, a jobnet that ran, a change, an undo, a hold. Made by that version;
-- never edited.
BEGIN TRANSACTION;
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
INSERT INTO "attempt" VALUES(1,'ee9031505fed',1,'first',1,'ACKED','local','2026-08-10T22:30:00.000Z','2026-08-10T22:30:00.000Z','2026-08-10T22:42:00.000Z','{"return_code":0,"signal":null,"timed_out":false,"started":"2026-08-10T22:30:00.000Z","ended":"2026-08-10T22:42:00.000Z","out_bytes":0,"err_bytes":0}','',NULL,NULL);
INSERT INTO "attempt" VALUES(2,'ee9031505fed',1,'report/print',1,'ACKED','local','2026-08-10T23:00:00.000Z','2026-08-10T23:00:00.000Z','2026-08-10T23:00:00.000Z','{"return_code":0,"signal":null,"timed_out":false,"started":"2026-08-10T23:00:00.000Z","ended":"2026-08-10T23:00:00.000Z","out_bytes":0,"err_bytes":0}','',NULL,NULL);
CREATE TABLE definition (
    hash TEXT PRIMARY KEY CHECK (length(hash) = 64),
    body TEXT NOT NULL CHECK (json_valid(body))
) STRICT, WITHOUT ROWID;
INSERT INTO "definition" VALUES('5a99fbeb8e1eae3c2ea287876a4ff19ec26b4e56b6e19dd3695183531ad485c2','{"name":"daily","rules":[{"cycle":[1,"day"],"number":1,"start_time":[1320,false]}],"units":[{"command":"true","name":"first"},{"after":["first"],"name":"report","rules":[{"cycle":[1,"day"],"number":1,"start_time":[60,true]}],"units":[{"command":"true","name":"print"}]}]}');
INSERT INTO "definition" VALUES('6aa0880430872794412a024d68ff3a8f42fbb900f2cbd9c83e30059f184e2172','{"name":"scripted","rules":[{"number":1}],"units":[{"name":"one","script":"9ab8fabc8c72bfa0416414631e26bd71b01f9dfae98dcf4656b1e2d78307876a"}]}');
INSERT INTO "definition" VALUES('6ec1fb46125ba7dd1cc2abb2a1ca8b5944c881598db5ae4d88ac06fdd6c7e5df','{"name":"weekly","rules":[{"cycle":[1,"week"],"number":1,"start_day":["weekday","absolute",4,"any",null,null],"start_time":[600,false]}],"units":[{"command":"true","name":"only"}]}');
INSERT INTO "definition" VALUES('83736f023f35c9b89e88a82d1c85604507ed4c5dcad127911adef7e542352649','{"name":"never","rules":[],"units":[{"command":"true","name":"only"}]}');
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
INSERT INTO "event" VALUES(1,1,'','2026-08-10T22:30:00.000Z','2026-08-10T22:30:00','RUNNING','{"why":"START_TIME","value":"2026-08-10T22:30:00"}');
INSERT INTO "event" VALUES(2,1,'first','2026-08-10T22:30:00.000Z','2026-08-10T22:30:00','EXECWAIT','{"why":"UPPER_RUNS"}');
INSERT INTO "event" VALUES(3,1,'first','2026-08-10T22:30:00.000Z','2026-08-10T22:30:00','RUNNING','{"why":"JOB_STARTED"}');
INSERT INTO "event" VALUES(4,1,'first','2026-08-10T22:42:00.000Z','2026-08-10T22:42:00','NORMAL','{"why":"RETURN_CODE","value":"0"}');
INSERT INTO "event" VALUES(5,1,'report','2026-08-10T22:42:00.000Z','2026-08-10T22:42:00','TIMEWAIT','{"why":"WAITS_TIME","value":"2026-08-10T23:00:00"}');
INSERT INTO "event" VALUES(6,1,'report','2026-08-10T23:00:00.000Z','2026-08-10T23:00:00','RUNNING','{"why":"START_TIME","value":"2026-08-10T23:00:00"}');
INSERT INTO "event" VALUES(7,1,'report/print','2026-08-10T23:00:00.000Z','2026-08-10T23:00:00','EXECWAIT','{"why":"UPPER_RUNS"}');
INSERT INTO "event" VALUES(8,1,'report/print','2026-08-10T23:00:00.000Z','2026-08-10T23:00:00','RUNNING','{"why":"JOB_STARTED"}');
INSERT INTO "event" VALUES(9,1,'report/print','2026-08-10T23:00:00.000Z','2026-08-10T23:00:00','NORMAL','{"why":"RETURN_CODE","value":"0"}');
INSERT INTO "event" VALUES(10,1,'report','2026-08-10T23:00:00.000Z','2026-08-10T23:00:00','NORMAL','{"why":"ALL_ENDED"}');
INSERT INTO "event" VALUES(11,1,'','2026-08-10T23:00:00.000Z','2026-08-10T23:00:00','NORMAL','{"why":"ALL_ENDED"}');
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
    interrupted INTEGER NOT NULL DEFAULT 0 CHECK (interrupted IN (0, 1)),
    definition TEXT REFERENCES definition (hash),
    started_utc TEXT CHECK (started_utc GLOB '????-??-??T??:??:??.???Z'),
    ended_utc TEXT CHECK (ended_utc GLOB '????-??-??T??:??:??.???Z'),
    version INTEGER NOT NULL CHECK (version > 0),
    UNIQUE (root, registered_for, serial)
) STRICT;
INSERT INTO "generation" VALUES(1,4,'2026-08-10',1,'planned','ended','NORMAL','2026-08-10T22:30:00','2026-08-10','2026-08-10T22:00:00','2026-08-10','[[1,"2026-08-10"]]',NULL,0,'{"report":{"start":"2026-08-10T23:00:00","original":"2026-08-10T23:00:00"}}','{}','[]',0,'5a99fbeb8e1eae3c2ea287876a4ff19ec26b4e56b6e19dd3695183531ad485c2','2026-08-10T22:30:00.000Z','2026-08-10T23:00:00.000Z',7);
INSERT INTO "generation" VALUES(2,6,'2026-08-14',1,'planned','waiting','TIMEWAIT','2026-08-14T10:00:00','2026-08-14','2026-08-14T10:00:00','2026-08-14','[[1,"2026-08-14"]]',NULL,0,'{}','{}','[]',0,NULL,NULL,NULL,3);
INSERT INTO "generation" VALUES(3,4,'2026-08-11',1,'planned','waiting','TIMEWAIT','2026-08-11T22:00:00','2026-08-11','2026-08-11T22:00:00','2026-08-11','[[1,"2026-08-11"]]',NULL,0,'{"report":{"start":"2026-08-11T23:00:00","original":"2026-08-11T23:00:00"}}','{"report":true}','[]',0,NULL,NULL,NULL,2);
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
INSERT INTO "operation" VALUES(1,'2026-08-10T12:00:02.000Z','2026-08-10T12:00:02','hanako','define','["ajsdefine", "g.yaml", "h.yaml"]','',NULL,NULL,'{"added": ["/g", "/h", "/g/daily", "/g/never", "/g/weekly", "/h/scripted"], "changed": [], "renamed": []}');
INSERT INTO "operation" VALUES(2,'2026-08-10T12:00:03.000Z','2026-08-10T12:00:03','hanako','entry','["ajsentry", "/g/daily", "/g/weekly"]','',NULL,NULL,'{"roots": 2, "method": "planned"}');
INSERT INTO "operation" VALUES(3,'2026-08-10T12:00:04.000Z','2026-08-10T12:00:04','hanako','plan','["ajsplan", "-t", "22:30", "--reason", "late", "/g/daily"]','late',NULL,NULL,'{"roots": 1, "effects": {"moved": 1}, "refused": 0}');
INSERT INTO "operation" VALUES(4,'2026-08-11T00:30:01.000Z','2026-08-11T00:30:01','hanako','plan','["ajsplan", "-p", "/g/weekly"]','',NULL,5,'{"roots": 1, "effects": {"prohibited": 1, "appears": 1}, "refused": 0}');
INSERT INTO "operation" VALUES(5,'2026-08-11T00:30:02.000Z','2026-08-11T00:30:02','hanako','undo','["ajs", "undo", "4"]','',4,NULL,'{"rows": 2, "roots": 1}');
INSERT INTO "operation" VALUES(6,'2026-08-11T00:30:03.000Z','2026-08-11T00:30:03','hanako','plan','["ajsplan", "-h", "/g/daily/report"]','',NULL,NULL,'{"roots": 1, "effects": {"held": 1}, "refused": 0}');
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
INSERT INTO "operation_row" VALUES(1,1,'unit',2,2,NULL,'{"id":2,"path":"/g","name":"g","kind":"group","upper":1,"root":null,"position":0,"comment":"","body":"{\"weekdays\":[[5,false],[6,false]]}","definition":null,"version":1}');
INSERT INTO "operation_row" VALUES(2,1,'unit',3,3,NULL,'{"id":3,"path":"/h","name":"h","kind":"group","upper":1,"root":null,"position":0,"comment":"","body":null,"definition":null,"version":1}');
INSERT INTO "operation_row" VALUES(3,1,'unit',4,4,NULL,'{"id":4,"path":"/g/daily","name":"daily","kind":"root","upper":2,"root":4,"position":0,"comment":"","body":null,"definition":"5a99fbeb8e1eae3c2ea287876a4ff19ec26b4e56b6e19dd3695183531ad485c2","version":1}');
INSERT INTO "operation_row" VALUES(4,1,'unit',5,5,NULL,'{"id":5,"path":"/g/never","name":"never","kind":"root","upper":2,"root":5,"position":0,"comment":"","body":null,"definition":"83736f023f35c9b89e88a82d1c85604507ed4c5dcad127911adef7e542352649","version":1}');
INSERT INTO "operation_row" VALUES(5,1,'unit',6,6,NULL,'{"id":6,"path":"/g/weekly","name":"weekly","kind":"root","upper":2,"root":6,"position":0,"comment":"","body":null,"definition":"6ec1fb46125ba7dd1cc2abb2a1ca8b5944c881598db5ae4d88ac06fdd6c7e5df","version":1}');
INSERT INTO "operation_row" VALUES(6,1,'unit',7,7,NULL,'{"id":7,"path":"/h/scripted","name":"scripted","kind":"root","upper":3,"root":7,"position":0,"comment":"","body":null,"definition":"6aa0880430872794412a024d68ff3a8f42fbb900f2cbd9c83e30059f184e2172","version":1}');
INSERT INTO "operation_row" VALUES(7,1,'unit',8,4,NULL,'{"id":8,"path":"/g/daily/first","name":"first","kind":"job","upper":4,"root":4,"position":0,"comment":"","body":null,"definition":null,"version":1}');
INSERT INTO "operation_row" VALUES(8,1,'unit',9,4,NULL,'{"id":9,"path":"/g/daily/report","name":"report","kind":"jobnet","upper":4,"root":4,"position":1,"comment":"","body":null,"definition":null,"version":1}');
INSERT INTO "operation_row" VALUES(9,1,'unit',10,4,NULL,'{"id":10,"path":"/g/daily/report/print","name":"print","kind":"job","upper":9,"root":4,"position":0,"comment":"","body":null,"definition":null,"version":1}');
INSERT INTO "operation_row" VALUES(10,1,'unit',11,5,NULL,'{"id":11,"path":"/g/never/only","name":"only","kind":"job","upper":5,"root":5,"position":0,"comment":"","body":null,"definition":null,"version":1}');
INSERT INTO "operation_row" VALUES(11,1,'unit',12,6,NULL,'{"id":12,"path":"/g/weekly/only","name":"only","kind":"job","upper":6,"root":6,"position":0,"comment":"","body":null,"definition":null,"version":1}');
INSERT INTO "operation_row" VALUES(12,1,'unit',13,7,NULL,'{"id":13,"path":"/h/scripted/one","name":"one","kind":"job","upper":7,"root":7,"position":0,"comment":"","body":null,"definition":null,"version":1}');
INSERT INTO "operation_row" VALUES(13,2,'registration',4,4,NULL,'{"root":4,"method":"planned","registered":"2026-08-10T12:00:03","registered_utc":"2026-08-10T12:00:03.000Z","registered_by":"hanako","catch_up":1,"floor_start":null,"floor_exec_date":null,"done":"[]","version":1}');
INSERT INTO "operation_row" VALUES(14,2,'registration',6,6,NULL,'{"root":6,"method":"planned","registered":"2026-08-10T12:00:03","registered_utc":"2026-08-10T12:00:03.000Z","registered_by":"hanako","catch_up":1,"floor_start":null,"floor_exec_date":null,"done":"[]","version":1}');
INSERT INTO "operation_row" VALUES(15,2,'generation',1,4,NULL,'{"id":1,"root":4,"registered_for":"2026-08-10","serial":1,"method":"planned","phase":"waiting","status":"TIMEWAIT","start":"2026-08-10T22:00:00","exec_date":"2026-08-10","original_start":"2026-08-10T22:00:00","original_exec_date":"2026-08-10","ties":"[[1,\"2026-08-10\"]]","kept":null,"added":0,"nested":"{\"report\":{\"start\":\"2026-08-10T23:00:00\",\"original\":\"2026-08-10T23:00:00\"}}","holds":"{}","prohibited_units":"[]","interrupted":0,"definition":null,"started_utc":null,"ended_utc":null,"version":1}');
INSERT INTO "operation_row" VALUES(16,2,'generation',2,6,NULL,'{"id":2,"root":6,"registered_for":"2026-08-14","serial":1,"method":"planned","phase":"waiting","status":"TIMEWAIT","start":"2026-08-14T10:00:00","exec_date":"2026-08-14","original_start":"2026-08-14T10:00:00","original_exec_date":"2026-08-14","ties":"[[1,\"2026-08-14\"]]","kept":null,"added":0,"nested":"{}","holds":"{}","prohibited_units":"[]","interrupted":0,"definition":null,"started_utc":null,"ended_utc":null,"version":1}');
INSERT INTO "operation_row" VALUES(17,3,'generation',1,4,'{"id":1,"root":4,"registered_for":"2026-08-10","serial":1,"method":"planned","phase":"waiting","status":"TIMEWAIT","start":"2026-08-10T22:00:00","exec_date":"2026-08-10","original_start":"2026-08-10T22:00:00","original_exec_date":"2026-08-10","ties":"[[1,\"2026-08-10\"]]","kept":null,"added":0,"nested":"{\"report\":{\"start\":\"2026-08-10T23:00:00\",\"original\":\"2026-08-10T23:00:00\"}}","holds":"{}","prohibited_units":"[]","interrupted":0,"definition":null,"started_utc":null,"ended_utc":null,"version":1}','{"id":1,"root":4,"registered_for":"2026-08-10","serial":1,"method":"planned","phase":"waiting","status":"TIMEWAIT","start":"2026-08-10T22:30:00","exec_date":"2026-08-10","original_start":"2026-08-10T22:00:00","original_exec_date":"2026-08-10","ties":"[[1,\"2026-08-10\"]]","kept":null,"added":0,"nested":"{\"report\":{\"start\":\"2026-08-10T23:00:00\",\"original\":\"2026-08-10T23:00:00\"}}","holds":"{}","prohibited_units":"[]","interrupted":0,"definition":null,"started_utc":null,"ended_utc":null,"version":2}');
INSERT INTO "operation_row" VALUES(18,4,'generation',2,6,'{"id":2,"root":6,"registered_for":"2026-08-14","serial":1,"method":"planned","phase":"waiting","status":"TIMEWAIT","start":"2026-08-14T10:00:00","exec_date":"2026-08-14","original_start":"2026-08-14T10:00:00","original_exec_date":"2026-08-14","ties":"[[1,\"2026-08-14\"]]","kept":null,"added":0,"nested":"{}","holds":"{}","prohibited_units":"[]","interrupted":0,"definition":null,"started_utc":null,"ended_utc":null,"version":1}','{"id":2,"root":6,"registered_for":"2026-08-14","serial":1,"method":"planned","phase":"prohibited","status":"BYPASS","start":"2026-08-14T10:00:00","exec_date":"2026-08-14","original_start":"2026-08-14T10:00:00","original_exec_date":"2026-08-14","ties":"[[1,\"2026-08-14\"]]","kept":null,"added":0,"nested":"{}","holds":"{}","prohibited_units":"[]","interrupted":0,"definition":null,"started_utc":null,"ended_utc":null,"version":2}');
INSERT INTO "operation_row" VALUES(19,4,'generation',4,6,NULL,'{"id":4,"root":6,"registered_for":"2026-08-21","serial":1,"method":"planned","phase":"waiting","status":"TIMEWAIT","start":"2026-08-21T10:00:00","exec_date":"2026-08-21","original_start":"2026-08-21T10:00:00","original_exec_date":"2026-08-21","ties":"[[1,\"2026-08-21\"]]","kept":null,"added":0,"nested":"{}","holds":"{}","prohibited_units":"[]","interrupted":0,"definition":null,"started_utc":null,"ended_utc":null,"version":1}');
INSERT INTO "operation_row" VALUES(20,5,'generation',2,6,'{"id":2,"root":6,"registered_for":"2026-08-14","serial":1,"method":"planned","phase":"prohibited","status":"BYPASS","start":"2026-08-14T10:00:00","exec_date":"2026-08-14","original_start":"2026-08-14T10:00:00","original_exec_date":"2026-08-14","ties":"[[1,\"2026-08-14\"]]","kept":null,"added":0,"nested":"{}","holds":"{}","prohibited_units":"[]","interrupted":0,"definition":null,"started_utc":null,"ended_utc":null,"version":2}','{"id":2,"root":6,"registered_for":"2026-08-14","serial":1,"method":"planned","phase":"waiting","status":"TIMEWAIT","start":"2026-08-14T10:00:00","exec_date":"2026-08-14","original_start":"2026-08-14T10:00:00","original_exec_date":"2026-08-14","ties":"[[1,\"2026-08-14\"]]","kept":null,"added":0,"nested":"{}","holds":"{}","prohibited_units":"[]","interrupted":0,"definition":null,"started_utc":null,"ended_utc":null,"version":3}');
INSERT INTO "operation_row" VALUES(21,5,'generation',4,6,'{"id":4,"root":6,"registered_for":"2026-08-21","serial":1,"method":"planned","phase":"waiting","status":"TIMEWAIT","start":"2026-08-21T10:00:00","exec_date":"2026-08-21","original_start":"2026-08-21T10:00:00","original_exec_date":"2026-08-21","ties":"[[1,\"2026-08-21\"]]","kept":null,"added":0,"nested":"{}","holds":"{}","prohibited_units":"[]","interrupted":0,"definition":null,"started_utc":null,"ended_utc":null,"version":1}',NULL);
INSERT INTO "operation_row" VALUES(22,6,'generation',3,4,'{"id":3,"root":4,"registered_for":"2026-08-11","serial":1,"method":"planned","phase":"waiting","status":"TIMEWAIT","start":"2026-08-11T22:00:00","exec_date":"2026-08-11","original_start":"2026-08-11T22:00:00","original_exec_date":"2026-08-11","ties":"[[1,\"2026-08-11\"]]","kept":null,"added":0,"nested":"{\"report\":{\"start\":\"2026-08-11T23:00:00\",\"original\":\"2026-08-11T23:00:00\"}}","holds":"{}","prohibited_units":"[]","interrupted":0,"definition":null,"started_utc":null,"ended_utc":null,"version":1}','{"id":3,"root":4,"registered_for":"2026-08-11","serial":1,"method":"planned","phase":"waiting","status":"TIMEWAIT","start":"2026-08-11T22:00:00","exec_date":"2026-08-11","original_start":"2026-08-11T22:00:00","original_exec_date":"2026-08-11","ties":"[[1,\"2026-08-11\"]]","kept":null,"added":0,"nested":"{\"report\":{\"start\":\"2026-08-11T23:00:00\",\"original\":\"2026-08-11T23:00:00\"}}","holds":"{\"report\":true}","prohibited_units":"[]","interrupted":0,"definition":null,"started_utc":null,"ended_utc":null,"version":2}');
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
INSERT INTO "registration" VALUES(4,'planned','2026-08-10T12:00:03','2026-08-10T12:00:03.000Z','hanako',1,'2026-08-10T22:30:00','2026-08-10','[[1,"2026-08-10"]]',4);
INSERT INTO "registration" VALUES(6,'planned','2026-08-10T12:00:03','2026-08-10T12:00:03.000Z','hanako',1,NULL,NULL,'[]',3);
CREATE TABLE script (
    sha256 TEXT PRIMARY KEY CHECK (length(sha256) = 64),
    content BLOB NOT NULL
) STRICT;
INSERT INTO "script" VALUES('9ab8fabc8c72bfa0416414631e26bd71b01f9dfae98dcf4656b1e2d78307876a',X'23212F62696E2F73680A747275650A');
CREATE TABLE serial (
    root INTEGER NOT NULL REFERENCES unit (id),
    registered_for TEXT NOT NULL CHECK (registered_for GLOB '????-??-??'),
    last INTEGER NOT NULL CHECK (last > 0),
    PRIMARY KEY (root, registered_for)
) STRICT, WITHOUT ROWID;
INSERT INTO "serial" VALUES(4,'2026-08-10',1);
INSERT INTO "serial" VALUES(4,'2026-08-11',1);
INSERT INTO "serial" VALUES(6,'2026-08-14',1);
INSERT INTO "serial" VALUES(6,'2026-08-21',1);
CREATE TABLE service (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    uuid TEXT NOT NULL CHECK (length(uuid) = 32),
    incarnation TEXT NOT NULL CHECK (length(incarnation) = 12),
    name TEXT NOT NULL CHECK (name <> ''),
    created_utc TEXT NOT NULL CHECK (created_utc GLOB '????-??-??T??:??:??.???Z'),
    created_by_version TEXT NOT NULL CHECK (created_by_version <> '')
) STRICT;
INSERT INTO "service" VALUES(1,'122153f6492a43b595dedba77c0dd779','ee9031505fed','s','2026-11-24T21:42:07.452Z','0.1.0');
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
INSERT INTO "unit" VALUES(1,'/','/','group',NULL,NULL,0,'',NULL,NULL,1);
INSERT INTO "unit" VALUES(2,'/g','g','group',1,NULL,0,'','{"weekdays":[[5,false],[6,false]]}',NULL,1);
INSERT INTO "unit" VALUES(3,'/h','h','group',1,NULL,0,'',NULL,NULL,1);
INSERT INTO "unit" VALUES(4,'/g/daily','daily','root',2,4,0,'',NULL,'5a99fbeb8e1eae3c2ea287876a4ff19ec26b4e56b6e19dd3695183531ad485c2',1);
INSERT INTO "unit" VALUES(5,'/g/never','never','root',2,5,0,'',NULL,'83736f023f35c9b89e88a82d1c85604507ed4c5dcad127911adef7e542352649',1);
INSERT INTO "unit" VALUES(6,'/g/weekly','weekly','root',2,6,0,'',NULL,'6ec1fb46125ba7dd1cc2abb2a1ca8b5944c881598db5ae4d88ac06fdd6c7e5df',1);
INSERT INTO "unit" VALUES(7,'/h/scripted','scripted','root',3,7,0,'',NULL,'6aa0880430872794412a024d68ff3a8f42fbb900f2cbd9c83e30059f184e2172',1);
INSERT INTO "unit" VALUES(8,'/g/daily/first','first','job',4,4,0,'',NULL,NULL,1);
INSERT INTO "unit" VALUES(9,'/g/daily/report','report','jobnet',4,4,1,'',NULL,NULL,1);
INSERT INTO "unit" VALUES(10,'/g/daily/report/print','print','job',9,4,0,'',NULL,NULL,1);
INSERT INTO "unit" VALUES(11,'/g/never/only','only','job',5,5,0,'',NULL,NULL,1);
INSERT INTO "unit" VALUES(12,'/g/weekly/only','only','job',6,6,0,'',NULL,NULL,1);
INSERT INTO "unit" VALUES(13,'/h/scripted/one','one','job',7,7,0,'',NULL,NULL,1);
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
    kill_asked INTEGER NOT NULL CHECK (kill_asked IN (0, 1)),
    attempt INTEGER NOT NULL CHECK (attempt >= 0),
    return_code INTEGER,
    started_utc TEXT CHECK (started_utc GLOB '????-??-??T??:??:??.???Z'),
    ended_utc TEXT CHECK (ended_utc GLOB '????-??-??T??:??:??.???Z'),
    PRIMARY KEY (generation, path)
) STRICT, WITHOUT ROWID;
INSERT INTO "unit_run" VALUES(1,'',0,'root','NORMAL','2026-08-10T22:30:00',1,0,0,0,0,NULL,'2026-08-10T22:30:00.000Z','2026-08-10T23:00:00.000Z');
INSERT INTO "unit_run" VALUES(1,'first',1,'job','NORMAL',NULL,1,0,0,0,1,0,'2026-08-10T22:30:00.000Z','2026-08-10T22:42:00.000Z');
INSERT INTO "unit_run" VALUES(1,'report',2,'jobnet','NORMAL','2026-08-10T23:00:00',1,0,0,0,0,NULL,'2026-08-10T23:00:00.000Z','2026-08-10T23:00:00.000Z');
INSERT INTO "unit_run" VALUES(1,'report/print',3,'job','NORMAL',NULL,1,0,0,0,1,0,'2026-08-10T23:00:00.000Z','2026-08-10T23:00:00.000Z');
CREATE INDEX unit_upper ON unit (upper, position);
CREATE INDEX unit_root ON unit (root);
CREATE INDEX generation_due ON generation (phase, start);
CREATE INDEX generation_root ON generation (root, phase, start);
CREATE INDEX attempt_open ON attempt (id) WHERE state <> 'ACKED';
CREATE INDEX event_run ON event (generation, path);
CREATE INDEX operation_at ON operation (at_wall);
CREATE INDEX operation_row_key ON operation_row (tbl, key, operation);
CREATE INDEX operation_row_unit ON operation_row (unit, operation);
CREATE INDEX fate_root ON fate (root, start);
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('unit',13);
INSERT INTO "sqlite_sequence" VALUES('operation',6);
INSERT INTO "sqlite_sequence" VALUES('generation',4);
INSERT INTO "sqlite_sequence" VALUES('event',11);
INSERT INTO "sqlite_sequence" VALUES('attempt',2);
INSERT INTO "sqlite_sequence" VALUES('fate',1);
COMMIT;
