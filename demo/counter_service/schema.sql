-- The whole of the service's data. Prepared once, when the file is new (see database.prepare).

CREATE TABLE secrets (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;

CREATE TABLE users (name TEXT PRIMARY KEY, password_hash TEXT NOT NULL) WITHOUT ROWID;

CREATE TABLE services (id INTEGER PRIMARY KEY, name TEXT NOT NULL, minutes INTEGER NOT NULL);

CREATE TABLE counters (id INTEGER PRIMARY KEY, name TEXT NOT NULL, skill INTEGER NOT NULL);

CREATE TABLE appointments (
    id      INTEGER PRIMARY KEY AUTOINCREMENT,
    citizen TEXT NOT NULL,
    service TEXT NOT NULL,
    day     TEXT NOT NULL,
    slot    TEXT NOT NULL
);
CREATE INDEX appointments_by_day ON appointments (day, slot);

-- No uniqueness: a message that comes twice is there twice, which is what a test wants to see.
CREATE TABLE messages (
    number     INTEGER PRIMARY KEY AUTOINCREMENT,
    id         TEXT NOT NULL,
    recipient  TEXT NOT NULL,
    text       TEXT NOT NULL,
    request_id TEXT NOT NULL
);

-- The columns that were played, in turn; the client begins.
CREATE TABLE games (id TEXT PRIMARY KEY, moves TEXT NOT NULL) WITHOUT ROWID;

-- One row numbers the print jobs of all workers, so that the failing share is exact over the whole service.
CREATE TABLE print_jobs (id INTEGER PRIMARY KEY CHECK (id = 1), issued INTEGER NOT NULL);
INSERT INTO print_jobs VALUES (1, 0);

-- What every worker reads to push to its own websockets. A handful of rows is enough: readers look five times a second.
CREATE TABLE changes (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    appointment INTEGER NOT NULL,
    change      TEXT NOT NULL
);
CREATE TRIGGER appointment_created AFTER INSERT ON appointments BEGIN
    INSERT INTO changes (appointment, change) VALUES (new.id, 'created');
END;
CREATE TRIGGER appointment_deleted AFTER DELETE ON appointments BEGIN
    INSERT INTO changes (appointment, change) VALUES (old.id, 'deleted');
END;
CREATE TRIGGER changes_kept_short AFTER INSERT ON changes WHEN new.id % 100 = 0 BEGIN
    DELETE FROM changes WHERE id <= new.id - 1000;
END;
